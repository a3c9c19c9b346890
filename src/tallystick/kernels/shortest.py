"""The shortest decimal that is read back to the same float64, for floats that are written without an exponent.

A float stands for all numbers that are nearer to it than to its neighbours. Scaled by a power of ten so that this
interval is between two and twenty wide, it holds a multiple of ten, or else one of the whole numbers around the float;
what to compare is known from products of 128 bits of which only the upper half is looked at, and one bit that says
whether something was below (Giulietti, *The Schubfach way to render doubles*, 2021). The powers needed here are whole
and have at most 23 digits, so they are exact.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined
from tallystick.kernels.words import multiply_high

PLAIN_MIN, PLAIN_END = 1e-5, 1e16
"""Floats from the first up to below the second are written without an exponent."""

_TENS_MAX = 24
_FRACTION_BITS = 52
_BIAS = 1075
_ONE, _TWO, _THREE, _TEN, _FORTY = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(10), np.uint64(40)
_FRACTION = np.uint64((1 << _FRACTION_BITS) - 1)


def _powers_of_ten() -> NDArray[np.uint64]:
    """``10**k`` as 128 bits with the highest set, upper and lower half: uint64[k, 2]."""
    wide = [10**k << (128 - (10**k).bit_length()) for k in range(_TENS_MAX + 1)]
    return np.array([(one >> 64, one & 0xFFFFFFFFFFFFFFFF) for one in wide], np.uint64)


_POWERS = _powers_of_ten()


@inlined
def _scaled(tens: int, factor: int) -> int:
    """The upper 64 bits of ``_POWERS[tens] * factor``, the lowest of them set if anything was cut off."""
    below = multiply_high(_POWERS[tens, 1], factor)
    middle = _POWERS[tens, 0] * factor + below
    above = multiply_high(_POWERS[tens, 0], factor) + np.uint64(middle < below)
    return above | np.uint64(middle > _ONE)


@inlined
def shortest(size: float) -> tuple[int, int]:
    """``n`` and ``k`` so that ``n / 10**k`` is the shortest decimal for `size`, and of those the nearest.

    Parameters
    ----------
    size
        From `PLAIN_MIN` to below `PLAIN_END`.

    Returns
    -------
    n, k : int
        `n` has at most 17 digits and may end in zeros; `k` is -1 at least.
    """
    bits = np.float64(size).view(np.uint64)
    exponent = np.int64(bits >> np.uint64(_FRACTION_BITS)) - _BIAS
    fraction = bits & _FRACTION
    significand = fraction | (_FRACTION + _ONE)
    odd = significand & _ONE  # what lies half-way is read as the even one of two neighbours
    # The neighbour below a power of two is nearer.
    nearer = np.int64(fraction == 0)
    tens = -((exponent * 1262611 - nearer * 524031) >> 22)  # the whole part of the logarithm
    shift = np.uint64(exponent + ((tens * 1741647) >> 19) + 1)
    four = significand << _TWO
    lower = _scaled(tens, (four - _TWO + np.uint64(nearer)) << shift) + odd
    middle = _scaled(tens, four << shift)
    upper = _scaled(tens, (four + _TWO) << shift) - odd
    whole = middle >> _TWO
    short = whole // _TEN
    below, above = lower <= _FORTY * short, _FORTY * short + _FORTY <= upper
    if below != above:
        return np.int64(short + np.uint64(above)), tens - 1
    below, above = lower <= whole << _TWO, (whole << _TWO) + np.uint64(4) <= upper
    if below == above:
        rest = middle & _THREE
        above = rest > _TWO or (rest == _TWO and whole & _ONE == _ONE)
    return np.int64(whole + np.uint64(above)), tens
