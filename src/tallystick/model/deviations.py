"""Sums of squared deviations that cannot be known exactly, and what is certain of them."""

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
"""float64[n]"""
_SPLIT = 134_217_729.0  # 2**27 + 1: parts a double into two of 26 bits


def least_m2(count: Column, mean: Column, low: Column, high: Column) -> Column:
    """The least sum of squared deviations that samples of these statistics can have, all float64[n].

    Notes
    -----
    One sample is the smallest, one the largest, and the others are all as far off as the mean asks of them.
    """
    below, above = low - mean, high - mean
    rest = (below + above) ** 2 / np.maximum(count - 2.0, 1.0)
    return np.where(count > 1.0, below**2 + above**2 + np.where(count > 2.0, rest, 0.0), 0.0)


def most_m2(count: Column, mean: Column, low: Column, high: Column) -> Column:
    """The largest sum of squared deviations that samples of these statistics can have, all float64[n].

    Notes
    -----
    Bhatia and Davis, *A better bound on the variance* (2000): all samples are the smallest or the largest.
    """
    return np.asarray(count * (high - mean) * (mean - low))


def m2_of_squares(count: Column, total: Column, squares: Column, low: Column, high: Column) -> Column:
    """M2 from the sum of squares, within what the other statistics allow.

    Notes
    -----
    ``squares - total**2 / count`` in twice the precision of a double (Dekker, *A floating-point technique for extending
    the available precision*, 1971), so that what is left of the deviations in the sum of squares comes out whole. What
    rounding that sum has taken is lost: about 2**-53 of it.
    """
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        square, error = _product(total, total)
        mean_square = square / count
        back, back_error = _product(mean_square, count)
        rest = ((square - back) - back_error + error) / count
        m2 = (squares - mean_square) - rest
        mean = total / count
        least = np.nan_to_num(least_m2(count, mean, low, high))
        most = np.nan_to_num(most_m2(count, mean, low, high))
        return np.asarray(np.clip(np.where(np.isfinite(m2), m2, least), least, np.maximum(least, most)))


def _product(a: Column, b: Column) -> tuple[Column, Column]:
    """The product of two doubles, and what rounding took of it."""
    product = a * b
    a_high, b_high = _high_part(a), _high_part(b)
    a_low, b_low = a - a_high, b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _high_part(a: Column) -> Column:
    large = _SPLIT * a
    return np.asarray(large - (large - a))
