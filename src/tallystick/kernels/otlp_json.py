"""OTLP's metrics as JSON to the same in Protocol Buffers; the rules are in `tallystick.parse.otlp_json`.

One loop reads members and elements, one bracket a level, and writes each as the field that `otlp_schema` says. The
length of a message is known when its bracket closes: some bytes are left for it, and filled up with a longer form of
the same number; a message that is too long for them is moved, which happens to none of usual size.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.json_text import (
    BROKEN,
    CLOSE,
    CLOSE_LIST,
    COMMA,
    DEPTH_MAX,
    OPEN,
    OPEN_LIST,
    QUOTE,
    are_digits,
    digits_of,
    find_member,
    is_null,
    is_utf8,
    plain_string_end,
    read_bool,
    read_json_number,
    skip_blanks,
    string_end,
    value_end,
    write_string,
)
from tallystick.kernels.numbers import EXACT, HARD, NOT_A_NUMBER
from tallystick.kernels.otlp_schema import (
    BOOL,
    CHILD,
    DOUBLE,
    FIXED,
    FORM,
    IS_LIST,
    KEYS,
    MEMBERS,
    MESSAGE,
    REQUEST,
    RESERVED,
    SIGNED_FIXED,
    TAG,
    TEMPORALITY,
    TEMPORALITY_NAMES,
    TEXT,
    WHOLE_MAX,
    WHOLE_MIN,
    ZIGZAG_32,
)
from tallystick.kernels.stores import copy_words, store_u64

OUT_BYTES_EACH, OUT_BYTES_MORE = 4, 64
"""So many bytes a byte of JSON, and so many beside them, are always enough: ``0,`` can become a double."""
HARD_BYTES_MIN = 7
"""The fewest bytes of a number that is left to Python, as ``1e-308,``."""

_MINUS, _POINT, _ZERO, _NINE = 0x2D, 0x2E, 0x30, 0x39
_TEN, _LAST_TENTH = np.uint64(10), np.uint64((1 << 64) // 10)
_NAN, _INFINITY, _MINUS_INFINITY = (np.frombuffer(word, np.uint8) for word in (b"NaN", b"Infinity", b"-Infinity"))
_TEMPORALITIES = tuple(np.frombuffer(name, np.uint8) for name in TEMPORALITY_NAMES)
_ESCAPED_RESERVED, _LIST_RESERVED = 2, 2  # bytes for the length of a text with backslashes, and of a list of numbers

# Columns of `Encoding.level`: the message, the member whose list it is or -1, and where its length is or -1.
_MESSAGE, _ELEMENTS, _LENGTH_AT = 0, 1, 2


class Encoding(NamedTuple):
    """Output and scratch memory.

    Parameters
    ----------
    out : uint8[n]
    hard : int64[k, 3]
        Doubles that Python must convert: where they are to be written in `out`, and the bounds of their text.
    hard_rows : int64[1]
        How many of them there are.
    level : int64[DEPTH_MAX, 3]
    """

    out: NDArray[np.uint8]
    hard: NDArray[np.int64]
    hard_rows: NDArray[np.int64]
    level: NDArray[np.int64]


@inlined
def _write_varint(out: NDArray[np.uint8], length: int, value: int) -> int:
    """Append a varint; returns the length."""
    while value >= np.uint64(0x80):
        out[length] = np.uint8(value & np.uint64(0x7F)) | 0x80
        value >>= np.uint64(7)
        length += 1
    out[length] = np.uint8(value)
    return length + 1


@scanner
def _close_moved(out: NDArray[np.uint8], at: int, reserved: int, length: int) -> int:
    """As `_close`, where the length needs more bytes than are left for it."""
    size = length - at - reserved
    needed = reserved + 1
    while size >> (7 * needed):
        needed += 1
    more = needed - reserved
    for k in range(length - 1, at + reserved - 1, -1):
        out[k + more] = out[k]
    for k in range(needed):
        out[at + k] = size >> (7 * k) & 0x7F | (0x80 if k < needed - 1 else 0)
    return length + more


@inlined
def _close(out: NDArray[np.uint8], at: int, reserved: int, length: int) -> int:
    """Write the length of a message that ends at `length` into the bytes left for it at `at`; the length of all."""
    size = length - at - reserved
    if size >> (7 * reserved):
        return _close_moved(out, at, reserved, length)
    for k in range(reserved - 1):
        out[at + k] = size >> (7 * k) & 0x7F | 0x80
    out[at + reserved - 1] = size >> (7 * (reserved - 1))
    return length


@inlined
def _text_bounds(buffer: np.ndarray, i: int, stop: int) -> tuple[int, int, int]:
    """Where the text of a string is whose quote is at `i`, and the position behind it; `BROKEN` if it has backslashes,
    which no number and no word needs."""
    end = plain_string_end(buffer, i + 1, stop)
    return i + 1, end, end + 1 if end >= 0 else BROKEN


@inlined
def _is(buffer: np.ndarray, start: int, stop: int, word: np.ndarray) -> bool:
    """Whether the bytes are a word."""
    same = stop - start == len(word)
    for k in range(len(word)):
        same = same and buffer[start + k] == word[k]
    return same


@inlined
def _read_whole(buffer: np.ndarray, i: int, stop: int, form: int) -> tuple[int, int]:
    """A whole number that its form can hold, as the bits of 64, and the position behind it, or `BROKEN`.

    Also with a fraction of zeros, or an exponent, as far as a double holds that exactly.
    """
    negative = i < stop and buffer[i] == _MINUS
    start = first = i + 1 if negative else i
    size, beyond = np.uint64(0), False
    word = load_u64(buffer, first) if first + 8 <= stop else np.uint64(0)
    while first - start < 16 and are_digits(word):
        size = size * np.uint64(100_000_000) + digits_of(word)
        first += 8
        word = load_u64(buffer, first) if first + 8 <= stop else np.uint64(0)
    while first < stop and _ZERO <= buffer[first] <= _NINE:
        digit = np.uint64(buffer[first] - _ZERO)
        beyond |= size > _LAST_TENTH or (size == _LAST_TENTH and digit > np.uint64(5))
        size = size * _TEN + digit
        first += 1
    if first == start or (buffer[start] == _ZERO and first > start + 1):
        return np.uint64(0), BROKEN
    if first < stop and (buffer[first] == _POINT or buffer[first] | 0x20 == 0x65):
        value, first, status = read_json_number(buffer, i, stop)
        value = abs(value)
        if status != EXACT or not value <= 2.0**53 or value != np.floor(value):
            return np.uint64(0), BROKEN
        size, beyond = np.uint64(value), False
    if beyond or size > (WHOLE_MIN[form] if negative else WHOLE_MAX[form]):
        return np.uint64(0), BROKEN
    return ~size + np.uint64(1) if negative else size, first


@inlined
def _read_double(buffer: np.ndarray, start: int, stop: int, quoted: bool) -> tuple[float, int, int]:
    """A number, in quotes also ``NaN`` or ``Infinity``; as `read_json_number`."""
    value, end, status = read_json_number(buffer, start, stop)
    if status == NOT_A_NUMBER and quoted:
        if _is(buffer, start, stop, _NAN):
            return np.nan, stop, EXACT
        if _is(buffer, start, stop, _INFINITY):
            return np.inf, stop, EXACT
        if _is(buffer, start, stop, _MINUS_INFINITY):
            return -np.inf, stop, EXACT
    return value, end, status


@inlined
def _put_number(
    buffer: np.ndarray, i: int, stop: int, quoted: bool, form: int, encoding: Encoding, length: int
) -> tuple[int, int]:
    """Write a number; the length, and the position behind it, or `BROKEN`."""
    out = encoding.out
    if form == DOUBLE:
        value, end, status = _read_double(buffer, i, stop, quoted)
        if status == NOT_A_NUMBER:
            return length, BROKEN
        if status == HARD:
            row = encoding.hard_rows[0]
            encoding.hard[row, 0] = length
            encoding.hard[row, 1] = i
            encoding.hard[row, 2] = end
            encoding.hard_rows[0] = row + 1
        store_u64(out, length, np.float64(value).view(np.uint64))
        return length + 8, end
    bits, end = _read_whole(buffer, i, stop, form)
    if end < 0:
        return length, BROKEN
    if form in (FIXED, SIGNED_FIXED):
        store_u64(out, length, bits)
        return length + 8, end
    if form == ZIGZAG_32:
        bits = np.uint64(np.int64(bits) << 1 ^ np.int64(bits) >> 63)
    return _write_varint(out, length, bits), end


@inlined
def _put_text(buffer: np.ndarray, i: int, stop: int, out: NDArray[np.uint8], length: int) -> tuple[int, int]:
    """Write the string whose quote is at `i`, and its length before it."""
    end = plain_string_end(buffer, i + 1, stop)
    if end >= 0:
        length = _write_varint(out, length, np.uint64(end - i - 1))
        return copy_words(buffer, i + 1, end, out, length), end + 1
    end = string_end(buffer, i + 1, stop)
    if end < 0:
        return length, BROKEN
    written = write_string(buffer, i + 1, end, out, length + _ESCAPED_RESERVED)
    if written < 0:
        return length, BROKEN
    return _close(out, length, _ESCAPED_RESERVED, written), end + 1


@inlined
def _put_value(buffer: np.ndarray, i: int, stop: int, form: int, encoding: Encoding, length: int) -> tuple[int, int]:
    """Write a value that is no message; the length, and the position behind it, or `BROKEN`."""
    out = encoding.out
    if form == BOOL:
        truth, end = read_bool(buffer, i, stop)
        out[length] = truth
        return length + 1, end
    if buffer[i] != QUOTE:
        return _put_number(buffer, i, stop, False, form, encoding, length) if form != TEXT else (length, BROKEN)
    if form == TEXT:
        return _put_text(buffer, i, stop, out, length)
    start, text_stop, end = _text_bounds(buffer, i, stop)
    if end < 0:
        return length, BROKEN
    if form == TEMPORALITY:
        for k in range(len(_TEMPORALITIES)):
            if _is(buffer, start, text_stop, _TEMPORALITIES[k]):
                out[length] = k
                return length + 1, end
        return length, BROKEN
    length, number_end = _put_number(buffer, start, text_stop, True, form, encoding, length)
    return length, end if number_end == text_stop else BROKEN


@scanner
def _put_numbers(buffer: np.ndarray, i: int, stop: int, form: int, encoding: Encoding, length: int) -> tuple[int, int]:
    """Write a list of numbers that begins behind `i`; the length, and the position behind it, or `BROKEN`."""
    at = length
    length += _LIST_RESERVED
    i = skip_blanks(buffer, i + 1, stop)
    if i < stop and buffer[i] == CLOSE_LIST:
        return _close(encoding.out, at, _LIST_RESERVED, length), i + 1
    while i < stop:
        length, i = _put_value(buffer, i, stop, form, encoding, length)
        if i < 0:
            return length, BROKEN
        i = skip_blanks(buffer, i, stop)
        if i < stop and buffer[i] == CLOSE_LIST:
            return _close(encoding.out, at, _LIST_RESERVED, length), i + 1
        if i >= stop or buffer[i] != COMMA:
            return length, BROKEN
        i = skip_blanks(buffer, i + 1, stop)
    return length, BROKEN


@scanner
def encode_body(buffer: np.ndarray, start: int, stop: int, encoding: Encoding, length: int) -> int:
    """Append a body in Protocol Buffers to the first `length` bytes of the output.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the body.
    start, stop
        Its bounds.
    encoding
        The output has `OUT_BYTES_EACH` bytes for each of the body and `OUT_BYTES_MORE` beside them, ``hard`` a row
        for every `HARD_BYTES_MIN`.

    Returns
    -------
    int
        The length of all, or `BROKEN` if the body is not JSON, or not of the types of the schema.

    Notes
    -----
    Takes time in proportion to the body: a message is moved at most once for each message around it.
    """
    if not is_utf8(buffer, start, stop):
        return BROKEN
    kept = buffer[stop]
    buffer[stop] = 0  # no number goes on behind the end
    length, i = _encode_object(buffer, start, stop, encoding, length)
    is_whole = i >= 0 and skip_blanks(buffer, i, stop) == stop
    buffer[stop] = kept
    return length if is_whole else BROKEN


@inlined
def _encode_object(buffer: np.ndarray, i: int, stop: int, encoding: Encoding, length: int) -> tuple[int, int]:
    """Write the request that an object is; the length, and the position behind it, or `BROKEN`."""
    out, level = encoding.out, encoding.level
    i = skip_blanks(buffer, i, stop)
    if i >= stop or buffer[i] != OPEN:
        return length, BROKEN
    i += 1
    depth, is_fresh = 0, True  # behind a bracket that opens
    level[0, _MESSAGE], level[0, _ELEMENTS], level[0, _LENGTH_AT] = REQUEST, -1, -1
    while True:
        i = skip_blanks(buffer, i, stop)
        if i >= stop:
            return length, BROKEN
        member = level[depth, _ELEMENTS]
        if buffer[i] == (CLOSE if member < 0 else CLOSE_LIST):
            i += 1
            is_fresh = False
            if level[depth, _LENGTH_AT] >= 0:
                length = _close(out, level[depth, _LENGTH_AT], RESERVED[level[depth, _MESSAGE]], length)
            if depth == 0:
                return length, i
            depth -= 1
            continue
        if not is_fresh:
            if buffer[i] != COMMA:
                return length, BROKEN
            i = skip_blanks(buffer, i + 1, stop)
            if i >= stop:
                return length, BROKEN
        is_fresh, is_list = False, False
        if member < 0:
            first, last = MEMBERS[level[depth, _MESSAGE]], MEMBERS[level[depth, _MESSAGE] + 1]
            member, i = find_member(buffer, i, stop, KEYS, first, last, out, length)
            if i < 0:
                return length, BROKEN
            if is_null(buffer, i, stop):
                i += 4
                continue
            if member < 0:
                i = value_end(buffer, i, stop, DEPTH_MAX - 1 - depth)
                if i < 0:
                    return length, BROKEN
                continue
            is_list = IS_LIST[member]
        form = FORM[member]
        if is_list and form == MESSAGE:
            opening, message, elements = OPEN_LIST, 0, member
        else:
            opening, message, elements = OPEN_LIST if is_list else OPEN, CHILD[member], -1
            out[length] = TAG[member]
            length += 1
        if form != MESSAGE and not is_list:
            length, i = _put_value(buffer, i, stop, form, encoding, length)
            if i < 0:
                return length, BROKEN
            continue
        if buffer[i] != opening or depth + 1 == DEPTH_MAX:
            return length, BROKEN
        if form != MESSAGE:
            length, i = _put_numbers(buffer, i, stop, form, encoding, length)
            if i < 0:
                return length, BROKEN
            continue
        i += 1
        depth += 1
        is_fresh = True
        level[depth, _MESSAGE], level[depth, _ELEMENTS] = message, elements
        level[depth, _LENGTH_AT] = length if elements < 0 else -1
        if elements < 0:
            length += RESERVED[message]
