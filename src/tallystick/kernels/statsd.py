"""StatsD's lines to columns; the grammar is in `tallystick.parse.statsd`."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.hashing import MEMBER_KEY, hash_bytes
from tallystick.kernels.names import LIMIT, NameArrays, has_room, learn, resolve
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
from tallystick.kernels.words import find_newline
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA

_NONE = int(Reason.NONE)
_FIELDS = int(Reason.FIELDS)
_NAME_EMPTY = int(Reason.NAME_EMPTY)
_NAME_LONG = int(Reason.NAME_LONG)
_VALUE = int(Reason.VALUE)
_VALUE_NOT_FINITE = int(Reason.VALUE_NOT_FINITE)
_LINE_LONG = int(Reason.LINE_LONG)
_TYPE = int(Reason.TYPE)
_RATE = int(Reason.RATE)
_TAG = int(Reason.TAG)
_SERIES_LIMIT = int(Reason.SERIES_LIMIT)

_GAUGE = int(Kind.GAUGE)
_DELTA = int(Kind.GAUGE) | GAUGE_DELTA
_COUNTER = int(Kind.COUNTER)
_TIMING = int(Kind.TIMING)
_SET = int(Kind.SET)
_UNKNOWN = 255

_NEWLINE, _RETURN, _COLON, _BAR, _COMMA, _HASH, _AT = 0x0A, 0x0D, 0x3A, 0x7C, 0x2C, 0x23, 0x40
_PLUS, _MINUS, _SEMICOLON, _EQUALS, _UNDERSCORE = 0x2B, 0x2D, 0x3B, 0x3D, 0x5F
_MEMBER_KEY_0, _MEMBER_KEY_1 = MEMBER_KEY

_DROP, _WHITE = 256, 257  # no byte is one of these


def _classes() -> NDArray[np.int16]:
    """What becomes of each byte of a key: itself, another byte, `_DROP`, or `_WHITE`: runs become an underscore."""
    table = np.full(256, _DROP, np.int16)
    for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.;=":
        table[byte] = byte
    table[list(b" \t\n\v\f\r")] = _WHITE
    table[ord("/")] = ord("-")
    return table


_CLASS = _classes()


@inlined
def _until(buffer: np.ndarray, i: int, stop: int, a: int, b: int) -> int:
    """Position of the first byte that is `a` or `b`, or `stop`."""
    while i < stop and buffer[i] != a and buffer[i] != b:
        i += 1
    return i


@inlined
def _type_of(buffer: np.ndarray, start: int, stop: int) -> int:
    """The kind that a type's letters mean."""
    if stop - start == 2:
        return _TIMING if buffer[start] == 0x6D and buffer[start + 1] == 0x73 else _UNKNOWN
    if stop - start != 1:
        return _UNKNOWN
    letter = buffer[start]
    if letter in (0x63, 0x6D):
        return _COUNTER
    if letter == 0x67:
        return _GAUGE
    if letter == 0x73:
        return _SET
    if letter in (0x68, 0x64):
        return _TIMING
    return _UNKNOWN


@scanner
def _write_key(buffer: np.ndarray, start: int, stop: int, out: np.ndarray) -> int:
    """Write a key as StatsD cleans it; returns its length, or more than `NAME_BYTES_MAX` if it is too long."""
    length = 0
    white = False
    for i in range(start, stop):
        byte = _CLASS[buffer[i]]
        if byte == _WHITE:
            if white:
                continue
            byte = np.int16(_UNDERSCORE)
            white = True
        else:
            white = False
        if byte != _DROP:
            out[length] = byte
            length += 1
            if length > NAME_BYTES_MAX:
                break
    return length


@scanner
def _write_tags(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int) -> int:
    """Append tags as ``;key=value``; returns the length, more than `NAME_BYTES_MAX` if too long, -1 for a bad tag."""
    i = start
    while i < stop and length <= NAME_BYTES_MAX:
        end = _until(buffer, i, stop, _COMMA, _COMMA)
        if end > i:
            out[length] = _SEMICOLON
            length += 1
            key = length
            equals = -1
            colon = False
            white = False
            for k in range(i, end):
                byte = _CLASS[buffer[k]]
                if buffer[k] == _COLON and not colon:
                    colon = True
                    byte = np.int16(_EQUALS)
                elif byte == _SEMICOLON:
                    byte = np.int16(_UNDERSCORE)
                elif byte == _WHITE:
                    byte = np.int16(_DROP) if white else np.int16(_UNDERSCORE)
                white = _CLASS[buffer[k]] == _WHITE
                if byte == _DROP:
                    continue
                if byte == _EQUALS and equals < 0:
                    equals = length
                out[length] = byte
                length += 1
                if length > NAME_BYTES_MAX:
                    return length
            if equals < 0:
                equals = length
                for byte in (0x3D, 0x74, 0x72, 0x75, 0x65):
                    out[length] = byte
                    length += 1
            if equals == key or equals == length - 1:
                return -1
        i = end + 1
    return length


@inlined
def _read_fields(buffer: np.ndarray, i: int, stop: int) -> tuple[int, float, int]:
    """Read what follows a type: where the next bit's colon is (or `stop`), the sample rate, and any fault.

    Fields that begin with a letter are DogStatsD's extensions and are passed over; tags are read elsewhere.
    """
    rate = 1.0
    fault = _NONE
    while i < stop and buffer[i] == _BAR:
        field = i + 1
        letter = np.int64(buffer[field]) | 0x20
        if field < stop and (buffer[field] == _HASH or 0x61 <= letter <= 0x7A):
            i = _until(buffer, field, stop, _BAR, _BAR)
            continue
        i = _until(buffer, field, stop, _BAR, _COLON)
        if i == field or buffer[field] != _AT:
            fault = _FIELDS if fault == _NONE else fault
            continue
        rate, end, status = read_number(buffer, field + 1)
        if (status != EXACT or end != i or not 0.0 < rate <= 1.0) and fault == _NONE:
            fault = _RATE
    return i, rate, fault


