"""Points as JSON text, ``[[1.5,1700000040],[null,1700000050]]``, for values that are short decimals.

Most values that senders measure were written with a few decimals. A float that equals ``n / 10**k`` for a whole
``n`` below 10**15 is written as that decimal: a decimal of up to fifteen digits is read back to the same float, and no
other of its length is. With the smallest such ``k`` the text is the shortest there is, the one that Python prints.
Values that are no such decimal are left to a general printer by the caller.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel

DECIMALS_MAX = 6
POINT_BYTES_MAX = 48
"""Room that each point needs in the buffer: brackets, comma, sixteen digits with sign and point, a time."""

_SMALL_MAX = 1e15
_ZERO, _POINT, _MINUS, _COMMA, _OPEN, _CLOSE = 48, 46, 45, 44, 91, 93


@inlined
def _write_whole(out: NDArray[np.uint8], at: int, number: int, digits_min: int) -> int:
    """Digits of a whole number from 0 up, zeros before it up to `digits_min`; gives the place after them."""
    # Unsigned, since a signed division by ten must also think of negative numbers.
    rest = np.uint64(number)
    digits = 1
    limit = np.uint64(10)
    while digits < 19 and rest >= limit:
        digits += 1
        limit *= np.uint64(10)
    digits = max(digits, digits_min)
    for place in range(at + digits - 1, at - 1, -1):
        tens = rest // np.uint64(10)
        out[place] = _ZERO + np.uint8(rest - tens * np.uint64(10))
        rest = tens
    return at + digits


@inlined
def _write_value(out: NDArray[np.uint8], at: int, value: float) -> int:
    """A value as JSON; -1 if it is no short decimal."""
    if np.isnan(value):
        out[at], out[at + 1], out[at + 2], out[at + 3] = 110, 117, 108, 108  # null
        return at + 4
    size = abs(value)
    scale = 1
    for decimals in range(DECIMALS_MAX + 1):
        scaled = size * scale
        if not scaled < _SMALL_MAX:
            return -1
        whole = np.int64(np.rint(scaled))
        if whole / scale == size:
            if np.signbit(value):
                out[at] = _MINUS
                at += 1
            at = _write_whole(out, at, whole // scale, 1)
            out[at] = _POINT
            # A whole number is shown with one decimal, as a float is.
            return _write_whole(out, at + 1, whole % scale, max(decimals, 1))
        scale *= 10
    return -1


@kernel
def write_points(values: NDArray[np.float64], start_s: int, step_s: int, out: NDArray[np.uint8]) -> int:
    """Write the points of one series, which are at ``start_s + i * step_s``.

    Parameters
    ----------
    values : float64[m]
        NaN is written as null.
    start_s
        Not below 0.
    out : uint8[at least 2 + m * POINT_BYTES_MAX]
        Where the text goes.

    Returns
    -------
    int
        Bytes written, or -1 if a value is infinite or no short decimal.
    """
    out[0] = _OPEN
    at = 1
    for i in range(len(values)):
        if i > 0:
            out[at] = _COMMA
            at += 1
        out[at] = _OPEN
        at = _write_value(out, at + 1, values[i])
        if at < 0:
            return -1
        out[at] = _COMMA
        at = _write_whole(out, at + 1, start_s + i * step_s, 1)
        out[at] = _CLOSE
        at += 1
    out[at] = _CLOSE
    return at + 1
