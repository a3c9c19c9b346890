"""OpenTSDB's data points as JSON, to columns; the grammar is in `tallystick.parse.opentsdb_json`.

A point as senders write it is read here: members called ``metric``, ``timestamp``, ``value`` and ``tags``, each at most
once, and strings without backslashes. Any other object is only measured, and left to Python.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.json_text import (
    BACKSLASH,
    CLOSE,
    CLOSE_LIST,
    COMMA,
    OPEN,
    OPEN_LIST,
    QUOTE,
    after_colon,
    is_utf8,
    plain_string_end,
    read_json_number,
    skip_blanks,
    word_of,
)
from tallystick.kernels.names import LIMIT, NameArrays, has_room, learn, resolve
from tallystick.kernels.numbers import HARD, NOT_A_NUMBER, is_not_finite, read_number
from tallystick.kernels.rows import (
    DONE,
    HARD_ROWS,
    NAMES_FULL,
    POSITION,
    PREVIOUS,
    REJECTS,
    ROWS,
    SEEN,
    SPAN,
    TRUST,
    Rows,
    begin_span,
    note_hard,
    reject,
)
from tallystick.kernels.stores import copy_fitting
from tallystick.model.name import NAME_BYTES_MAX

UNUSUAL = 2
"""Beside `DONE` and `NAMES_FULL`: Python is to look at the object at `Json.place`, then call again."""
DEPTH_MAX = 32
"""Objects and lists in each other; the point itself is one. Deeper ones are not read."""

BEFORE_POINT, AFTER_POINT, BROKEN = 0, 1, 2
"""`Json.phase`: where in a span the kernel stands, or that Python found the unusual object to be no JSON."""

_POINT, _SPACE, _SEMICOLON, _EQUALS, _UNDERSCORE = 0x2E, 0x20, 0x3B, 0x3D, 0x5F
_SEVEN_BYTES, _SIX_BYTES = np.uint64(0xFFFFFFFFFFFFFF), np.uint64(0xFFFFFFFFFFFF)
_METRIC, _VALUE_KEY, _TAGS = word_of(b'"metric"'), word_of(b'"value"'), word_of(b'"tags"')
_TIMESTA, _ESTAMP = word_of(b'"timesta'), word_of(b'mestamp"')
_SECONDS_MAX = 0xFFFF_FFFF
_DIGITS_MAX = 16
_MS_MAX = 9_000_000_000_000_000


class Json(NamedTuple):
    """What the kernel and Python tell each other beside rows.

    Parameters
    ----------
    phase : int64[1]
        `BEFORE_POINT`, `AFTER_POINT` or `BROKEN`.
    place : int64[2]
        Where the unusual object begins, and where it ends.
    bounds : int64[8]
        Of a point's metric, timestamp, value and tags: start and stop; -1 where it has none.
    undo : int64[3 + reasons]
        Rows, noted rejects, hard rows and the counts of rejects when the span began: a span that is no JSON gives
        nothing.
    """

    phase: NDArray[np.int64]
    place: NDArray[np.int64]
    bounds: NDArray[np.int64]
    undo: NDArray[np.int64]


@inlined
def _member(buffer: np.ndarray, i: int) -> tuple[int, int]:
    """Which member of a point begins with the quote at `i`, as its place in the bounds, and where its key ends; -1 if
    it is another one."""
    word = load_u64(buffer, i)
    if word == _METRIC:
        return 0, i + 8
    if word == _TIMESTA and load_u64(buffer, i + 3) == _ESTAMP:
        return 2, i + 11
    if word & _SEVEN_BYTES == _VALUE_KEY:
        return 4, i + 7
    if word & _SIX_BYTES == _TAGS:
        return 6, i + 6
    return -1, i


@inlined
def _scalar_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position behind a string without escapes or a number at `i`; -1 for anything else."""
    if i < stop and buffer[i] == QUOTE:
        end = plain_string_end(buffer, i + 1, stop)
        return end + 1 if end >= 0 else -1
    _, end, status = read_json_number(buffer, i, stop)
    return end if status != NOT_A_NUMBER else -1


