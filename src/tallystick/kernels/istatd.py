r"""istatd's lines to columns.

``line = ["*"] name ("^" suffix)* blanks [timestamp blanks] value``, or seven fields ``name timestamp sum sumsq min max
count``. All fields are read first; a line that is bad is rejected as a whole. Then each of its names is built.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.fields import BAD_TIME, next_field, read_time
from tallystick.kernels.names import LIMIT, NameArrays, learn, resolve
from tallystick.kernels.numbers import EXACT, HARD, NOT_A_NUMBER, is_not_finite, read_number
from tallystick.kernels.rows import (
    DONE,
    NAMES_FULL,
    POSITION,
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
from tallystick.kernels.tally_rows import COUNT, LAST, M2, MAX, MIN, SUM, TallyRows
from tallystick.kernels.tally_rows import ROWS as TALLY_ROWS
from tallystick.kernels.words import PADDING, find_newline
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX

NAMES_MAX = 64
"""A line with more suffixes is bad: room for the names of a line must be found at once."""

_GAUGE, _COUNTER = int(Kind.GAUGE), int(Kind.COUNTER)

_NEWLINE, _RETURN, _STAR, _CARET, _HASH, _DOT = 0x0A, 0x0D, 0x2A, 0x5E, 0x23, 0x2E
_SPELT = np.array(
    [0x5F if byte < 0x21 or byte > 0x7E or byte in b"/:\\\"';" else ord(chr(byte).lower()) for byte in range(256)],
    np.uint8,
)
"""What istatd makes of each byte of a name."""
_IS_RESERVED = np.array([byte in b"@$%&;:" for byte in range(256)])
_FIELDS_MAX = 7
_SQUARES = M2  # where the sum of squares is until it becomes M2
_COLUMNS = np.array([SUM, _SQUARES, MIN, MAX, COUNT])


class Line(NamedTuple):
    """Scratch memory for a line, and what it leaves to Python.

    Parameters
    ----------
    bounds : int64[8, 2]
        Where its fields begin and end.
    number : float64[5]
    is_hard : bool[5]
        Its numbers, and which of them Python must convert.
    hard : int64[n, 5]
        First and end of rows of tallied slots, column of their numbers, position and length of a number that Python
        must convert.
    began : int64[n]
        Tallied slots before each span.
    used : int64[1]
        How many are in `hard`.
    """

    bounds: NDArray[np.int64]
    number: NDArray[np.float64]
    is_hard: NDArray[np.bool_]
    hard: NDArray[np.int64]
    began: NDArray[np.int64]
    used: NDArray[np.int64]


@inlined
def _split(buffer: np.ndarray, start: int, stop: int, bounds: np.ndarray) -> int:
    """Find the fields of a line, at most one more than a line can have; returns how many there are."""
    fields = 0
    at = start
    while fields <= _FIELDS_MAX:
        begin, end = next_field(buffer, at, stop)
        if begin == stop:
            break
        bounds[fields, 0], bounds[fields, 1] = begin, end
        fields += 1
        at = end
    return fields


@inlined
def _number(buffer: np.ndarray, start: int, stop: int) -> tuple[float, int, int]:
    """A field as a number, its status and the reason why it is none."""
    value, end, status = read_number(buffer, start)
    if status == NOT_A_NUMBER or end != stop:
        return 0.0, status, (reasons.VALUE_NOT_FINITE if is_not_finite(buffer, start, stop) else reasons.VALUE)
    if status == EXACT and not np.isfinite(value):
        return 0.0, status, reasons.VALUE_NOT_FINITE
    return value, status, reasons.NONE


@inlined
def _put(buffer: np.ndarray, start: int, stop: int, name: np.ndarray, length: int) -> int:
    """Append a part of a name as istatd spells it; one byte more than a name may have is enough to know."""
    for i in range(start, stop):
        if length > NAME_BYTES_MAX:
            break
        name[length] = _SPELT[buffer[i]]
        length += 1
    return length


@inlined
def _end_of_part(buffer: np.ndarray, start: int, stop: int) -> int:
    while start < stop and buffer[start] != _CARET:
        start += 1
    return start


@inlined
def _count_names(buffer: np.ndarray, start: int, stop: int) -> tuple[int, bool]:
    """How many names a field stands for, and whether one of them is what stands before the first caret."""
    base_end = _end_of_part(buffer, start, stop)
    parts = 0
    empty = base_end == stop
    at = base_end
    while at < stop:
        end = _end_of_part(buffer, at + 1, stop)
        if end == at + 1:
            empty = True
        else:
            parts += 1
        at = end
    with_base = empty and base_end > start
    return parts + with_base, with_base


@scanner
def parse_lines(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    tallies: TallyRows,
    line: Line,
) -> int:
    """Parse the lines of spans of a buffer; see `tallystick.kernels.carbon.parse_lines`."""
    progress = rows.progress
    state = DONE
    while state == DONE and progress[SPAN] < len(offsets):
        span = progress[SPAN]
        stop = offsets[span] + lengths[span]
        i = progress[POSITION]
        if i < 0:
            begin_span(rows, span, progress[ROWS], progress[SEEN])
            line.began[span] = tallies.used[TALLY_ROWS]
            i = offsets[span]
        kept = buffer[stop]
        buffer[stop] = _NEWLINE
        while i < stop:
            end = find_newline(buffer, i)
            state = _parse_line(buffer, i, end, line_bytes_max, names, now_ms, rows, tallies, line)
            if state != DONE:
                break
            i = end + 1
        buffer[stop] = kept
        if state == DONE:
            progress[SPAN] = span + 1
            progress[POSITION] = -1
        else:
            progress[POSITION] = i
    return state


@inlined
def _fault(buffer: np.ndarray, fields: int, now_ms: int, line: Line) -> tuple[int, int]:
    """Read the numbers of a line: why it is bad, and its time."""
    bounds = line.bounds
    if fields not in (2, 3, 7) or _IS_RESERVED[buffer[bounds[0, 0]]]:
        return reasons.FIELDS, 0
    ms = now_ms
    if fields > 2:
        ms, end = read_time(buffer, bounds[1, 0], now_ms)
        if ms == BAD_TIME or end != bounds[1, 1]:
            return reasons.TIMESTAMP, 0
    first = 1 if fields == 2 else 2
    for k in range(first, fields):
        value, status, reason = _number(buffer, bounds[k, 0], bounds[k, 1])
        if reason != reasons.NONE:
            return reason, 0
        line.number[k - first] = value
        line.is_hard[k - first] = status == HARD
    return reasons.NONE, ms


@inlined
def _parse_line(
    buffer: np.ndarray,
    start: int,
    stop: int,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    tallies: TallyRows,
    line: Line,
) -> int:
    """Take the line ``buffer[start:stop]``, whose newline follows; `NAMES_FULL`, and nothing of it, without room."""
    progress = rows.progress
    if stop - start > line_bytes_max:
        reject(rows, reasons.LINE_LONG, start, stop)
        progress[SEEN] += 1
        return DONE
    end = stop - 1 if stop > start and buffer[stop - 1] == _RETURN else stop
    fields = _split(buffer, start, end, line.bounds)
    if fields == 0 or buffer[line.bounds[0, 0]] == _HASH:
        return DONE
    reason, ms = _fault(buffer, fields, now_ms, line)
    begin, name_end = line.bounds[0, 0], line.bounds[0, 1]
    kind = _GAUGE
    if buffer[begin] == _STAR:
        kind = _COUNTER
        begin += 1
    count, with_base = _count_names(buffer, begin, name_end)
    if reason == reasons.NONE and count == 0:
        reason = reasons.NAME_EMPTY
    elif reason == reasons.NONE and count > NAMES_MAX:
        reason = reasons.FIELDS
    if reason != reasons.NONE:
        reject(rows, reason, start, stop)
        progress[SEEN] += 1
        return DONE
    known = names.state[0]
    if known < names.state[1] and (
        known + count > len(names.successor)
        or names.offsets[known] + count * NAME_BYTES_MAX + PADDING > len(names.arena)
    ):
        return NAMES_FULL
    first_row = tallies.used[TALLY_ROWS]
    base_end = _end_of_part(buffer, begin, name_end)
    base = _put(buffer, begin, base_end, rows.name, 0)
    if with_base:
        _take(buffer, start, stop, fields, base, kind, ms, names, rows, tallies, line)
    at = base_end
    while at < name_end:
        part_end = _end_of_part(buffer, at + 1, name_end)
        if part_end > at + 1:
            length = base
            if 0 < base <= NAME_BYTES_MAX:
                rows.name[length] = _DOT
                length += 1
            length = _put(buffer, at + 1, part_end, rows.name, length)
            _take(buffer, start, stop, fields, length, kind, ms, names, rows, tallies, line)
        at = part_end
    if fields == _FIELDS_MAX:
        _note_hard(buffer, first_row, tallies.used[TALLY_ROWS], line)
    return DONE


@inlined
def _note_hard(buffer: np.ndarray, first_row: int, end_row: int, line: Line) -> None:
    """Leave numbers of a line to Python, for all of its names."""
    for k in range(5):
        begin, end = line.bounds[k + 2, 0], line.bounds[k + 2, 1]
        if line.is_hard[k]:
            hard = line.hard[line.used[0]]
            hard[0] = first_row
            hard[1] = end_row
            hard[2] = _COLUMNS[k]
            hard[3] = begin
            hard[4] = end - begin
            line.used[0] += 1


@inlined
def _take(
    buffer: np.ndarray,
    start: int,
    stop: int,
    fields: int,
    length: int,
    kind: int,
    ms: int,
    names: NameArrays,
    rows: Rows,
    tallies: TallyRows,
    line: Line,
) -> None:
    """Take the sample, or the tallied slot, of a line for the name in ``rows.name``."""
    progress = rows.progress
    progress[SEEN] += 1
    if length > NAME_BYTES_MAX:
        reject(rows, reasons.NAME_LONG, start, stop)
        return
    previous, trust = progress[PREVIOUS], progress[TRUST]
    entry, hit = resolve(names, rows.name, 0, length, previous, trust, progress[SEEN])
    if entry == LIMIT:
        reject(rows, reasons.SERIES_LIMIT, start, stop)
        return
    progress[TRUST] = learn(names, previous, entry, trust, hit)
    progress[PREVIOUS] = entry
    if fields == _FIELDS_MAX:
        row = tallies.used[TALLY_ROWS]
        numbers = tallies.numbers.view(np.float64)[row]
        for k in range(5):
            numbers[_COLUMNS[k]] = line.number[k]
        numbers[LAST] = 0.0
        tallies.ids[row] = entry
        tallies.timestamp[row] = ms
        tallies.kind[row] = kind
        tallies.used[TALLY_ROWS] = row + 1
        return
    row = rows.progress[ROWS]
    value_at, value_end = line.bounds[fields - 1, 0], line.bounds[fields - 1, 1]
    if line.is_hard[0]:
        note_hard(rows, row, value_at, value_end)
    rows.ids[row] = entry
    rows.timestamp[row] = ms
    rows.value.view(np.float64)[row] = line.number[0]
    rows.weight[row] = 1.0
    rows.kind[row] = kind
    rows.progress[ROWS] = row + 1
