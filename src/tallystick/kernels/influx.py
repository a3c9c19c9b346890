"""InfluxDB's line protocol to columns; the grammar is in `tallystick.parse.influx`.

Where a line's key, fields and timestamp are is decided first, by backslashes and quotes alone. Only a line whose key
and timestamp are good gives samples, each field by itself.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.fields import name_valid
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, learn, resolve
from tallystick.kernels.numbers import HARD, NOT_A_NUMBER, is_not_finite, read_number
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
from tallystick.kernels.words import find_newline
from tallystick.model.name import NAME_BYTES_MAX

_NEWLINE, _RETURN, _SPACE, _TAB, _COMMA, _EQUALS = 0x0A, 0x0D, 0x20, 0x09, 0x2C, 0x3D
_QUOTE, _BACKSLASH, _HASH, _POINT, _SEMICOLON, _UNDERSCORE, _MINUS = 0x22, 0x5C, 0x23, 0x2E, 0x3B, 0x5F, 0x2D
_VALUE_FIELD = np.frombuffer(b"value", np.uint8)
_WORDS = np.frombuffer(b"tTtrueTrueTRUEfFfalseFalseFALSE", np.uint8)
_WORD_BOUNDS = np.array([0, 1, 2, 6, 10, 14, 15, 16, 21, 26, 31])
_FALSE_FROM = 5  # the words from here on
_DIGITS_MAX = 19  # which is as many as always fit into 64 bits without a sign
_COUNT_MAX = np.uint64((1 << 63) - 1)
_MS_MAX = 9_000_000_000_000_000


@inlined
def _until(buffer: np.ndarray, i: int, stop: int, a: int, b: int) -> int:
    """Position of the first `a` or `b` that no backslash stands before, or `stop`."""
    escaped = False
    while i < stop and (escaped or (buffer[i] != a and buffer[i] != b)):
        escaped = buffer[i] == _BACKSLASH
        i += 1
    return i


@inlined
def _field_end(buffer: np.ndarray, i: int, stop: int, end: int) -> int:
    """Position of the first `end` (a comma or a blank) behind a field at `i`, or `stop`; text in quotes may hold it."""
    i = _until(buffer, i, stop, _EQUALS, _SPACE)
    if i < stop - 1 and buffer[i] == _EQUALS and buffer[i + 1] == _QUOTE:
        i += 2
        while i < stop and buffer[i] != _QUOTE:
            i += 2 if buffer[i] == _BACKSLASH and i + 1 < stop else 1
        i += 1
    while i < stop and buffer[i] != end and buffer[i] != _SPACE:
        i += 1
    return min(i, stop)


@scanner
def _fields_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position behind the last field."""
    while True:
        i = _field_end(buffer, i, stop, _COMMA)
        if i >= stop or buffer[i] == _SPACE:
            return i
        i += 1


@inlined
def _skip_spaces(buffer: np.ndarray, i: int, stop: int) -> int:
    while i < stop and buffer[i] == _SPACE:
        i += 1
    return i


@scanner
def _read_time(buffer: np.ndarray, start: int, stop: int, unit_ns: int, now_ms: int) -> int:
    """Milliseconds of a whole number of units; -1 if it is none. No number is now."""
    if start == stop:
        return now_ms
    if stop - start > _DIGITS_MAX:
        return -1
    count = np.uint64(0)
    for i in range(start, stop):
        if not 0x30 <= buffer[i] <= 0x39:
            return -1
        count = count * np.uint64(10) + np.uint64(buffer[i] - 0x30)
    if count > _COUNT_MAX:
        return -1
    value = np.int64(count)
    if unit_ns >= 1_000_000:
        scale = unit_ns // 1_000_000
        return value * scale if value <= _MS_MAX // scale else -1
    ms = value // (1_000_000 // unit_ns)
    return ms if ms <= _MS_MAX else -1


@inlined
def _append(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int, parted: bool) -> int:
    """Append a key or value without its backslashes; what a name cannot hold becomes an underscore.

    Parameters
    ----------
    parted
        Whether a semicolon or an equals sign would part tags, and so becomes an underscore, too.

    Returns
    -------
    int
        The length, more than `NAME_BYTES_MAX` if it is too long.
    """
    i = start
    while i < stop:
        if buffer[i] == _BACKSLASH and i + 1 < stop and buffer[i + 1] in (_COMMA, _EQUALS, _SPACE):
            i += 1
        if length >= NAME_BYTES_MAX:
            return NAME_BYTES_MAX + 1
        byte = buffer[i]
        unfit = byte <= _SPACE or byte in (0x7F, _SEMICOLON) or (parted and byte == _EQUALS)
        out[length] = _UNDERSCORE if unfit else byte
        length += 1
        i += 1
    return length