@scanner
def _tags_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position behind an object of plain strings that begins at `i`; -1 if it is anything else."""
    if buffer[i] != OPEN:
        return -1
    i = skip_blanks(buffer, i + 1, stop)
    if i < stop and buffer[i] == CLOSE:
        return i + 1
    while i < stop:
        if buffer[i] != QUOTE:
            return -1
        i = plain_string_end(buffer, i + 1, stop)
        if i < 0:
            return -1
        i = after_colon(buffer, i + 1, stop)
        if i < 0 or buffer[i] != QUOTE:
            return -1
        i = plain_string_end(buffer, i + 1, stop)
        if i < 0:
            return -1
        i = skip_blanks(buffer, i + 1, stop)
        if i < stop and buffer[i] == CLOSE:
            return i + 1
        if i >= stop or buffer[i] != COMMA:
            return -1
        i = skip_blanks(buffer, i + 1, stop)
    return -1


@scanner
def _point_end(buffer: np.ndarray, i: int, stop: int, bounds: np.ndarray) -> int:
    """Find the members of a point that begins at `i`; position behind it, or -1 if it is not of the usual form.

    Bounds of strings are without their quotes, those of the tags with their braces.
    """
    bounds[:] = -1
    i = skip_blanks(buffer, i + 1, stop)
    while i < stop and buffer[i] == QUOTE:
        member, i = _member(buffer, i)
        if member < 0 or bounds[member] >= 0:
            return -1
        i = after_colon(buffer, i, stop)
        if i < 0:
            return -1
        end = _tags_end(buffer, i, stop) if member == 6 else _scalar_end(buffer, i, stop)
        if end < 0:
            return -1
        inside = 1 if member != 6 and buffer[i] == QUOTE else 0
        bounds[member] = i + inside
        bounds[member + 1] = end - inside
        i = skip_blanks(buffer, end, stop)
        if i < stop and buffer[i] == CLOSE:
            return i + 1
        if i >= stop or buffer[i] != COMMA:
            return -1
        i = skip_blanks(buffer, i + 1, stop)
    return -1


@scanner
def _object_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position behind the object at `i` by its brackets and strings alone; -1 if it has no end or is too deep."""
    depth = 0
    while i < stop:
        byte = buffer[i]
        i += 1
        if byte == QUOTE:
            while i < stop and buffer[i] != QUOTE:
                i += 2 if buffer[i] == BACKSLASH else 1
            i += 1
        elif byte in (OPEN, OPEN_LIST):
            depth += 1
            if depth > DEPTH_MAX:
                return -1
        elif byte in (CLOSE, CLOSE_LIST):
            depth -= 1
            if depth == 0:
                return i
    return -1


@inlined
def _read_time(buffer: np.ndarray, start: int, stop: int) -> int:
    """Milliseconds of a count of seconds, with a fraction if need be, or of milliseconds; 0 if it is none."""
    count = 0
    i = start
    while i < stop and 0x30 <= buffer[i] <= 0x39 and i - start < _DIGITS_MAX:
        count = count * 10 + np.int64(buffer[i] - 0x30)
        i += 1
    if i == start:
        return 0
    fraction = 0
    if i < stop and buffer[i] == _POINT:
        i += 1
        point = i
        unit = 100
        while i < stop and 0x30 <= buffer[i] <= 0x39:
            fraction += np.int64(buffer[i] - 0x30) * unit
            unit //= 10
            i += 1
        if i == point:
            return 0
    if i != stop:
        return 0
    ms = count * 1000 + fraction if count <= _SECONDS_MAX else count
    return ms if ms <= _MS_MAX else 0


@inlined
def _append(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int, key: bool) -> int:
    """Append a string to a name, with underscores for what that cannot hold; more than the maximum if too long."""
    if length + stop - start > NAME_BYTES_MAX:
        return NAME_BYTES_MAX + 1
    copied = copy_fitting(buffer, start, stop, out, length, key, False)
    length += copied
    for i in range(start + copied, stop):
        byte = buffer[i]
        unfit = byte <= _SPACE or byte in (0x7F, _SEMICOLON) or (key and byte == _EQUALS)
        out[length] = _UNDERSCORE if unfit else byte
        length += 1
    return length


@scanner
def _write_name(buffer: np.ndarray, bounds: np.ndarray, out: np.ndarray) -> tuple[int, int]:
    """Write ``metric;key=value...``; its length, and any fault. The bounds are those of `_point_end`."""
    length = _append(buffer, bounds[0], bounds[1], out, 0, False)
    i, stop = bounds[6], bounds[7]
    if i < 0:
        return length, reasons.NAME_LONG if length > NAME_BYTES_MAX else reasons.NONE
    i = skip_blanks(buffer, i + 1, stop)
    while buffer[i] != CLOSE:
        key = i + 1
        key_end = plain_string_end(buffer, key, stop)
        i = skip_blanks(buffer, skip_blanks(buffer, key_end + 1, stop) + 1, stop)
        value = i + 1
        value_end = plain_string_end(buffer, value, stop)
        if key == key_end or value == value_end:
            return length, reasons.TAG
        if length < NAME_BYTES_MAX:
            out[length] = _SEMICOLON
            length = _append(buffer, key, key_end, out, length + 1, True)
        if length < NAME_BYTES_MAX:
            out[length] = _EQUALS
            length = _append(buffer, value, value_end, out, length + 1, False)
        else:
            length = NAME_BYTES_MAX + 1
        i = skip_blanks(buffer, value_end + 1, stop)
        if buffer[i] == COMMA:
            i = skip_blanks(buffer, i + 1, stop)
    return length, reasons.NAME_LONG if length > NAME_BYTES_MAX else reasons.NONE


@inlined
def _keep(rows: Rows, json: Json, row: int) -> None:
    """Remember what there is when a span begins."""
    json.undo[0] = row
    json.undo[1] = rows.progress[REJECTS]
    json.undo[2] = rows.progress[HARD_ROWS]
    for k in range(len(rows.reject_counts)):
        json.undo[3 + k] = rows.reject_counts[k]


