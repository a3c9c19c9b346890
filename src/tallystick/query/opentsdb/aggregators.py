"""OpenTSDB's aggregators: how several values of a moment, or of a bucket of time, become one.

Each is a function of values along an axis and of a mask that says which of them count. NaN among those that count is
left out, except by ``first``, ``last``, ``diff`` and ``mult``, for which OpenTSDB does not look.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.query.opentsdb.points import Interpolation, Mask, Values
from tallystick.query.reduce import Reduction, average, known_count, total

Reduce = Callable[[Values, Mask, int], Values]


@dataclass(frozen=True, slots=True)
class Aggregator:
    """A way to make one value of several.

    Parameters
    ----------
    name
        As queries spell it.
    between
        What stands for a series that has no point at a moment.
    reduce
        Values, which of them count, and the axis to reduce.
    """

    name: str
    between: Interpolation
    reduce: Reduce


def _known(values: Values, counts: Mask) -> Mask:
    return np.asarray(counts & ~np.isnan(values))


def _counted(values: Values, counts: Mask) -> Values:
    """The values with NaN in place of those that do not count."""
    return values if counts.all() else np.where(counts, values, np.nan)


def _passing_over(reduce: Reduction, values: Values, counts: Mask, axis: int) -> Values:
    """A reduction that leaves NaN out."""
    return reduce(_counted(values, counts), axis)


def _count(values: Values, counts: Mask, axis: int) -> Values:
    return known_count(_counted(values, counts), axis).astype(np.float64)


def _sum_of_squares(values: Values, counts: Mask, axis: int) -> Values:
    return total(_counted(values * values, counts), axis)


def _deviation(values: Values, counts: Mask, axis: int) -> Values:
    counted = _counted(values, counts)
    mean = np.expand_dims(average(counted, axis), axis)
    return np.sqrt(average((counted - mean) ** 2, axis))


def _extreme(choose: np.ufunc, values: Values, axis: int) -> Values:
    """`choose` is ``fmin`` or ``fmax``, which pass NaN over."""
    return np.asarray(choose.reduce(values, axis=axis))


def _product(values: Values, counts: Mask, axis: int) -> Values:
    product = np.where(counts, values, 1.0).prod(axis=axis)
    return np.where(counts.any(axis=axis), product, np.nan)


def _at_end(values: Values, counts: Mask, axis: int, *, last: bool) -> Values:
    """The first or the last value that counts."""
    place = np.expand_dims(_end(counts, axis, last=last), axis)
    found = np.take_along_axis(values, place, axis=axis).squeeze(axis)
    return np.where(counts.any(axis=axis), found, np.nan)


def _end(counts: Mask, axis: int, *, last: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    if not last:
        return np.asarray(counts.argmax(axis=axis))
    return np.asarray(counts.shape[axis] - 1 - np.flip(counts, axis).argmax(axis=axis))


def _difference(values: Values, counts: Mask, axis: int) -> Values:
    """The last value less the first that is known; 0 if the first is the last."""
    known = _known(values, counts)
    first = _at_end(values, known, axis, last=False)
    alone = _end(known, axis, last=False) == _end(counts, axis, last=True)
    return np.where(alone & known.any(axis=axis), 0.0, _at_end(values, counts, axis, last=True) - first)


def _ranked(values: Values, counts: Mask, axis: int) -> tuple[Values, Values]:
    """The known values in order along the last axis, and how many there are."""
    known = _known(values, counts)
    ordered = np.sort(np.moveaxis(np.where(known, values, np.nan), axis, -1), axis=-1)  # NaN comes last
    return ordered, known.sum(axis=axis, dtype=np.float64)


def _pick(ordered: Values, place: Values) -> Values:
    """The values at places counted from 0, along the last axis, at the nearest there is."""
    inside = np.clip(place, 0, ordered.shape[-1] - 1).astype(np.intp)
    return np.asarray(np.take_along_axis(ordered, inside[..., None], axis=-1)[..., 0])


def _median(values: Values, counts: Mask, axis: int) -> Values:
    """The upper one of the two in the middle."""
    ordered, count = _ranked(values, counts, axis)
    return _pick(ordered, count // 2)


def _percentile(share: float, kind: int, values: Values, counts: Mask, axis: int) -> Values:
    """A percentile by one of the definitions of Hyndman and Fan, *Sample Quantiles in Statistical Packages* (1996).

    The third is the nearest value, the seventh lies between n - 1 gaps. OpenTSDB's own is the sixth, n + 1 gaps.
    """
    ordered, count = _ranked(values, counts, axis)
    top = np.maximum(count - 1, 0)
    if kind == 3:
        return _pick(ordered, np.clip(np.rint(share * count) - 1, 0, top))
    place = share * (count + 1) - 1 if kind == 6 else share * (count - 1)
    place = np.clip(place, 0, top)
    low, high = _pick(ordered, np.floor(place)), _pick(ordered, np.minimum(np.floor(place) + 1, top))
    return np.asarray(low + (place - np.floor(place)) * (high - low))


def _percentiles() -> list[Aggregator]:
    every = {"50": 0.5, "75": 0.75, "90": 0.9, "95": 0.95, "99": 0.99, "999": 0.999}
    forms = (("p{}", 6), ("ep{}r3", 3), ("ep{}r7", 7))
    return [
        Aggregator(form.format(digits), Interpolation.LINEAR, partial(_percentile, share, kind))
        for form, kind in forms
        for digits, share in every.items()
    ]


_SUM, _AVERAGE = partial(_passing_over, total), partial(_passing_over, average)
_MIN = partial(_passing_over, partial(_extreme, np.fmin))
_MAX = partial(_passing_over, partial(_extreme, np.fmax))

AGGREGATORS = {
    one.name: one
    for one in (
        Aggregator("sum", Interpolation.LINEAR, _SUM),
        Aggregator("min", Interpolation.LINEAR, _MIN),
        Aggregator("max", Interpolation.LINEAR, _MAX),
        Aggregator("avg", Interpolation.LINEAR, _AVERAGE),
        Aggregator("dev", Interpolation.LINEAR, _deviation),
        Aggregator("median", Interpolation.LINEAR, _median),
        Aggregator("mult", Interpolation.LINEAR, _product),
        Aggregator("diff", Interpolation.LINEAR, _difference),
        Aggregator("count", Interpolation.ZERO, _count),
        Aggregator("zimsum", Interpolation.ZERO, _SUM),
        Aggregator("squareSum", Interpolation.ZERO, _sum_of_squares),
        Aggregator("first", Interpolation.ZERO, partial(_at_end, last=False)),
        Aggregator("last", Interpolation.ZERO, partial(_at_end, last=True)),
        Aggregator("mimmin", Interpolation.NOTHING, _MIN),
        Aggregator("mimmax", Interpolation.NOTHING, _MAX),
        Aggregator("pfsum", Interpolation.PREVIOUS, _SUM),
        Aggregator("none", Interpolation.NOTHING, partial(_at_end, last=False)),
        *_percentiles(),
    )
}
"""By name. ``none`` leaves each series to itself."""


def find_aggregator(name: str) -> Aggregator:
    """The aggregator of a name.

    Raises
    ------
    QueryError
        If there is none.
    """
    found = AGGREGATORS.get(name)
    if found is None:
        raise QueryError(f"No such aggregation function: {name}; expected one of {', '.join(AGGREGATORS)}")
    return found
