"""OTLP's attributes as tags of a name: ``;key=value``, values of every sort as text.

Grammar: https://github.com/open-telemetry/opentelemetry-proto, ``common/v1/common.proto``.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.protobuf import (
    BAD,
    BYTES,
    FIXED64,
    VARINT,
    read_bounds,
    read_fixed64,
    read_key,
    read_varint,
    skip_field,
)
from tallystick.kernels.stores import copy_fitting
from tallystick.model.name import NAME_BYTES_MAX

_TEXT, _BOOL, _INT, _DOUBLE, _ARRAY = 1, 2, 3, 4, 5  # fields of AnyValue; others no tag can hold
_UNDERSCORE, _SEMICOLON, _EQUALS, _TILDE, _COMMA, _MINUS, _POINT = 0x5F, 0x3B, 0x3D, 0x7E, 0x2C, 0x2D, 0x2E
_ZERO, _EXPONENT, _PLUS = 0x30, 0x65, 0x2B
_UNFIT = bytes(range(0x21)) + b"\x7f;"
_FIT = np.frombuffer(bytes.maketrans(_UNFIT, b"_" * len(_UNFIT)), np.uint8)
"""What becomes of each byte in a name, except in keys."""
_FIT_KEY = np.frombuffer(bytes.maketrans(_UNFIT + b"=!^", b"_" * (len(_UNFIT) + 3)), np.uint8)
_TEXT_FIELD, _VALUE_FIELD = 1 << 3 | BYTES, 2 << 3 | BYTES
_WORDS = np.frombuffer(b"falsetrueNaNinf", np.uint8)
_NAME, _EXPORTED = np.frombuffer(b"name", np.uint8), np.frombuffer(b"exported_", np.uint8)
_DIGITS_EXACT = 2.0**53
_DECIMALS_MAX = 15
_PLAIN_BELOW, _PLAIN_FROM = 1e15, 1e-5
_TENS = np.array([10.0**i for i in range(23)])


# The readers that are called everywhere, without a copy of them in each place: that is half of the time of compilation.


@scanner
def _next_field_of_any(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int, int]:
    """As `read_key`."""
    return read_key(buffer, at, stop)


@inlined
def next_field(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int, int]:
    """As `read_key`; quickly for fields below 16, as all of OTLP's are."""
    if at < stop and 8 <= buffer[at] < 0x80 and buffer[at] & 7 in (VARINT, FIXED64, BYTES):
        return np.int64(buffer[at] >> 3), np.int64(buffer[at] & 7), at + 1
    return _next_field_of_any(buffer, at, stop)


@scanner
def pass_over(buffer: np.ndarray, wire: int, at: int, stop: int) -> int:
    """As `skip_field`."""
    return skip_field(buffer, wire, at, stop)


@inlined
def append_clean(buffer: np.ndarray, start: int, stop: int, out: NDArray[np.uint8], length: int, is_key: bool) -> int:
    """Append bytes to a name; what it cannot hold there becomes an underscore.

    Returns
    -------
    int
        The length, more than `NAME_BYTES_MAX` if it is too long.
    """
    if stop > start and length + stop - start > NAME_BYTES_MAX:
        return NAME_BYTES_MAX + 1
    fit = _FIT_KEY if is_key else _FIT
    copied = copy_fitting(buffer, start, stop, out, length, is_key, False)
    length += copied
    for i in range(start + copied, stop):
        out[length] = fit[buffer[i]]
        length += 1
    return length


@inlined
def _append_word(out: NDArray[np.uint8], length: int, begin: int, end: int) -> int:
    for k in range(begin, end):
        out[length] = _WORDS[k]
        length += 1
    return length


@inlined
def _append_digits(out: NDArray[np.uint8], length: int, value: int, digits_min: int) -> int:
    """Append a uint64 in decimal, with zeros before it if it has fewer digits."""
    digits = 1
    rest = value // np.uint64(10)
    while rest > np.uint64(0):
        digits += 1
        rest //= np.uint64(10)
    digits = max(digits, digits_min)
    for k in range(digits):
        out[length + digits - 1 - k] = np.uint8(_ZERO + np.int64(value % np.uint64(10)))
        value //= np.uint64(10)
    return length + digits


@inlined
def _append_whole(out: NDArray[np.uint8], length: int, value: int) -> int:
    """Append a signed number whose bits are a uint64."""
    if value >> np.uint64(63):
        out[length] = _MINUS
        return _append_digits(out, length + 1, ~value + np.uint64(1), 1)
    return _append_digits(out, length, value, 1)