@inlined
def _give_up(rows: Rows, json: Json, start: int, stop: int) -> None:
    """Take back what a span gave, and reject it as a whole."""
    rows.progress[REJECTS] = json.undo[1]
    rows.progress[HARD_ROWS] = json.undo[2]
    for k in range(len(rows.reject_counts)):
        rows.reject_counts[k] = json.undo[3 + k]
    reject(rows, reasons.ENCODING, start, stop)


@scanner
def parse_points(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    names: NameArrays,
    rows: Rows,
    json: Json,
) -> int:
    """Parse spans of a buffer, each a point or a list of points; as `tallystick.kernels.carbon.parse_lines`."""
    progress = rows.progress
    values = rows.value.view(np.float64)
    previous, trust = progress[PREVIOUS], progress[TRUST]
    row, seen = progress[ROWS], progress[SEEN]
    state = DONE
    while state == DONE and progress[SPAN] < len(offsets):
        span = progress[SPAN]
        first, stop = offsets[span], offsets[span] + lengths[span]
        i = progress[POSITION]
        kept = buffer[stop]
        buffer[stop] = 0  # no number goes on behind the end
        begin = skip_blanks(buffer, first, stop)
        is_list = begin < stop and buffer[begin] == OPEN_LIST
        finished, broken = False, False
        if i < 0:
            begin_span(rows, span, row, seen)
            _keep(rows, json, row)
            broken = not is_utf8(buffer, first, stop)
            json.phase[0] = BEFORE_POINT
            i = begin
            if is_list:
                i = skip_blanks(buffer, begin + 1, stop)
                finished = i < stop and buffer[i] == CLOSE_LIST
                if finished:
                    broken |= skip_blanks(buffer, i + 1, stop) != stop
        while not finished and not broken:
            if json.phase[0] == AFTER_POINT:
                i = skip_blanks(buffer, i, stop)
                if is_list and i < stop and buffer[i] == COMMA:
                    i = skip_blanks(buffer, i + 1, stop)
                    json.phase[0] = BEFORE_POINT
                else:
                    finished = True
                    is_closed = is_list and i < stop and buffer[i] == CLOSE_LIST
                    broken = is_list != is_closed or skip_blanks(buffer, i + is_list, stop) != stop
                    break
            if json.phase[0] == BROKEN or i >= stop or buffer[i] != OPEN:
                broken = True
                break
            if not has_room(names, NAME_BYTES_MAX):
                state = NAMES_FULL
                break
            start = i
            i = _point_end(buffer, start, stop, json.bounds)
            json.phase[0] = AFTER_POINT
            if i < 0:
                i = _object_end(buffer, start, stop)
                broken = i < 0
                if not broken:
                    json.place[0], json.place[1] = start, i
                    state = UNUSUAL
                break
            seen += 1
            number, number_end = json.bounds[4], json.bounds[5]
            fault, length, ms, value, status = reasons.NONE, 0, 0, 0.0, NOT_A_NUMBER
            if json.bounds[0] == json.bounds[1]:
                fault = reasons.NAME_EMPTY
            if fault == reasons.NONE:
                ms = _read_time(buffer, json.bounds[2], json.bounds[3])
                fault = reasons.TIMESTAMP if ms == 0 else reasons.NONE
            if fault == reasons.NONE:
                end = -1
                if number >= 0:
                    value, end, status = read_number(buffer, number)
                if status == NOT_A_NUMBER or end != number_end:
                    fault = reasons.VALUE_NOT_FINITE if is_not_finite(buffer, number, number_end) else reasons.VALUE
            if fault == reasons.NONE:
                length, fault = _write_name(buffer, json.bounds, rows.name)
            # Last, as that of a number that is left to Python is known even later.
            if fault == reasons.NONE and status != HARD and not np.isfinite(value):
                fault = reasons.VALUE_NOT_FINITE
            entry = -1
            if fault == reasons.NONE:
                entry, hit = resolve(names, rows.name, 0, length, previous, trust, seen)
                if entry == LIMIT:
                    fault = reasons.SERIES_LIMIT
                else:
                    trust = learn(names, previous, entry, trust, hit)
                    previous = entry
            if fault != reasons.NONE:
                reject(rows, fault, start, i)
                continue
            if status == HARD:
                note_hard(rows, row, number, number_end)
            rows.ids[row] = entry
            rows.timestamp[row] = ms
            values[row] = value
            row += 1
        buffer[stop] = kept
        progress[POSITION] = i
        if broken:
            _give_up(rows, json, first, stop)
            row, seen = json.undo[0], rows.began[span, 1] + 1
            previous, trust = -1, 1
        if state == DONE:
            progress[SPAN] = span + 1
            progress[POSITION] = -1
    progress[ROWS], progress[SEEN] = row, seen
    progress[PREVIOUS], progress[TRUST] = previous, trust
    return state