@inlined
def _write_value(
    rows: Rows, values: np.ndarray, row: int, buffer: np.ndarray, start: int, stop: int, kind: int, weight: float
) -> int:
    """Write one value as a row; returns `Reason.NONE`, or why it is bad."""
    if kind == _SET:
        if start == stop:
            return _VALUE
        rows.value[row] = hash_bytes(buffer, start, stop - start, _MEMBER_KEY_0, _MEMBER_KEY_1)
        rows.weight[row] = 1.0
        rows.kind[row] = kind
        return _NONE
    value, end, status = read_number(buffer, start)
    if status == NOT_A_NUMBER or end != stop:
        return _VALUE_NOT_FINITE if is_not_finite(buffer, start, stop) else _VALUE
    if status == HARD:
        note_hard(rows, row, start, stop)
    elif not np.isfinite(value):
        return _VALUE_NOT_FINITE
    values[row] = value
    rows.weight[row] = weight
    rows.kind[row] = kind
    return _NONE


@inlined
def _read_bits(buffer: np.ndarray, start: int, i: int, stop: int, rows: Rows, row: int, seen: int) -> tuple[int, int]:
    """Read ``value[:value...]|type[|field...]``, several after another; returns the rows and samples there are then.

    Rejects are noted with the whole line, from `start`, for whoever reads them.
    """
    values = rows.value.view(np.float64)
    while i <= stop:
        bar = _until(buffer, i, stop, _BAR, _BAR)
        type_end = _until(buffer, min(bar + 1, stop), stop, _BAR, _COLON)
        kind = _type_of(buffer, bar + 1, type_end)
        following, rate, fault = _read_fields(buffer, type_end, stop)
        if bar == stop:
            fault = _FIELDS
        elif kind == _UNKNOWN:
            fault = _TYPE
        negative_ok = type_end - bar != 3
        weight = 1.0 if kind == _GAUGE else 1.0 / rate
        while i <= bar:
            # The member of a set may hold colons; other values are packed with them.
            end = bar if kind == _SET and bar < stop else _until(buffer, i, bar, _COLON, _COLON)
            reason = fault
            if fault == _NONE:
                signed = buffer[i] == _MINUS or buffer[i] == _PLUS
                if buffer[i] == _MINUS and not negative_ok and not is_not_finite(buffer, i, end):
                    reason = _VALUE
                else:
                    of = _DELTA if kind == _GAUGE and signed else kind
                    reason = _write_value(rows, values, row, buffer, i, end, of, weight)
            seen += 1
            if reason == _NONE:
                row += 1
            else:
                reject(rows, reason, start, stop)
            i = end + 1
        i = following + 1
    return row, seen


@scanner
def parse_lines(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
) -> int:
    """Parse the lines of spans of a buffer; as `tallystick.kernels.carbon.parse_lines`."""
    progress = rows.progress
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
            if not has_room(names, NAME_BYTES_MAX):
                state = NAMES_FULL
                break
            start = i
            newline = find_newline(buffer, start)
            i = newline + 1
            end = newline - 1 if newline > start and buffer[newline - 1] == _RETURN else newline
            if newline - start > line_bytes_max:
                reject(rows, _LINE_LONG, start, newline)
                seen += 1
                continue
            if end == start:
                continue
            colon = start
            clean = True
            while colon < end and buffer[colon] != _COLON and buffer[colon] != _BAR:
                clean &= _CLASS[buffer[colon]] == buffer[colon]
                colon += 1
            tags = colon
            while tags < end and not (buffer[tags] == _HASH and buffer[tags - 1] == _BAR):
                tags += 1
            fault = _NONE
            length = colon - start
            plain = clean and tags == end
            if colon == end or buffer[colon] == _BAR:
                fault = _FIELDS
            else:
                if not plain:
                    length = _write_key(buffer, start, colon, rows.name)
                if length == 0:
                    fault = _NAME_EMPTY
                elif tags < end:
                    length = _write_tags(buffer, tags + 1, _until(buffer, tags, end, _BAR, _BAR), rows.name, length)
                if length < 0:
                    fault = _TAG
                elif length > NAME_BYTES_MAX:
                    fault = _NAME_LONG
            if fault != _NONE:
                reject(rows, fault, start, newline)
                seen += 1
                continue
            first = row
            row, seen = _read_bits(buffer, start, colon + 1, end, rows, row, seen)
            if row == first:
                continue
            if plain:
                entry, hit = resolve(names, buffer, start, length, previous, trust, seen)
            else:
                entry, hit = resolve(names, rows.name, 0, length, previous, trust, seen)
            if entry == LIMIT:
                for _ in range(first, row):
                    reject(rows, _SERIES_LIMIT, start, newline)
                row = first
                continue
            trust = learn(names, previous, entry, trust, hit)
            previous = entry
            for k in range(first, row):
                rows.ids[k] = entry
                rows.timestamp[k] = now_ms
        buffer[stop] = kept
        if state == DONE:
            progress[SPAN] = span + 1
            progress[POSITION] = -1
        else:
            progress[POSITION] = i
    progress[ROWS], progress[SEEN] = row, seen
    progress[PREVIOUS], progress[TRUST] = previous, trust
    return state
