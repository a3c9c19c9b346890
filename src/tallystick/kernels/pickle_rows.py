"""Carbon's pickled frames to columns, without unpickling: ``[(name, (timestamp, value)), ...]``."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.fields import TIMESTAMP_MAX_S, fault_of_name
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, learn, resolve
from tallystick.kernels.numbers import EXACT, HARD, NOT_A_NUMBER
from tallystick.kernels.pickle import NUMBER, STRING, TUPLE, PickleMachine, run, text_number
from tallystick.kernels.rows import (
    DONE,
    NAMES_FULL,
    PREVIOUS,
    ROWS,
    SEEN,
    SPAN,
    TRUST,
    Rows,
    begin_span,
    note_hard,
    reject,
)


@inlined
def _is_pair(m: PickleMachine, node: int) -> bool:
    return m.kind[node] >= TUPLE and m.size[node] == 2


@inlined
def _pair(m: PickleMachine, node: int) -> tuple[int, int]:
    """The two nodes that a pair holds."""
    cell = m.first[node]
    return np.int64(m.held[cell]), np.int64(m.held[m.following[cell]])


@inlined
def _as_number(m: PickleMachine, buffer: np.ndarray, node: int) -> tuple[float, int]:
    """A number, or a string that is one, as carbon takes it; with its status as of `read_number`."""
    if m.kind[node] == NUMBER:
        return m.number[node], EXACT
    if m.kind[node] == STRING and m.size[node] > 0:
        return text_number(buffer, m.first[node], m.first[node] + m.size[node])
    return 0.0, NOT_A_NUMBER


@scanner
def _take(
    buffer: np.ndarray, span: tuple[int, int], names: NameArrays, now_ms: int, rows: Rows, m: PickleMachine, item: int
) -> bool:
    """Make a row of what the outermost list holds in one place; False if there is no room for its name."""
    start, stop = span
    progress = rows.progress
    fault, entry = 0, np.int64(0)
    ms, value, valued, number = 0, 0.0, EXACT, 0
    name, point = _pair(m, item) if _is_pair(m, item) else (item, item)
    if name == item or m.kind[name] != STRING or not _is_pair(m, point):
        fault = reasons.FIELDS
    else:
        timestamp, number = _pair(m, point)
        seconds, timed = _as_number(m, buffer, timestamp)
        value, valued = _as_number(m, buffer, number)
        at, length = m.first[name], m.size[name]
        start, stop = at, at + length
        fault = fault_of_name(buffer, start, stop)
        if fault == 0 and valued == NOT_A_NUMBER:
            fault = reasons.VALUE
        elif fault == 0 and valued == EXACT and not np.isfinite(value):
            fault = reasons.VALUE_NOT_FINITE
        elif fault == 0 and (timed != EXACT or not (seconds == -1.0 or 0.0 <= seconds <= TIMESTAMP_MAX_S)):
            fault = reasons.TIMESTAMP
        if fault == 0:
            ms = now_ms if seconds == -1.0 else np.int64(np.floor(seconds * 1000.0))
            entry, hit = resolve(names, buffer, at, length, progress[PREVIOUS], progress[TRUST], progress[SEEN])
            if entry == NO_ROOM:
                return False
            if entry == LIMIT:
                fault = reasons.SERIES_LIMIT
            else:
                progress[TRUST] = learn(names, progress[PREVIOUS], entry, progress[TRUST], hit)
                progress[PREVIOUS] = entry
    progress[SEEN] += 1
    if fault != 0:
        reject(rows, fault, start, stop)
        return True
    row = progress[ROWS]
    if valued == HARD:
        note_hard(rows, row, m.first[number], m.first[number] + m.size[number])
    rows.ids[row] = entry
    rows.timestamp[row] = ms
    rows.value.view(np.float64)[row] = value
    progress[ROWS] = row + 1
    return True


@scanner
def _take_all(
    buffer: np.ndarray, span: tuple[int, int], names: NameArrays, now_ms: int, rows: Rows, m: PickleMachine, node: int
) -> bool:
    """Make rows of what the outermost list holds; False if there is no room for a name."""
    cell = m.first[node]
    for _ in range(m.size[node]):
        if not _take(buffer, span, names, now_ms, rows, m, np.int64(m.held[cell])):
            return False
        cell = np.int64(m.following[cell])
    return True


@scanner
def parse_frames(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    machine: PickleMachine,
) -> int:
    """Run the frames of a buffer; one that cannot be read counts one reject.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the last frame.
    offsets : int64[s]
    lengths : int32[s]
        The frames, without their lengths.
    names
        With room for a name every six bytes of a frame.
    rows
        Output.
    machine
        With room for the longest frame.

    Returns
    -------
    int
        `DONE`, or `NAMES_FULL` if the names had less room than that.
    """
    progress = rows.progress
    while progress[SPAN] < len(offsets):
        start = offsets[progress[SPAN]]
        begin_span(rows, progress[SPAN], progress[ROWS], progress[SEEN])
        stop = start + lengths[progress[SPAN]]
        outermost = run(buffer, start, stop, machine)
        if outermost < 0:
            reject(rows, reasons.FRAME, start, stop)
            progress[SEEN] += 1
        elif not _take_all(buffer, (start, stop), names, now_ms, rows, machine, outermost):
            return NAMES_FULL
        progress[SPAN] += 1
    return DONE
