"""`Points`: series on one axis of moments, each with a value at some of them; rates, and what stands in for a gap.

A moment at which a series has no point and one at which its value is NaN are different: the first can be interpolated,
the second is what a fill policy says.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
COUNTER_MAX = float(2**63 - 1)
"""Where a counter of OpenTSDB's turns over, unless a query says otherwise."""


class Interpolation(Enum):
    """What stands for a series at a moment between two of its points; before the first and behind the last nothing."""

    LINEAR = "on the line between them"
    ZERO = "0"
    NOTHING = "nothing"
    PREVIOUS = "the value of the earlier one"


@dataclass(frozen=True, slots=True)
class Points:
    """Some series.

    Parameters
    ----------
    times_s : int64[m]
        Epoch seconds, ascending.
    values : float64[n, m]
        Meaningless where `present` is false.
    present : bool[n, m]
        Whether a series has a point at a moment.
    """

    times_s: NDArray[np.int64]
    values: Values
    present: Mask

    @classmethod
    def known(cls, times_s: NDArray[np.int64], values: Values) -> "Points":
        """Points where there are values."""
        return cls(times_s, values, ~np.isnan(values))

    def take(self, rows: Mask | NDArray[np.intp]) -> "Points":
        """Some of the series."""
        return Points(self.times_s, self.values[rows], self.present[rows])


@dataclass(frozen=True, slots=True)
class Rate:
    """How the difference of two points becomes a rate.

    Parameters
    ----------
    counter
        Whether a fall means that a counter turned over at `counter_max`.
    reset_value
        A rate above it, at such a turn, is 0: the counter was set back. 0 for no such limit.
    drop_resets
        Whether a fall gives no point at all.
    """

    counter: bool = False
    counter_max: float = COUNTER_MAX
    reset_value: float = 0.0
    drop_resets: bool = False


def rates(points: Points, how: Rate) -> Points:
    """Change per second since the point before, at each point but the first of a series."""
    before = _place_before(points.present)
    place = np.maximum(before, 0)
    values = points.values
    difference = values - np.take_along_axis(values, place, axis=1)
    seconds = points.times_s - points.times_s[place]
    present = points.present & (before >= 0)
    fell = (difference < 0) & present
    if how.counter:
        if how.drop_resets:
            present &= ~fell
        difference = np.where(fell, how.counter_max + difference, difference)
    found = difference / np.where(present, seconds, 1)
    if how.counter and how.reset_value > 0:
        found[fell & (found > how.reset_value)] = 0.0
    return Points(points.times_s, found, present)


def interpolated(points: Points, how: Interpolation) -> tuple[Values, Mask]:
    """What each series counts for at each moment, float64[n, m], and whether it counts at all, bool[n, m]."""
    present = points.present
    if how is Interpolation.NOTHING or present.all():
        return points.values, present
    began = np.logical_or.accumulate(present, axis=1)
    goes_on = np.logical_or.accumulate(present[:, ::-1], axis=1)[:, ::-1]
    counts = began & goes_on
    rows = np.flatnonzero((counts != present).any(axis=1))
    if not len(rows):
        return points.values, present
    values = points.values.copy()
    values[rows] = _between(points.take(rows), how)
    return values, counts


def _between(points: Points, how: Interpolation) -> Values:
    """Values with those between points filled in."""
    present = points.present
    if how is Interpolation.ZERO:
        return np.where(present, points.values, 0.0)
    last = present.shape[1] - 1
    earlier = np.maximum(_place_before(present), 0)
    y0 = np.take_along_axis(points.values, earlier, axis=1)
    if how is Interpolation.PREVIOUS:
        return np.where(present, points.values, y0)
    later = last - np.maximum(_place_before(present[:, ::-1])[:, ::-1], 0)
    y1 = np.take_along_axis(points.values, later, axis=1)
    x0, x1 = points.times_s[earlier], points.times_s[later]
    line = y0 + (points.times_s - x0) * (y1 - y0) / np.maximum(x1 - x0, 1)
    return np.where(present, points.values, line)


def _place_before(present: Mask) -> NDArray[np.intp]:
    """Column of the latest point before each moment, int[n, m]; -1 where there is none."""
    places = np.where(present, np.arange(present.shape[1]), -1)
    before = np.full(present.shape, -1, np.intp)
    np.maximum.accumulate(places[:, :-1], axis=1, out=before[:, 1:])
    return before
