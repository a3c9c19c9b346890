"""Points as JSON text, ``[[1.5,1700000040],[null,1700000050]]``, as the general encoder writes them.

Most values that senders measure were written with a few decimals. A float that equals ``n / 10**k`` for a whole
``n`` below 10**15 is written as that decimal: a decimal of up to fifteen digits is read back to the same float, and no
other of its length is. So a value with as many decimals as the one before costs one multiplication and one division;
of others, averages above all, the shortest decimal is looked for.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.shortest import PLAIN_END, PLAIN_MIN, shortest

POINT_BYTES_MAX = 48
"""Room that each point needs: brackets, commas, seventeen digits with sign, point and zeros before them, a time."""

_SMALL_MAX = 1e15
_DECIMALS_MAX = 6
_POWERS = np.array([10.0**k for k in range(_DECIMALS_MAX + 1)])
_ZERO, _POINT, _MINUS, _COMMA, _OPEN, _CLOSE = 48, 46, 45, 44, 91, 93


@inlined
def _digits(number: int) -> int:
    """How many digits a whole number from 0 up has."""
    digits, limit = 1, np.uint64(10)
    while digits < 19 and np.uint64(number) >= limit:
        digits += 1
        limit *= np.uint64(10)
    return digits


@inlined
def _write_digits(out: NDArray[np.uint8], begin: int, end: int, number: int) -> int:
    """The last digits of a whole number from 0 up, as many as there is room for; gives what is left before them."""
    # Unsigned, since a signed division by ten must also think of negative numbers.
    rest = np.uint64(number)
    for place in range(end - 1, begin - 1, -1):
        tens = rest // np.uint64(10)
        out[place] = _ZERO + np.uint8(rest - tens * np.uint64(10))
        rest = tens
    return np.int64(rest)


@inlined
def _decimal_of(size: float, guess: int) -> tuple[int, int]:
    """``n`` and ``k`` of ``n / 10**k``, the shortest decimal for `size` but for zeros at its end.

    Parameters
    ----------
    guess
        A `k` that may do; it is tried from 0 to `_DECIMALS_MAX`.
    """
    if size == 0.0:
        return 0, guess
    if 0 <= guess <= _DECIMALS_MAX:
        scaled = size * _POWERS[guess]
        if scaled < _SMALL_MAX:
            whole = np.int64(np.rint(scaled))
            if whole / _POWERS[guess] == size:
                return whole, guess
    return shortest(size)


@inlined
def _trimmed(whole: int, decimals: int) -> tuple[int, int]:
    """The same decimal without zeros at its end, but for one."""
    while decimals > 1:
        tens = np.int64(np.uint64(whole) // np.uint64(10))
        if tens * 10 != whole:
            break
        whole = tens
        decimals -= 1
    return whole, decimals


@inlined
def _write_decimal(out: NDArray[np.uint8], at: int, whole: int, decimals: int) -> int:
    """``whole / 10**decimals``, with one decimal at least, as a float is shown; gives the place after it."""
    while decimals < 1:
        whole *= 10
        decimals += 1
    end = at + max(_digits(whole), decimals + 1) + 1
    point = end - 1 - decimals
    rest = _write_digits(out, point + 1, end, whole)
    out[point] = _POINT
    _write_digits(out, at, point, rest)
    return end


@inlined
def _add(out: NDArray[np.uint8], begin: int, end: int, number: int) -> bool:
    """Add to the number whose digits stand in ``out[begin:end]``; False if it needs one digit more."""
    carry = number
    place = end - 1
    while carry > 0 and place >= begin:
        carry += np.int64(out[place]) - _ZERO
        tens = carry // 10
        out[place] = np.uint8(carry - tens * 10 + _ZERO)
        carry = tens
        place -= 1
    return carry == 0


@scanner
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
        Bytes written, or -1 if a value is infinite or is written with an exponent.
    """
    out[0] = _OPEN
    at = 1
    guess, before, digits = 0, 0, 0  # decimals of the value before; where its time stands and how long that is
    for i in range(len(values)):
        if i > 0:
            out[at] = _COMMA
            at += 1
        out[at] = _OPEN
        at += 1
        value = values[i]
        if np.isnan(value):
            out[at], out[at + 1], out[at + 2], out[at + 3] = 110, 117, 108, 108  # null
            at += 4
        else:
            size = abs(value)
            if size >= PLAIN_END or 0.0 < size < PLAIN_MIN:
                return -1
            if np.signbit(value):
                out[at] = _MINUS
                at += 1
            whole, decimals = _decimal_of(size, guess)
            trimmed, fewer = _trimmed(whole, decimals)
            guess = decimals if decimals <= _DECIMALS_MAX else fewer
            at = _write_decimal(out, at, trimmed, fewer)
        out[at] = _COMMA
        at += 1
        # Most of the time's digits are those of the time before.
        for k in range(digits):
            out[at + k] = out[before + k]
        if i == 0 or not _add(out, at, at + digits, step_s):
            digits = _digits(start_s + i * step_s)
            _write_digits(out, at, at + digits, start_s + i * step_s)
        before = at
        at += digits
        out[at] = _CLOSE
        at += 1
    out[at] = _CLOSE
    return at + 1
