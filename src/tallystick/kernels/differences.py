"""How a column of numbers is best coded, seen from its differences; for pcodec, whose own look takes half of its time.

White noise is coded as it is (its differences have a larger spread), a walk by its differences, what moves smoothly by
differences of differences. A difference costs about as many bits as the logarithm of its distance from the usual one
says, and the mean over some hundred of them is precise enough to tell these cases apart; where it is not, nothing is
said.
"""

import math

import numpy as np

from tallystick.kernels.compile import inlined, scanner

UNCLEAR = -1
"""No number of differencings is clearly the best one."""
SAMPLE = 31
"""Values that medians are taken of."""

_CLEAR_BITS = 0.1  # white noise loses half a bit by being differenced, and a walk by being differenced twice
_ERROR_BITS = 1.0  # over the square root of the values: how far means of logarithms stray
_SMALL = 1 / 32  # of the usual distance: lesser ones cost no less
_LARGE = 1e30
_ROWS_MAX = 512  # of longer columns every second value is looked at, or every third
_ALIKE_MAX = 16.0  # between the quartiles of distances: 3.6 for normal ones, 4.8 for exponential ones
_WHOLE_MAX = 2.0**52


@inlined
def _differenced(values: np.ndarray, i: int, times: int) -> float:
    if times == 0:
        return values[i]
    if times == 1:
        return values[i] - values[i - 1]
    return values[i] - values[i - 1] - (values[i - 1] - values[i - 2])


@inlined
def _median(values: np.ndarray, times: int, usual: float, work: np.ndarray) -> float:
    """The median of a sample of differences, or of their distances from `usual` where that is finite."""
    n = len(values)
    size = min(SAMPLE, n - 2)
    for k in range(size):
        value = _differenced(values, 2 + k * (n - 2) // size, times)
        if usual < math.inf:
            value = abs(value - usual)
        at = k
        while at > 0 and work[at - 1] > value:
            work[at] = work[at - 1]
            at -= 1
        work[at] = value
    return work[size // 2]


@inlined
def _usual(values: np.ndarray, times: int, middle: float, work: np.ndarray) -> float:
    """The usual distance of differences from the middle one; 0 where they have several middles, or long tails."""
    distance = _median(values, times, middle, work)
    size = min(SAMPLE, len(values) - 2)
    return distance if work[3 * size // 4] < _ALIKE_MAX * work[size // 4] else 0.0


@inlined
def _factor(away: float, small: float) -> float:
    return min(max(abs(away) * small, 1.0), _LARGE)


@scanner
def clear_order(values: np.ndarray, work: np.ndarray) -> int:
    """How often to take differences of a column before it is coded: 0 or 1, or `UNCLEAR`.

    Parameters
    ----------
    values : float64[n]
        Finite, at least 8.
    work : float64[SAMPLE]
        Is overwritten.

    Notes
    -----
    `UNCLEAR` are also columns many of whose differences are equal, whose cost does not follow from logarithms, and
    those for which a second differencing pays, as a further one may too. About 10 us for 720 values.
    """
    level, first = _median(values, 0, math.inf, work), _median(values, 1, math.inf, work)
    small = min(_usual(values, 0, level, work), _usual(values, 1, first, work))
    if not small > 0.0 or not small < math.inf:
        return UNCLEAR
    small = 1 / (_SMALL * small)
    plain = once = twice = 0.0
    plains = onces = twices = 1.0
    stride = 1 + len(values) // _ROWS_MAX
    rows = 0
    for i in range(2, len(values), stride):
        difference, before = values[i] - values[i - 1], values[i - 1] - values[i - 2]
        plains *= _factor(values[i] - level, small)
        onces *= _factor(difference - first, small)
        twices *= _factor(difference - before, small)
        rows += 1
        if rows & 7 == 0 or i + stride >= len(values):  # a logarithm for eight: it is what takes the time
            plain += math.log2(plains)
            once += math.log2(onces)
            twice += math.log2(twices)
            plains = onces = twices = 1.0
    clear = _CLEAR_BITS * rows + _ERROR_BITS * math.sqrt(rows)
    if plain + clear < min(once, twice):
        return 0
    if once + clear < min(plain, twice):
        return 1
    return UNCLEAR


@inlined
def _common(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


@scanner
def common_divisor(values: np.ndarray) -> int:
    """The greatest whole number that all values are multiples of; 0 if some are not whole, too large, or all are 0.

    Parameters
    ----------
    values : float64[n]
        Finite.
    """
    found = np.int64(0)
    for i in range(len(values)):
        value = abs(values[i])
        if not value < _WHOLE_MAX or value != math.floor(value):
            return 0
        if found != 1:
            found = _common(np.int64(value), found)
    return found
