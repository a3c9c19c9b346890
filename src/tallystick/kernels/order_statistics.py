"""What StatsD computes from a timer's sorted samples, computed from histograms: a share of them, the middle, bins.

A sample is taken for the middle of its bucket, so what is computed here is off by 1.1 % at most; never beyond the
extremes, which are known exactly.
"""

import math

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel
from tallystick.kernels.histogram import middle_of

COUNT, MEAN, BOUNDARY, SUM, SUM_SQUARES = 0, 1, 2, 3, 4
"""Columns of `shares`."""
SHARE_COLUMNS = 5

Floats = NDArray[np.float64]


@inlined
def _value(bucket: int, low: float, high: float) -> float:
    return min(max(middle_of(bucket), low), high)


@kernel
def shares(
    offset: NDArray[np.int64],
    bucket: NDArray[np.int32],
    weight: Floats,
    count: Floats,
    total: Floats,
    squares: Floats,
    low: Floats,
    high: Floats,
    percent: float,
    out: Floats,
) -> None:
    """The lowest `percent` of each histogram's samples, or where it is below zero the highest.

    Parameters
    ----------
    offset, bucket, weight
        Histograms in compressed-row form.
    count, total, squares, low, high : float64[n]
        Number, sum, sum of squares and extremes of all samples of each.
    out : float64[n, SHARE_COLUMNS]
        Number, mean, boundary, sum and sum of squares of the share; NaN where it has no sample.
    """
    for i in range(len(count)):
        wanted = math.floor(abs(percent) / 100.0 * count[i] + 0.5)
        if count[i] <= 1.0:
            wanted = count[i]
        if not wanted > 0.0:
            out[i] = np.nan
            continue
        out[i, COUNT] = wanted
        if wanted >= count[i]:
            out[i, BOUNDARY] = high[i] if percent > 0.0 else low[i]
            out[i, SUM] = total[i]
            out[i, SUM_SQUARES] = squares[i]
            out[i, MEAN] = total[i] / wanted
            continue
        left, added, added_squares, boundary = wanted, 0.0, 0.0, low[i]
        for k in range(offset[i + 1] - offset[i]):
            at = offset[i] + k if percent > 0.0 else offset[i + 1] - 1 - k
            taken = min(weight[at], left)
            boundary = _value(bucket[at], low[i], high[i])
            added += taken * boundary
            added_squares += taken * boundary * boundary
            left -= taken
            if left <= 0.0:
                break
        out[i, BOUNDARY] = boundary
        out[i, SUM] = added
        out[i, SUM_SQUARES] = added_squares
        out[i, MEAN] = added / wanted


@kernel
def medians(
    offset: NDArray[np.int64],
    bucket: NDArray[np.int32],
    weight: Floats,
    count: Floats,
    low: Floats,
    high: Floats,
    out: Floats,
) -> None:
    """The middle sample of each histogram, or the mean of the two in the middle."""
    for i in range(len(count)):
        first, second = math.ceil(count[i] / 2.0), math.floor(count[i] / 2.0) + 1.0
        seen = 0.0
        lower = np.nan
        upper = high[i]
        for at in range(offset[i], offset[i + 1]):
            seen += weight[at]
            value = _value(bucket[at], low[i], high[i])
            if np.isnan(lower) and seen >= first:
                lower = value
            if seen >= second:
                upper = value
                break
        out[i] = (lower + upper) / 2.0


@kernel
def weights_between(
    offset: NDArray[np.int64],
    bucket: NDArray[np.int32],
    weight: Floats,
    low: Floats,
    high: Floats,
    begin: float,
    end: float,
    out: Floats,
) -> None:
    """How many samples of each histogram lie in ``[begin, end)``."""
    for i in range(len(offset) - 1):
        out[i] = 0.0
        for at in range(offset[i], offset[i + 1]):
            if begin <= _value(bucket[at], low[i], high[i]) < end:
                out[i] += weight[at]
