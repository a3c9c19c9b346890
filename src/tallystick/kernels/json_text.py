"""JSON for kernels (RFC 8259): strings, numbers, literals, and values that nobody asked for.

Kernels that read one know what they expect and in which members; everything else goes by `value_end`, which looks at
each byte once and keeps a bit for each bracket that is open. Every reader is told where the text stops. The byte there
must be none that a number can hold: whoever begins to read a text sets it to zero, and puts it back (`PADDING`).

Readers return the position behind what they read, or `BROKEN`. Where the text is UTF-8 is found out once, for all of it
(`is_utf8`).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.numbers import NOT_A_NUMBER, read_number
from tallystick.kernels.packed import padded
from tallystick.kernels.words import same_bytes, trailing_zeros, utf8_valid

BROKEN = -1
"""The position that a reader returns where the text is not as JSON has it."""
DEPTH_MAX = 64
"""Objects and lists in each other that `value_end` can know of."""

QUOTE, BACKSLASH, COMMA, COLON = 0x22, 0x5C, 0x2C, 0x3A
OPEN, CLOSE, OPEN_LIST, CLOSE_LIST = 0x7B, 0x7D, 0x5B, 0x5D
_SPACE, _NEWLINE, _RETURN, _TAB = 0x20, 0x0A, 0x0D, 0x09
_MINUS, _POINT, _ZERO, _NINE, _SLASH = 0x2D, 0x2E, 0x30, 0x39, 0x2F
_LETTER_B, _LETTER_F, _LETTER_N, _LETTER_R, _LETTER_T, _LETTER_U = 0x62, 0x66, 0x6E, 0x72, 0x74, 0x75

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES, _BACKSLASHES, _SPACES = np.uint64(0x22) * _ONES, np.uint64(0x5C) * _ONES, np.uint64(0x20) * _ONES
_HALVES, _THREES, _SIXES = np.uint64(0xF0) * _ONES, np.uint64(0x30) * _ONES, np.uint64(0x06) * _ONES
_FOUR_BYTES, _FIVE_BYTES = np.uint64(0xFFFFFFFF), np.uint64(0xFFFFFFFFFF)


def word_of(text: bytes) -> np.uint64:
    """Up to eight bytes as `load_u64` gives them."""
    return np.uint64(int.from_bytes(text, "little"))


_TRUE, _FALSE, _NULL = word_of(b"true"), word_of(b"false"), word_of(b"null")


@inlined
def skip_blanks(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position of the first byte that is no white space, or `stop`."""
    while i < stop and buffer[i] <= _SPACE and buffer[i] in (_SPACE, _NEWLINE, _RETURN, _TAB):
        i += 1
    return i


@inlined
def plain_string_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position of the quote that ends a string whose text begins at `i`; `BROKEN` also if it holds a backslash."""
    while i < stop:
        word = load_u64(buffer, i)
        quotes, backslashes = word ^ _QUOTES, word ^ _BACKSLASHES
        marks = (quotes - _ONES) & ~quotes | (backslashes - _ONES) & ~backslashes | (word - _SPACES) & ~word
        marks &= _HIGH
        if marks:  # the lowest is true; borrows can only mark bytes above it
            i += trailing_zeros(marks) >> 3
            return i if i < stop and buffer[i] == QUOTE else BROKEN
        i += 8
    return BROKEN


@inlined
def _hexadecimal(buffer: np.ndarray, i: int, stop: int) -> int:
    """The number that four hexadecimal digits at `i` are; -1 if they are none."""
    if i + 4 > stop:
        return -1
    value = 0
    for k in range(4):
        byte = np.int64(buffer[i + k])
        lower = byte | 0x20
        if _ZERO <= byte <= _NINE:
            digit = byte - _ZERO
        elif 0x61 <= lower <= 0x66:
            digit = lower - 0x61 + 10
        else:
            return -1
        value = value * 16 + digit
    return value


@scanner
def string_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position of the quote that ends a string whose text begins at `i`."""
    end = plain_string_end(buffer, i, stop)
    if end >= 0:
        return end
    while i < stop:
        byte = buffer[i]
        if byte == QUOTE:
            return i
        if byte < _SPACE:
            return BROKEN
        i += 1
        if byte == BACKSLASH:
            if i >= stop:
                return BROKEN
            kind = buffer[i]
            i += 1
            if kind == _LETTER_U:
                if _hexadecimal(buffer, i, stop) < 0:
                    return BROKEN
                i += 4
            elif _unescaped(kind) == 0:
                return BROKEN
    return BROKEN


@inlined
def _unescaped(kind: int) -> int:
    """The character that a backslash and a letter are; 0 if they are none."""
    if kind in (QUOTE, BACKSLASH, _SLASH):
        return np.int64(kind)
    if kind == _LETTER_B:
        return 0x08
    if kind == _LETTER_F:
        return 0x0C
    if kind == _LETTER_N:
        return 0x0A
    if kind == _LETTER_R:
        return 0x0D
    return 0x09 if kind == _LETTER_T else 0


