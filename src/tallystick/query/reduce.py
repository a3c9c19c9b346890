"""Reductions of values with gaps: what every aggregating function and every consolidation is made of.

A reduction takes any array and the axis to reduce; NaN stands for "not known" and is left out, unless the name says
otherwise. Where nothing is known the result is NaN.
"""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.reduce import add_rows, count_rows
from tallystick.model.errors import QueryError

Values = NDArray[np.float64]
Reduction = Callable[[Values, int], Values]


def known_count(values: Values, axis: int) -> NDArray[np.int64]:
    """How many values are not NaN."""
    if values.ndim == 2 and axis == 0:
        known = np.zeros(values.shape[1], np.int64)
        count_rows(values, known)
        return known
    return np.asarray(values.shape[axis] - np.isnan(values).sum(axis=axis, dtype=np.int64))


def _sum_and_count(values: Values, axis: int) -> tuple[Values, NDArray[np.int64]]:
    """Sum of the known values (0 if there is none) and their number; quick over series and where nothing is missing."""
    if values.ndim == 2 and axis == 0:
        added, present = np.zeros(values.shape[1]), np.zeros(values.shape[1], np.int64)
        add_rows(values, added, present)
        return added, present
    plain = np.asarray(values.sum(axis=axis))
    if not np.isnan(plain).any():
        return plain, np.full(plain.shape, values.shape[axis], np.int64)
    missing = np.isnan(values)
    present = np.asarray(values.shape[axis] - missing.sum(axis=axis, dtype=np.int64))
    return np.asarray(np.where(missing, 0.0, values).sum(axis=axis)), present


def total(values: Values, axis: int) -> Values:
    """Sum of the known values."""
    added, present = _sum_and_count(values, axis)
    return np.where(present > 0, added, np.nan)


def average(values: Values, axis: int) -> Values:
    """Mean of the known values."""
    added, present = _sum_and_count(values, axis)
    return np.where(present > 0, added / np.maximum(present, 1), np.nan)


def average_with_zeros(values: Values, axis: int) -> Values:
    """Mean over all slots, an unknown one counted as 0."""
    return np.asarray(np.nansum(values, axis=axis) / max(values.shape[axis], 1))


def minimum(values: Values, axis: int) -> Values:
    """Smallest known value."""
    return _fold(np.fmin, values, axis)


def maximum(values: Values, axis: int) -> Values:
    """Largest known value."""
    return _fold(np.fmax, values, axis)


def _fold(ufunc: np.ufunc, values: Values, axis: int) -> Values:
    if not values.shape[axis]:
        return np.full(np.delete(np.array(values.shape), axis), np.nan)
    return np.asarray(ufunc.reduce(values, axis=axis))


def count(values: Values, axis: int) -> Values:
    """How many values are known; 0 where none is."""
    return known_count(values, axis).astype(np.float64)


def span(values: Values, axis: int) -> Values:
    """Largest minus smallest known value."""
    return maximum(values, axis) - minimum(values, axis)


def deviation(values: Values, axis: int) -> Values:
    """Standard deviation of the known values, of the population."""
    distance = values - np.expand_dims(average(values, axis), axis)
    return np.sqrt(average(distance * distance, axis))


def product(values: Values, axis: int) -> Values:
    """Product; unknown as soon as one factor is, as in Graphite."""
    return np.asarray(values.prod(axis=axis)) if values.shape[axis] else total(values, axis)


def difference(values: Values, axis: int) -> Values:
    """First known value minus the other known ones."""
    return 2.0 * first(values, axis) - total(values, axis)


def first(values: Values, axis: int) -> Values:
    """First known value."""
    if not values.shape[axis]:
        return total(values, axis)
    position = np.expand_dims((~np.isnan(values)).argmax(axis=axis), axis)
    return np.take_along_axis(values, position, axis).squeeze(axis)


def last(values: Values, axis: int) -> Values:
    """Last known value."""
    return first(np.flip(values, axis), axis)


def median(values: Values, axis: int) -> Values:
    """Middle of the known values, or the mean of the two in the middle."""
    if not values.shape[axis]:
        return total(values, axis)
    ordered = np.sort(values, axis=axis)
    known = known_count(values, axis)
    low = _pick(ordered, (known - 1) // 2, axis)
    high = _pick(ordered, known // 2, axis)
    return np.where(known > 0, (low + high) / 2.0, np.nan)


def _pick(ordered: Values, position: NDArray[np.int64], axis: int) -> Values:
    """The value at `position` along `axis`, positions outside moved to the edge."""
    inside = np.clip(position, 0, ordered.shape[axis] - 1)
    return np.take_along_axis(ordered, np.expand_dims(inside, axis), axis).squeeze(axis)


def percentile(values: Values, rank: float, axis: int, *, interpolate: bool = False) -> Values:
    """The `rank`-th percentile (0 to 100) of the known values by Graphite's rule; others count as the nearest.

    Notes
    -----
    The position is ``rank / 100 * (known + 1)``, rounded up unless interpolating: ``_getPercentile`` of graphite-web.
    """
    if not values.shape[axis]:
        return total(values, axis)
    ordered = np.sort(values, axis=axis)
    known = known_count(values, axis)
    exact = min(max(rank, 0.0), 100.0) / 100.0 * (known + 1)
    whole = np.floor(exact).astype(np.int64)
    position = whole if interpolate else np.ceil(exact).astype(np.int64)
    result = _pick(ordered, np.minimum(position, known) - 1, axis)
    if interpolate:
        following = _pick(ordered, whole, axis)
        result = np.where(whole < known, result + (exact - whole) * (following - result), result)
    return np.where(known > 0, result, np.nan)


REDUCTIONS: dict[str, Reduction] = {
    "average": average,
    "avg": average,
    "avg_zero": average_with_zeros,
    "count": count,
    "current": last,
    "diff": difference,
    "first": first,
    "last": last,
    "max": maximum,
    "median": median,
    "min": minimum,
    "multiply": product,
    "range": span,
    "rangeOf": span,
    "stddev": deviation,
    "sum": total,
    "total": total,
}
"""Graphite's names of aggregations, and ``first``."""

OF_NOTHING: frozenset[Reduction] = frozenset({average_with_zeros, count})
"""Those that have a result where nothing is known."""

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


def short_name(word: str) -> str:
    """The name of an aggregation without the ending ``Series`` that old queries give it."""
    return word.removesuffix("Series")


def is_reduction(word: str) -> bool:
    """Whether `reduction` knows the word."""
    return short_name(word) in REDUCTIONS or _PERCENTILE.fullmatch(word) is not None


def reduction(word: str) -> Reduction:
    """The reduction that a query names: a word of `REDUCTIONS`, or a percentile such as ``p95`` or ``p99.9``.

    Raises
    ------
    QueryError
        If there is none of that name.
    """
    found = REDUCTIONS.get(short_name(word))
    if found is not None:
        return found
    match = _PERCENTILE.fullmatch(word)
    if match is None:
        known = ", ".join(sorted(REDUCTIONS))
        raise QueryError(
            f"cannot aggregate by {word!r}: there is none of that name; expected one of {known}, p0 to p100"
        )
    rank = float(match[1])
    return lambda values, axis: percentile(values, rank, axis)


def enough(known: NDArray[np.int64], slots: float, x_files_factor: float) -> NDArray[np.bool_]:
    """Whether so many known values out of `slots` make a known result; none never does."""
    return (known > 0) & (known >= x_files_factor * slots - 1e-12 * slots)
