"""What stands behind a key of StatsD: types, sample rates, times, and numbers as JavaScript reads them."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.numbers import EXACT, NOT_A_NUMBER, read_number
from tallystick.kernels.statsd_names import until
from tallystick.model.kind import Kind

RATE_MIN = 1e-6
"""A smaller sample rate is rejected: one sample would stand for more than a million."""
UNKNOWN = 255
"""No kind: a type that there is not."""

_COUNTER, _GAUGE, _TIMING, _SET = int(Kind.COUNTER), int(Kind.GAUGE), int(Kind.TIMING), int(Kind.SET)
_COLON, _BAR, _HASH, _AT, _TIME, _MINUS, _POINT = 0x3A, 0x7C, 0x23, 0x40, 0x54, 0x2D, 0x2E
_AGGREGATE = np.frombuffer(b"aggregate", np.uint8).copy()
_SECONDS_DIGITS_MAX = 11


@inlined
def type_of(buffer: np.ndarray, start: int, stop: int, lenient: bool) -> tuple[int, bool]:
    """The kind that a type's letters mean, and whether its values may be below zero."""
    if lenient:
        start, stop = trimmed(buffer, start, stop)
    size = stop - start
    kind = _COUNTER if lenient else UNKNOWN
    if size == 2 and buffer[start] == 0x6D and buffer[start + 1] == 0x73:
        return _TIMING, False
    if size == len(_AGGREGATE):
        same = True
        for i in range(size):
            same &= buffer[start + i] == _AGGREGATE[i]
        return (_TIMING, False) if same else (kind, True)
    if size != 1:
        return kind, True
    letter = buffer[start]
    if letter in (0x63, 0x6D):
        kind = _COUNTER
    elif letter == 0x67:
        kind = _GAUGE
    elif letter == 0x73:
        kind = _SET
    elif letter in (0x68, 0x64):
        kind = _TIMING
    return kind, True


@inlined
def trimmed(buffer: np.ndarray, start: int, stop: int) -> tuple[int, int]:
    """The bounds without white space at either end."""
    while start < stop and (buffer[start] == 0x20 or 0x09 <= buffer[start] <= 0x0D):
        start += 1
    while start < stop and (buffer[stop - 1] == 0x20 or 0x09 <= buffer[stop - 1] <= 0x0D):
        stop -= 1
    return start, stop


@scanner
def read_seconds(buffer: np.ndarray, start: int, stop: int) -> int:
    """Epoch seconds, at least 1; 0 where the bytes are no such number."""
    if not 0 < stop - start <= _SECONDS_DIGITS_MAX:
        return 0
    seconds = 0
    for i in range(start, stop):
        if not 0x30 <= buffer[i] <= 0x39:
            return 0
        seconds = seconds * 10 + np.int64(buffer[i] - 0x30)
    return seconds


@scanner
def read_lenient(buffer: np.ndarray, start: int, stop: int) -> tuple[float, int]:
    """A number as JavaScript's ``Number`` reads it, and how that went: also ``0x10``, ``0o17``, ``0b11`` and blanks
    around it. Digits beyond 52 bits of the first three are refused, and so is nothing at all."""
    start, stop = trimmed(buffer, start, stop)
    if start == stop:
        return 0.0, NOT_A_NUMBER
    if stop - start > 2 and buffer[start] == 0x30:
        letter = buffer[start + 1] | 0x20
        bits = 4 if letter == 0x78 else 3 if letter == 0x6F else 1 if letter == 0x62 else 0
        if bits:
            return _read_bits(buffer, start + 2, stop, bits)
    value, end, status = read_number(buffer, start)
    return value, status if end == stop else NOT_A_NUMBER


@inlined
def _read_bits(buffer: np.ndarray, start: int, stop: int, bits: int) -> tuple[float, int]:
    value = 0
    if (stop - start) * bits > 52:
        return 0.0, NOT_A_NUMBER
    for i in range(start, stop):
        byte = np.int64(buffer[i])
        digit = byte - 0x30 if byte <= 0x39 else (byte | 0x20) - 0x61 + 10
        if byte < 0x30 or 0x39 < byte < 0x41 or digit >= 1 << bits:
            return 0.0, NOT_A_NUMBER
        value = (value << bits) | digit
    return np.float64(value), EXACT


@scanner
def _lenient_rate(buffer: np.ndarray, start: int, stop: int) -> float:
    """What StatsD makes of a rate: the digits and points that a number begins with; 0 if it is no number."""
    if start == stop or not (0x30 <= buffer[start] <= 0x39 or buffer[start] == _POINT):
        return 0.0
    status = read_lenient(buffer, start, stop)[1]
    if status == NOT_A_NUMBER:
        return 0.0
    end = start
    while end < stop and (0x30 <= buffer[end] <= 0x39 or buffer[end] == _POINT):
        end += 1
    kept = buffer[end]
    buffer[end] = 0
    rate, _, status = read_number(buffer, start)
    buffer[end] = kept
    return rate if status == EXACT and rate <= 1.0 / RATE_MIN else 0.0


@inlined
def read_fields(buffer: np.ndarray, i: int, stop: int, lenient: bool) -> tuple[int, float, int, int]:
    """Read what follows a type: where the next bit's colon is (or `stop`), the sample rate, the seconds of its time
    (or 0), and any fault.

    Fields that begin with another letter are DogStatsD's extensions and are passed over; tags are read elsewhere.
    """
    rate = 1.0
    seconds = 0
    fault = reasons.NONE
    first = True
    while i < stop and buffer[i] == _BAR:
        field = i + 1
        ignored = lenient and not first
        first = False
        letter = np.int64(buffer[field]) | 0x20
        if field < stop and (buffer[field] == _HASH or 0x61 <= letter <= 0x7A):
            i = until(buffer, field, stop, _BAR, _BAR)
            if buffer[field] == _TIME:
                seconds = read_seconds(buffer, field + 1, i)
                if seconds == 0 and fault == reasons.NONE:
                    fault = reasons.TIMESTAMP
            continue
        i = until(buffer, field, stop, _BAR, _COLON)
        if i == field or buffer[field] != _AT:
            if fault == reasons.NONE and not ignored:
                fault = reasons.FIELDS
            continue
        if lenient:
            given = _lenient_rate(buffer, field + 1, i)
        else:
            given, end, status = read_number(buffer, field + 1)
            given = given if status == EXACT and end == i and given <= 1.0 else 0.0
        if given >= RATE_MIN:
            rate = given
        elif fault == reasons.NONE:
            fault = reasons.RATE
    return i, rate, seconds, fault
