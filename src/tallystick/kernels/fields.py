"""Fields of lines that blanks part: where they begin and end, and what their names and times mean."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined
from tallystick.kernels.numbers import EXACT, read_number
from tallystick.kernels.words import find_unplain, find_unplain_before, utf8_valid
from tallystick.model.name import NAME_BYTES_MAX

TIMESTAMP_MAX_S = 9_000_000_000_000
"""Larger timestamps would not fit the milliseconds; far below it the limit for the future rejects them."""

BAD_TIME = -1
"""What `read_time` gives for what is no time."""

_SPACE, _TAB, _POINT = 0x20, 0x09, 0x2E
_SECONDS_DIGITS_MAX = 12


@inlined
def is_blank(byte: int) -> bool:
    return byte in (_SPACE, _TAB)


@inlined
def skip_blanks(buffer: np.ndarray, i: int) -> int:
    while is_blank(buffer[i]):
        i += 1
    return i


@inlined
def end_of_name(buffer: np.ndarray, start: int) -> int:
    """Position behind the name: of the first byte that no name can hold; bytes above 0x7f are looked at later."""
    i = find_unplain(buffer, start)
    while buffer[i] >= 0x80:
        i = find_unplain(buffer, i + 1)
    return i


@inlined
def name_valid(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a name of bytes above 0x20 is UTF-8; quickly yes for ASCII."""
    for i in range(start, stop):
        if buffer[i] >= 0x80:
            return utf8_valid(buffer, i, stop)
    return True


@inlined
def fault_of_name(buffer: np.ndarray, start: int, stop: int) -> int:
    """Why no series can have the name ``buffer[start:stop]``, of which nothing is known, or `Reason.NONE`."""
    if start == stop:
        return reasons.NAME_EMPTY
    if stop - start > NAME_BYTES_MAX:
        return reasons.NAME_LONG
    i = find_unplain_before(buffer, start, stop)
    while i < stop and buffer[i] >= 0x80:
        i = find_unplain_before(buffer, i + 1, stop)
    return reasons.NONE if i == stop and name_valid(buffer, start, stop) else reasons.NAME_BYTES


@inlined
def read_time(buffer: np.ndarray, start: int, now_ms: int) -> tuple[int, int]:
    """Milliseconds and the position behind the timestamp; `BAD_TIME` where it is none. -1 means now.

    Seconds as a plain decimal are cut to milliseconds exactly; other notations go through a float.
    """
    i = start
    seconds = 0
    while 0x30 <= buffer[i] <= 0x39 and i - start < _SECONDS_DIGITS_MAX:
        seconds = seconds * 10 + np.int64(buffer[i] - 0x30)
        i += 1
    if i > start:
        if buffer[i] <= _SPACE:
            return seconds * 1000, i
        if buffer[i] == _POINT:
            fraction = 0
            unit = 100
            i += 1
            while 0x30 <= buffer[i] <= 0x39:
                fraction += np.int64(buffer[i] - 0x30) * unit
                unit //= 10
                i += 1
            if buffer[i] <= _SPACE:
                return seconds * 1000 + fraction, i
    value, i, status = read_number(buffer, start)
    if status != EXACT:
        return BAD_TIME, i
    if value == -1.0:
        return now_ms, i
    if 0.0 <= value <= TIMESTAMP_MAX_S:
        return np.int64(np.floor(value * 1000.0)), i
    return BAD_TIME, i


@inlined
def next_field(buffer: np.ndarray, i: int, stop: int) -> tuple[int, int]:
    """Bounds of the first field at or after `i`; empty, at `stop`, if there is none."""
    while i < stop and is_blank(buffer[i]):
        i += 1
    start = i
    while i < stop and not is_blank(buffer[i]):
        i += 1
    return start, i