@scanner
def append_number(out: NDArray[np.uint8], length: int, value: float) -> int:
    """Append a float in decimal: the shortest of up to fifteen digits that reads as the same, else its first ones.

    Numbers from 1e-5 to 1e15 are written without an exponent. At most 25 bytes.
    """
    if np.isnan(value):
        return _append_word(out, length, 9, 12)
    if value < 0.0 or (value == 0.0 and np.signbit(value)):
        out[length] = _MINUS
        length += 1
        value = -value
    if np.isinf(value):
        return _append_word(out, length, 12, 15)
    exponent = 0
    if value != 0.0 and not _PLAIN_FROM <= value < _PLAIN_BELOW:
        exponent = np.int64(np.floor(np.log10(value)))
        shift = -exponent  # in two steps: 10**323 is no float
        value = value * 10.0 ** np.float64(shift // 2) * 10.0 ** np.float64(shift - shift // 2)
    decimals = 0
    digits = np.rint(value)
    while decimals < _DECIMALS_MAX and digits / _TENS[decimals] != value:
        more = np.rint(value * _TENS[decimals + 1])
        if more >= _DIGITS_EXACT:
            break
        digits = more
        decimals += 1
    whole = np.uint64(digits)
    while decimals > 0 and whole % np.uint64(10) == np.uint64(0):
        whole //= np.uint64(10)
        decimals -= 1
    scale = np.uint64(1)
    for _ in range(decimals):
        scale *= np.uint64(10)
    length = _append_digits(out, length, whole // scale, 1)
    if decimals > 0:
        out[length] = _POINT
        length = _append_digits(out, length + 1, whole % scale, decimals)
    if exponent != 0:
        out[length] = _EXPONENT
        out[length + 1] = _MINUS if exponent < 0 else _PLUS
        length = _append_digits(out, length + 2, np.uint64(abs(exponent)), 2)
    return length


@scanner
def _find_value(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int, int, int]:
    """Which field of an AnyValue is set, the bounds of its bytes or its bits, and the position behind, or `BAD`."""
    sort, first, second = 0, np.uint64(0), np.int64(0)
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return 0, np.uint64(0), 0, BAD
        if number in (_TEXT, _ARRAY, 6, 7) and wire == BYTES:
            begin, at = read_bounds(buffer, at, stop)
            sort, first, second = number, np.uint64(max(begin, 0)), at
        elif number in (_BOOL, _INT) and wire == VARINT:
            first, at = read_varint(buffer, at, stop)
            sort = number
        elif number == _DOUBLE and wire == FIXED64:
            first, at = read_fixed64(buffer, at, stop)
            sort = number
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return 0, np.uint64(0), 0, BAD
    return sort, first, second, at


@inlined
def _append_scalar(buffer: np.ndarray, sort: int, first: int, second: int, out: NDArray[np.uint8], length: int) -> int:
    """Append a value that is no array; `out` has room for the longest number behind the longest name."""
    if sort == _TEXT:
        return append_clean(buffer, np.int64(first), second, out, length, False)
    if sort == _BOOL:
        return _append_word(out, length, 5, 9) if first != np.uint64(0) else _append_word(out, length, 0, 5)
    if sort == _INT:
        return _append_whole(out, length, first)
    return append_number(out, length, np.uint64(first).view(np.float64))


@scanner
def _append_value(buffer: np.ndarray, at: int, stop: int, out: NDArray[np.uint8], length: int) -> tuple[int, int, int]:
    """Append an AnyValue; gives the length, any fault, and `BAD` where it is none."""
    sort, first, second, end = _find_value(buffer, at, stop)
    if end < 0:
        return length, reasons.NONE, BAD
    if sort == 0:
        return length, reasons.NONE, end
    if sort < _ARRAY:
        return _append_scalar(buffer, sort, first, second, out, length), reasons.NONE, end
    if sort > _ARRAY:
        return length, reasons.TAG, end
    fault = reasons.NONE
    item, array_stop = np.int64(first), second
    begin = length
    while item < array_stop:
        number, wire, item = next_field(buffer, item, array_stop)
        if item < 0:
            return length, reasons.NONE, BAD
        if number != 1 or wire != BYTES:
            item = pass_over(buffer, wire, item, array_stop)
            if item < 0:
                return length, reasons.NONE, BAD
            continue
        inner, item = read_bounds(buffer, item, array_stop)
        if item < 0:
            return length, reasons.NONE, BAD
        sort, first, second, inside = _find_value(buffer, inner, item)
        if inside < 0:
            return length, reasons.NONE, BAD
        if sort >= _ARRAY:
            fault = reasons.TAG
        elif length > NAME_BYTES_MAX:
            is_empty = sort == 0 or (sort == _TEXT and np.int64(first) == second)
            length = length if is_empty else NAME_BYTES_MAX + 1
        elif fault == reasons.NONE:
            if length > begin:
                out[length] = _COMMA
                length += 1
            if sort > 0:
                length = _append_scalar(buffer, sort, first, second, out, length)
    return length, fault, end


@inlined
def _is_wanted(buffer: np.ndarray, start: int, stop: int, wanted: np.ndarray, bounds: np.ndarray) -> bool:
    """Whether a key is one of those that are wanted; all are where none is named."""
    if len(bounds) == 1:
        return True
    for k in range(len(bounds) - 1):
        if bounds[k + 1] - bounds[k] == stop - start:
            same = True
            for i in range(stop - start):
                same &= buffer[start + i] == wanted[bounds[k] + i]
            if same:
                return True
    return False


@inlined
def _is_name(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a key is ``name``, by which Graphite knows the metric: as a tag it is ``exported_name``."""
    if stop - start != len(_NAME):
        return False
    same = True
    for k in range(len(_NAME)):
        same &= buffer[start + k] == _NAME[k]
    return same


@scanner
def append_attribute(
    buffer: np.ndarray,
    at: int,
    stop: int,
    out: NDArray[np.uint8],
    length: int,
    wanted: np.ndarray,
    bounds: np.ndarray,
) -> tuple[int, int, int]:
    """Append a KeyValue as ``;key=value``, unless its key or its value is empty.

    Parameters
    ----------
    out : uint8[NAME_SCRATCH_BYTES]
    length
        Of what is in it already.
    wanted : uint8[m]
    bounds : int64[k + 1]
        Keys that are appended, ``wanted[bounds[k]:bounds[k + 1]]``; all keys if there are none.

    Returns
    -------
    length, fault, end
        The new length, `Reason.NONE` or why it cannot be a tag, and `BAD` if the bytes are no KeyValue.
    """
    key, key_stop, value, value_stop = 0, 0, 0, 0
    while at < stop:
        number, wire, at = next_field(buffer, at, stop)
        if at < 0:
            return length, reasons.NONE, BAD
        if number in (1, 2) and wire == BYTES:
            begin, at = read_bounds(buffer, at, stop)
            if number == 1:
                key, key_stop = begin, at
            else:
                value, value_stop = begin, at
        else:
            at = pass_over(buffer, wire, at, stop)
        if at < 0:
            return length, reasons.NONE, BAD
    before = length
    is_long = length > NAME_BYTES_MAX
    if not is_long:
        out[length] = _SEMICOLON
        length += 1
        if _is_name(buffer, key, key_stop) and length + len(_EXPORTED) <= NAME_BYTES_MAX:
            for k in range(len(_EXPORTED)):
                out[length + k] = _EXPORTED[k]
            length += len(_EXPORTED)
        length = append_clean(buffer, key, key_stop, out, length, True)
        is_long = length > NAME_BYTES_MAX
    # Behind a key that is too long the value is looked at as well: it may be no AnyValue, or empty.
    begin = NAME_BYTES_MAX + 2 if is_long else length + 1
    if not is_long:
        out[length] = _EQUALS
    end, fault, at = _append_value(buffer, value, value_stop, out, begin)
    if at < 0:
        return before, reasons.NONE, BAD
    is_empty = fault == reasons.NONE and end == begin
    if key == key_stop or is_empty or not _is_wanted(buffer, key, key_stop, wanted, bounds):
        return before, reasons.NONE, at
    if fault != reasons.NONE:
        return before, fault, at
    if is_long or end > NAME_BYTES_MAX:
        return before, reasons.NAME_LONG, at
    if out[begin] == _TILDE:
        out[begin] = _UNDERSCORE
    return end, reasons.NONE, at


@inlined
def append_text(buffer: np.ndarray, at: int, stop: int, out: NDArray[np.uint8], length: int) -> int:
    """As `append_attribute`, of a key and a value as nearly all are: both short, both text, and neither empty.

    Returns
    -------
    int
        The new length, or `BAD` for any other attribute, of which nothing is written.
    """
    if stop - at < 8 or buffer[at] != _TEXT_FIELD:
        return BAD
    key, key_stop = at + 2, at + 2 + np.int64(buffer[at + 1])
    text = key_stop + 4
    size = stop - text
    if key == key_stop or size <= 0 or buffer[at + 1] >= 0x80 or size >= 0x7E:
        return BAD
    if buffer[key_stop] != _VALUE_FIELD or buffer[key_stop + 1] != size + 2:
        return BAD
    if buffer[key_stop + 2] != _TEXT_FIELD or buffer[key_stop + 3] != size:
        return BAD
    if length + 2 + key_stop - key + size > NAME_BYTES_MAX or _is_name(buffer, key, key_stop):
        return BAD
    out[length] = _SEMICOLON
    length = append_clean(buffer, key, key_stop, out, length + 1, True)
    out[length] = _EQUALS
    begin = length + 1
    length = append_clean(buffer, text, stop, out, begin, False)
    if out[begin] == _TILDE:
        out[begin] = _UNDERSCORE
    return length
