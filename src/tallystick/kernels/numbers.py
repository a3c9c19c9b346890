"""Decimal text to float64, correctly rounded: the same bits as Python's ``float``.

Up to nineteen digits are one 64-bit integer ``w``, so that the number is ``w * 10**q``.

1. If ``w`` is below 2**53 and ``|q|`` at most 22, one multiplication or division of exact floats rounds once, and
   so correctly (Clinger, *How to read floating point numbers accurately*, 1990).
2. Else ``w`` is multiplied with a 128-bit approximation of ``5**q``, whose upper bits decide the rounding (Eisel and
   Lemire, *Number parsing at a gigabyte per second*, 2021; that no fallback is needed for up to nineteen digits is
   shown by Mushtak and Lemire, *Fast number parsing without fallback*, 2023).
3. More digits, and results below the smallest normal number, are `HARD`: the caller has Python convert them.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined
from tallystick.kernels.words import leading_zeros, multiply_high

EXACT = 0
"""The number is read."""
NOT_A_NUMBER = 1
"""The bytes are no decimal number."""
HARD = 2
"""A number that Python's ``float`` must convert; the value returned is 0 below the normal range, else NaN."""

_TENS = np.array([10.0**i for i in range(23)])
_EXACT_MAX = np.uint64(1 << 53)
_Q_MIN, _Q_MAX = -342, 308
_EXPONENT_MAX = 100_000


def _powers_of_five() -> NDArray[np.uint64]:
    """``5**q`` for q in -342..308 as 128 bits with the highest set, upper and lower half: uint64[651, 2].

    Negative powers are rounded up, positive ones down, as the proof of the algorithm needs it.
    """
    table = np.empty((_Q_MAX - _Q_MIN + 1, 2), np.uint64)
    for q in range(_Q_MIN, _Q_MAX + 1):
        power = 5 ** abs(q)
        if q >= 0:
            shift = power.bit_length() - 128
            bits = power >> shift if shift > 0 else power << -shift
        else:
            length = (power - 1).bit_length()
            bits = (1 << (length + 127 if q >= -27 else 2 * length + 128)) // power + 1
            bits >>= max(bits.bit_length() - 128, 0)
        table[q - _Q_MIN] = bits >> 64, bits & 0xFFFFFFFFFFFFFFFF
    return table


_FIVES = _powers_of_five()


@inlined
def _scale(w: int, q: int) -> tuple[float, int]:
    """``w * 10**q`` for any nonzero uint64 `w`, with `EXACT` or `HARD`."""
    if q < _Q_MIN:
        return 0.0, HARD
    if q > _Q_MAX:
        return np.inf, EXACT
    zeros = leading_zeros(w)
    w = w << np.uint64(zeros)
    upper_five = _FIVES[q - _Q_MIN, 0]
    high = multiply_high(w, upper_five)
    low = w * upper_five
    if high & np.uint64(0x1FF) == np.uint64(0x1FF):
        more = multiply_high(w, _FIVES[q - _Q_MIN, 1])
        low = low + more
        if more > low:
            high = high + np.uint64(1)
    top = high >> np.uint64(63)
    shift = top + np.uint64(9)
    mantissa = high >> shift
    exponent = ((217706 * q) >> 16) + 63 + np.int64(top) - zeros + 1023
    if exponent <= 0:
        return 0.0, HARD
    # Exactly half-way between two floats is only possible for these powers: then round to even.
    if low <= np.uint64(1) and -4 <= q <= 23 and mantissa & np.uint64(3) == np.uint64(1) and mantissa << shift == high:
        mantissa = mantissa & ~np.uint64(1)
    mantissa = (mantissa + (mantissa & np.uint64(1))) >> np.uint64(1)
    if mantissa >= np.uint64(1 << 53):
        mantissa = np.uint64(1 << 52)
        exponent += 1
    if exponent >= 2047:
        return np.inf, EXACT
    bits = (mantissa & np.uint64((1 << 52) - 1)) | (np.uint64(exponent) << np.uint64(52))
    return np.uint64(bits).view(np.float64), EXACT


@inlined
def read_number(buffer: np.ndarray, start: int) -> tuple[float, int, int]:
    """Read ``[+-] digits [. digits] [e [+-] digits]`` at `start`; a byte that is none of these must follow somewhere.

    Returns
    -------
    value, end, status
        The number (infinite where it overflows), the position behind it, and `EXACT`, `NOT_A_NUMBER` or `HARD`.
    """
    i = start
    negative = buffer[i] == 0x2D
    if negative or buffer[i] == 0x2B:
        i += 1
    w = np.uint64(0)
    first = i
    while 0x30 <= buffer[i] <= 0x39:
        w = w * np.uint64(10) + np.uint64(buffer[i] - 0x30)
        i += 1
    digits = i - first
    q = 0
    if buffer[i] == 0x2E:
        i += 1
        point = i
        while 0x30 <= buffer[i] <= 0x39:
            w = w * np.uint64(10) + np.uint64(buffer[i] - 0x30)
            i += 1
        q = point - i
        digits -= q
    if digits == 0:
        return 0.0, i, NOT_A_NUMBER
    if buffer[i] | 0x20 == 0x65:
        i += 1
        down = buffer[i] == 0x2D
        if down or buffer[i] == 0x2B:
            i += 1
        if not 0x30 <= buffer[i] <= 0x39:
            return 0.0, i, NOT_A_NUMBER
        e = 0
        while 0x30 <= buffer[i] <= 0x39:
            e = min(e * 10 + np.int64(buffer[i] - 0x30), _EXPONENT_MAX)
            i += 1
        q += -e if down else e
    if digits > 19:
        return np.nan, i, HARD
    status = EXACT
    if w <= _EXACT_MAX and -22 <= q <= 22:
        value = np.float64(w)
        value = value * _TENS[q] if q >= 0 else value / _TENS[-q]
    elif w == np.uint64(0):
        value = 0.0
    else:
        value, status = _scale(w, q)
    return (-value if negative else value), i, status


@inlined
def _spells(buffer: np.ndarray, start: int, stop: int, word: bytes) -> bool:
    """Whether the bytes are the lower-case `word`, in any case."""
    if stop - start != len(word):
        return False
    same = True
    for i in range(len(word)):
        same &= buffer[start + i] | 0x20 == word[i]
    return same


@inlined
def is_not_finite(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether the bytes are ``nan``, ``inf`` or ``infinity`` in any case, with or without a sign."""
    if start < stop and (buffer[start] == 0x2D or buffer[start] == 0x2B):
        start += 1
    return (
        _spells(buffer, start, stop, b"nan")
        or _spells(buffer, start, stop, b"inf")
        or _spells(buffer, start, stop, b"infinity")
    )