@inlined
def _write_utf8(code: int, out: NDArray[np.uint8], length: int) -> int:
    """Append a character; returns the length."""
    if code < 0x80:
        out[length] = code
        return length + 1
    size = 2 if code < 0x800 else 3 if code < 0x10000 else 4
    for k in range(size - 1, 0, -1):
        out[length + k] = 0x80 | code & 0x3F
        code >>= 6
    out[length] = 0xF00 >> size & 0xFF | code
    return length + size


@scanner
def write_string(buffer: np.ndarray, start: int, stop: int, out: NDArray[np.uint8], length: int) -> int:
    """Append the text of a string that `string_end` found, in UTF-8, which is never longer.

    Returns
    -------
    int
        The length of all, or `BROKEN` if half a pair of surrogates is in it.
    """
    i = start
    while i < stop:
        byte = buffer[i]
        i += 1
        if byte != BACKSLASH:
            out[length] = byte
            length += 1
            continue
        kind = buffer[i]
        i += 1
        if kind != _LETTER_U:
            out[length] = _unescaped(kind)
            length += 1
            continue
        code = _hexadecimal(buffer, i, stop)
        i += 4
        if 0xD800 <= code <= 0xDFFF:
            low = -1
            if i + 6 <= stop and buffer[i] == BACKSLASH and buffer[i + 1] == _LETTER_U:
                low = _hexadecimal(buffer, i + 2, stop)
            if code >= 0xDC00 or not 0xDC00 <= low <= 0xDFFF:
                return BROKEN
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            i += 6
        length = _write_utf8(code, out, length)
    return length