@scanner
def _write_tags(buffer: np.ndarray, i: int, stop: int, out: np.ndarray, length: int) -> tuple[int, int]:
    """Append the tags from the comma at `i` on as ``;key=value``; the length of all, and any fault."""
    while i < stop:
        key = i + 1
        end = _until(buffer, key, stop, _COMMA, _COMMA)
        equals = _until(buffer, key, end, _EQUALS, _EQUALS)
        if equals == key or equals >= end - 1:
            return length, reasons.TAG
        if length >= NAME_BYTES_MAX:
            return length, reasons.NAME_LONG
        out[length] = _SEMICOLON
        length = _append(buffer, key, equals, out, length + 1, True)
        if length >= NAME_BYTES_MAX:
            return length, reasons.NAME_LONG
        out[length] = _EQUALS
        length = _append(buffer, equals + 1, end, out, length + 1, False)
        if length > NAME_BYTES_MAX:
            return length, reasons.NAME_LONG
        i = end
    return length, reasons.NONE


@inlined
def _is_value(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a field is called ``value``, which adds nothing to a name."""
    if stop - start != len(_VALUE_FIELD):
        return False
    same = True
    for k in range(len(_VALUE_FIELD)):
        same &= buffer[start + k] == _VALUE_FIELD[k]
    return same


@scanner
def _truth(buffer: np.ndarray, start: int, stop: int) -> float:
    """1 or 0 for a boolean, else -1."""
    for word in range(len(_WORD_BOUNDS) - 1):
        low, high = _WORD_BOUNDS[word], _WORD_BOUNDS[word + 1]
        if high - low == stop - start:
            same = True
            for k in range(high - low):
                same &= buffer[start + k] == _WORDS[low + k]
            if same:
                return 1.0 if word < _FALSE_FROM else 0.0
    return -1.0


@inlined
def _read_value(buffer: np.ndarray, start: int, stop: int) -> tuple[float, int, int]:
    """A field's value, its status as of `read_number`, and `Reason.NONE` or why it is bad."""
    if start < stop and buffer[start] == _QUOTE:
        return 0.0, NOT_A_NUMBER, reasons.TEXT
    value, end, status = read_number(buffer, start)
    if status != NOT_A_NUMBER and end < stop and buffer[end] in (0x69, 0x75):  # i and u behind whole numbers
        whole = True
        for i in range(start, end):
            whole &= 0x30 <= buffer[i] <= 0x39 or (i == start and buffer[i] == _MINUS)
        end += 1 if whole else 0
    if status == NOT_A_NUMBER or end != stop:
        truth = _truth(buffer, start, stop)
        if truth >= 0.0:
            return truth, 0, reasons.NONE
        return 0.0, NOT_A_NUMBER, reasons.VALUE_NOT_FINITE if is_not_finite(buffer, start, stop) else reasons.VALUE
    if status != HARD and not np.isfinite(value):
        return 0.0, NOT_A_NUMBER, reasons.VALUE_NOT_FINITE
    return value, status, reasons.NONE


@scanner
def _write_name(
    buffer: np.ndarray,
    measurement: tuple[int, int],
    field: tuple[int, int],
    tags: np.ndarray,
    length: int,
    out: np.ndarray,
) -> tuple[int, int]:
    """Write the name of a field's series, with the tags that are written already; its length, and any fault."""
    at = _append(buffer, measurement[0], measurement[1], out, 0, False)
    if not _is_value(buffer, field[0], field[1]):
        if at < NAME_BYTES_MAX:
            out[at] = _POINT
            at += 1
        at = _append(buffer, field[0], field[1], out, at, False)
    if at + length > NAME_BYTES_MAX:
        return at, reasons.NAME_LONG
    for k in range(length):
        out[at + k] = tags[k]
    at += length
    return at, reasons.NONE if name_valid(out, 0, at) else reasons.NAME_BYTES


@scanner
def parse_lines(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    unit_ns: int,
    tags: NDArray[np.uint8],
    tag_bytes: int,
    resume: NDArray[np.int64],
) -> int:
    """Parse the lines of spans of a buffer; as `tallystick.kernels.carbon.parse_lines`.

    Parameters
    ----------
    unit_ns
        Nanoseconds that a timestamp counts.
    tags : uint8[NAME_SCRATCH_BYTES]
        Tags under construction.
    tag_bytes
        The first so many of them stay: they are the same for all lines.
    resume : int64[1]
        Fields of the line at hand that are done: it is begun again where a name found no room.
    """
    progress = rows.progress
    values = rows.value.view(np.float64)
    previous, trust = progress[PREVIOUS], progress[TRUST]
    row, seen = progress[ROWS], progress[SEEN]
    state = DONE
    while state == DONE and progress[SPAN] < len(offsets):
        span = progress[SPAN]
        stop = offsets[span] + lengths[span]
        i = progress[POSITION]
        if i < 0:
            begin_span(rows, span, row, seen)
            i = offsets[span]
        kept = buffer[stop]
        buffer[stop] = _NEWLINE
        while i < stop:
            start = i
            newline = find_newline(buffer, start)
            i = newline + 1
            done, resume[0] = resume[0], 0
            if newline - start > line_bytes_max:
                reject(rows, reasons.LINE_LONG, start, newline)
                seen += 1
                continue
            end = newline - 1 if newline > start and buffer[newline - 1] == _RETURN else newline
            key = _skip_spaces(buffer, start, end)
            if key == end or buffer[key] == _HASH:
                continue
            key_end = _until(buffer, key, end, _SPACE, _SPACE)
            measurement_end = _until(buffer, key, key_end, _COMMA, _COMMA)
            field = _skip_spaces(buffer, key_end, end)
            fields_end = _fields_end(buffer, field, end)
            time = _skip_spaces(buffer, fields_end, end)
            time_end = end
            while time_end > time and buffer[time_end - 1] == _SPACE:
                time_end -= 1
            ms = _read_time(buffer, time, time_end, unit_ns, now_ms)
            tags_length, fault = _write_tags(buffer, measurement_end, key_end, tags, tag_bytes)
            if measurement_end == key or field == end:
                fault = reasons.FIELDS
            elif fault == reasons.NONE and ms < 0:
                fault = reasons.TIMESTAMP
            if fault != reasons.NONE:
                reject(rows, fault, start, newline)
                seen += 1
                continue
            fields = 0
            while field < fields_end:
                field_end = min(_field_end(buffer, field, fields_end, _COMMA), fields_end)
                equals = _until(buffer, field, field_end, _EQUALS, _EQUALS)
                fields += 1
                if fields <= done:
                    field = field_end + 1
                    continue
                value, status = 0.0, NOT_A_NUMBER
                length = 0
                fault = reasons.FIELDS
                if field < equals < field_end - 1:
                    value, status, fault = _read_value(buffer, equals + 1, field_end)
                if fault == reasons.NONE:
                    length, fault = _write_name(
                        buffer, (key, measurement_end), (field, equals), tags, tags_length, rows.name
                    )
                entry = -1
                if fault == reasons.NONE:
                    entry, hit = resolve(names, rows.name, 0, length, previous, trust, seen)
                    if entry == NO_ROOM:
                        resume[0] = fields - 1
                        state = NAMES_FULL
                        i = start
                        break
                    if entry == LIMIT:
                        fault = reasons.SERIES_LIMIT
                    else:
                        trust = learn(names, previous, entry, trust, hit)
                        previous = entry
                seen += 1
                if fault != reasons.NONE:
                    reject(rows, fault, start, newline)
                else:
                    if status == HARD:
                        note_hard(rows, row, equals + 1, field_end)
                    rows.ids[row] = entry
                    rows.timestamp[row] = ms
                    values[row] = value
                    row += 1
                field = field_end + 1
            if state == NAMES_FULL:
                break
        buffer[stop] = kept
        if state == DONE:
            progress[SPAN] = span + 1
            progress[POSITION] = -1
        else:
            progress[POSITION] = i
    progress[ROWS], progress[SEEN] = row, seen
    progress[PREVIOUS], progress[TRUST] = previous, trust
    return state
