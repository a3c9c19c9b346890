"""istatd's buckets: five statistics of each interval, of gauges as they were sampled, of counters as events per second.

A counter is never silent: where nothing was counted there are buckets of zeros, up to the present. Its buckets have as
many samples as slots of its finest step, each the rate of its slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Spread, Tally
from tallystick.query.istatd.ranges import Window, normalized
from tallystick.query.session import Session

Ids = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of a series.

    Parameters
    ----------
    window
        Which there could be.
    time_s : int64[n]
        When those that there are begin.
    count, low, high, sum, squares, average, deviation : float64[n]
        Samples, extremes, sum, sum of squares, mean, and standard deviation of the samples (by n - 1).
    """

    window: Window
    time_s: NDArray[np.int64]
    count: Floats
    low: Floats
    high: Floats
    sum: Floats
    squares: Floats
    average: Floats
    deviation: Floats

    @classmethod
    def of(cls, window: Window, time_s: NDArray[np.int64], spread: Spread) -> "Buckets":
        """Buckets of these statistics, at least one sample in each."""
        average = spread.sum / spread.count
        m2 = np.maximum(spread.m2, 0.0)
        deviation = np.sqrt(m2 / np.maximum(spread.count - 1.0, 1.0))
        squares = m2 + spread.sum * average
        return cls(window, time_s, spread.count, spread.min, spread.max, spread.sum, squares, average, deviation)

    def columns(self) -> tuple[NDArray[np.int64] | Floats, ...]:
        """Time, count, minimum, maximum, sum, sum of squares, average and deviation."""
        return (
            self.time_s,
            self.count.astype(np.int64),
            self.low,
            self.high,
            self.sum,
            self.squares,
            self.average,
            self.deviation,
        )


def read_buckets(session: Session, ids: Ids, start_s: int, end_s: int, buckets_max: int) -> list[Buckets]:
    """The buckets of each series in a range, at the finest step that all of the range has.

    Raises
    ------
    LimitError
        If that is more than may be read.
    """
    store = session.store
    steps = store.steps(ids, start_s, end_s)
    counters = store.catalog.kinds(ids) == Kind.COUNTER
    found: list[Buckets | None] = [None] * len(ids)
    for step_s in np.unique(steps).tolist():
        window = normalized(start_s, end_s, step_s, buckets_max)
        for is_counter, read in ((False, _of_samples), (True, _of_rates)):
            rows = np.flatnonzero((steps == step_s) & (counters == is_counter))
            if len(rows):
                slots = max(1, (window.end_s - window.start_s) // step_s)
                session.charge(len(rows), len(rows) * slots)
                for row, one in zip(rows.tolist(), read(session, ids[rows], window, step_s), strict=True):
                    found[row] = one
                session.check_time()
    return [one for one in found if one is not None]


def _of_samples(session: Session, ids: Ids, window: Window, step_s: int) -> Sequence[Buckets]:
    """Buckets of the samples that there were."""
    whole = window.start_s % window.interval_s == 0 and window.interval_s % step_s == 0
    read_s = window.interval_s if whole else step_s
    first, end = (moment + -moment % read_s for moment in (window.start_s, window.end_s))
    order = np.argsort(ids)
    tally = session.store.tally(ids[order], first, end, read_s)
    if not whole:
        tally = _joined(tally)
    bounds = np.searchsorted(tally.series, np.arange(len(ids) + 1))
    full, time_s = tally.full, tally.slot * tally.step_s if whole else np.full(len(tally), window.start_s)
    found: list[Buckets | None] = [None] * len(ids)
    for place, row in enumerate(order.tolist()):
        inside = slice(int(bounds[place]), int(bounds[place + 1]))
        found[row] = Buckets.of(window, time_s[inside], full.take(inside))
    return [one for one in found if one is not None]


def _joined(tally: Tally) -> Tally:
    """All slots of a series as one."""
    if not len(tally):
        return tally
    s = tally.full
    begin = np.flatnonzero(np.diff(tally.series, prepend=-1))
    count, total = np.add.reduceat(s.count, begin), np.add.reduceat(s.sum, begin)
    lengths = np.diff(begin, append=len(tally))
    apart = s.sum / s.count - np.repeat(total / count, lengths)
    m2 = np.add.reduceat(s.m2 + s.count * apart**2, begin)
    low, high = np.minimum.reduceat(s.min, begin), np.maximum.reduceat(s.max, begin)
    return Tally(tally.step_s, tally.series[begin], tally.slot[begin], high, Spread(count, total, m2, low, high))


def _of_rates(session: Session, ids: Ids, window: Window, step_s: int) -> Sequence[Buckets]:
    """Buckets of the rates of slots, silent ones too, as far as the present."""
    store, now_s = session.store, int(session.clock.now())
    finest_s = np.array([store.retention(series).step_s for series in ids.tolist()])
    first, end = (moment + -moment % step_s for moment in (window.start_s, window.end_s))
    events = store.read(ids, first, end, step_s, (Statistic.SUM,))[Statistic.SUM]
    rates = np.nan_to_num(events) / step_s
    count = max(1, (window.end_s - window.start_s) // window.interval_s)
    shaped = rates.reshape(len(ids), count, -1) if rates.shape[1] else np.zeros((len(ids), count, 1))
    begins = window.start_s + window.interval_s * np.arange(count, dtype=np.int64)
    there = begins <= now_s
    found = []
    for one, weight in zip(shaped[:, there], (step_s / finest_s).tolist(), strict=True):
        samples = np.full(len(one), weight * one.shape[1])
        mean = one.mean(axis=1)
        m2 = weight * ((one - mean[:, None]) ** 2).sum(axis=1)
        spread = Spread(samples, mean * samples, m2, one.min(axis=1), one.max(axis=1))
        found.append(Buckets.of(window, begins[there], spread))
    return found