@inlined
def is_utf8(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a whole text is UTF-8; eight bytes at a time as far as it is ASCII."""
    while start + 8 <= stop and load_u64(buffer, start) & _HIGH == np.uint64(0):
        start += 8
    return utf8_valid(buffer, start, stop)


@inlined
def are_digits(word: int) -> bool:
    """Whether all eight bytes are decimal digits."""
    return word & _HALVES == _THREES and word + _SIXES & _HALVES == _THREES


@inlined
def digits_of(word: int) -> int:
    """The number that eight digits are: pairs of them are joined, three times."""
    word = (word & np.uint64(0x0F) * _ONES) * np.uint64(10 * 256 + 1) >> np.uint64(8)
    word = (word & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(100 * 65536 + 1) >> np.uint64(16)
    return (word & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(10_000 * (1 << 32) + 1) >> np.uint64(32)


@inlined
def read_json_number(buffer: np.ndarray, i: int, stop: int) -> tuple[float, int, int]:
    """As `read_number`, of what JSON has for a number; `NOT_A_NUMBER` for everything else."""
    first = i + 1 if i < stop and buffer[i] == _MINUS else i
    if first >= stop or not _ZERO <= buffer[first] <= _NINE:
        return 0.0, i, NOT_A_NUMBER
    value, end, status = read_number(buffer, i)
    if status == NOT_A_NUMBER or end > stop:
        return 0.0, i, NOT_A_NUMBER
    if buffer[first] == _ZERO and first + 1 < end and _ZERO <= buffer[first + 1] <= _NINE:
        return 0.0, i, NOT_A_NUMBER
    for k in range(first, end):
        if buffer[k] == _POINT:
            if k + 1 < end and _ZERO <= buffer[k + 1] <= _NINE:
                break
            return 0.0, i, NOT_A_NUMBER
    return value, end, status


@inlined
def is_null(buffer: np.ndarray, i: int, stop: int) -> bool:
    """Whether ``null`` stands at `i`."""
    return i + 4 <= stop and load_u64(buffer, i) & _FOUR_BYTES == _NULL


@inlined
def read_bool(buffer: np.ndarray, i: int, stop: int) -> tuple[bool, int]:
    """``true`` or ``false``."""
    word = load_u64(buffer, i)
    if i + 4 <= stop and word & _FOUR_BYTES == _TRUE:
        return True, i + 4
    if i + 5 <= stop and word & _FIVE_BYTES == _FALSE:
        return False, i + 5
    return False, BROKEN


@scanner
def scalar_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position behind a string, a number or a literal at `i`."""
    if i >= stop:
        return BROKEN
    if buffer[i] == QUOTE:
        end = string_end(buffer, i + 1, stop)
        return end + 1 if end >= 0 else BROKEN
    if is_null(buffer, i, stop):
        return i + 4
    _, end = read_bool(buffer, i, stop)
    if end >= 0:
        return end
    _, end, status = read_json_number(buffer, i, stop)
    return end if status != NOT_A_NUMBER else BROKEN


@scanner
def key_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position of the value of the member whose key begins at `i`."""
    if i >= stop or buffer[i] != QUOTE:
        return BROKEN
    i = string_end(buffer, i + 1, stop)
    return after_colon(buffer, i + 1, stop) if i >= 0 else BROKEN


@inlined
def after_colon(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position of the value of the member whose key ends before `i`."""
    i = skip_blanks(buffer, i, stop)
    if i >= stop or buffer[i] != COLON:
        return BROKEN
    i = skip_blanks(buffer, i + 1, stop)
    return i if i < stop else BROKEN


class Keys(NamedTuple):
    """Keys of members that are known, each with the quote that ends it.

    Parameters
    ----------
    word, mask : uint64[n]
        The first eight bytes of each, and which of their bits count.
    start, size : int64[n]
        Where in `text` each is, and its bytes.
    text : uint8[m]
    """

    word: NDArray[np.uint64]
    mask: NDArray[np.uint64]
    start: NDArray[np.int64]
    size: NDArray[np.int64]
    text: NDArray[np.uint8]


def keys_of(keys: Sequence[str]) -> Keys:
    """Keys for `find_member`; those that come most often are best first."""
    quoted = [key.encode() + b'"' for key in keys]
    bounds = np.cumsum([0, *map(len, quoted)])
    masks = [np.uint64((1 << 8 * min(len(key), 8)) - 1) for key in quoted]
    words = np.array([word_of(key[:8]) for key in quoted])
    return Keys(words, np.array(masks), bounds[:-1], np.diff(bounds), padded(b"".join(quoted)))


@inlined
def _find_key(buffer: np.ndarray, i: int, keys: Keys, first: int, last: int) -> int:
    """Which key, from `first` to before `last`, begins at `i` with a quote behind it; -1 if none does."""
    word = load_u64(buffer, i)
    for k in range(first, last):
        if word & keys.mask[k] == keys.word[k]:
            size = keys.size[k]
            if size <= 8 or same_bytes(buffer, i + 8, keys.text, keys.start[k] + 8, size - 8):
                return k
    return -1


@inlined
def find_member(
    buffer: np.ndarray,
    i: int,
    stop: int,
    keys: Keys,
    first: int,
    last: int,
    scratch: NDArray[np.uint8],
    length: int,
) -> tuple[int, int]:
    """The member whose key begins at `i`, and the position of its value.

    Parameters
    ----------
    first, last
        Of the keys those from `first` to before `last` are looked for.
    scratch
        Has room for the key and eight bytes more behind its first `length` bytes.

    Returns
    -------
    member, position
        -1 for a member that is not known, and `BROKEN` for what is none.
    """
    if buffer[i] != QUOTE:
        return -1, BROKEN
    member = _find_key(buffer, i + 1, keys, first, last)
    if member >= 0:
        return member, after_colon(buffer, i + 1 + keys.size[member], stop)
    end = string_end(buffer, i + 1, stop)
    if end < 0:
        return -1, BROKEN
    written = write_string(buffer, i + 1, end, scratch, length)
    if written < 0:
        return -1, BROKEN
    if written - length < end - i - 1:  # what it is, without its backslashes
        scratch[written] = QUOTE
        member = _find_key(scratch, length, keys, first, last)
    return member, after_colon(buffer, end + 1, stop)


@scanner
def value_end(buffer: np.ndarray, i: int, stop: int, depth_max: int) -> int:
    """Position behind a value of any kind at `i`, with up to `depth_max` brackets in each other (or `DEPTH_MAX`)."""
    objects = np.uint64(0)  # a bit for each open bracket, that of the innermost the lowest
    depth = 0
    while True:
        if i >= stop:
            return BROKEN
        byte = buffer[i]
        if byte in (OPEN, OPEN_LIST):
            if depth >= depth_max:
                return BROKEN
            i = skip_blanks(buffer, i + 1, stop)
            if i >= stop:
                return BROKEN
            if buffer[i] != byte + 2:  # which closes it
                depth += 1
                objects = objects << np.uint64(1) | np.uint64(byte == OPEN)
                if byte == OPEN:
                    i = key_end(buffer, i, stop)
                    if i < 0:
                        return BROKEN
                continue
            i += 1
        else:
            i = scalar_end(buffer, i, stop)
            if i < 0:
                return BROKEN
        while depth > 0:
            i = skip_blanks(buffer, i, stop)
            if i >= stop:
                return BROKEN
            is_object = objects & np.uint64(1) != np.uint64(0)
            if buffer[i] == COMMA:
                i = skip_blanks(buffer, i + 1, stop)
                if is_object:
                    i = key_end(buffer, i, stop)
                    if i < 0:
                        return BROKEN
                break
            if buffer[i] != (CLOSE if is_object else CLOSE_LIST):
                return BROKEN
            depth -= 1
            objects >>= np.uint64(1)
            i += 1
        if depth == 0:
            return i
