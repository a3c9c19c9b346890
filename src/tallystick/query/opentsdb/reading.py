"""Points of a metric's series, from the store: as they are kept, or joined in buckets.

Where a bucket's value follows from statistics that the store keeps of all samples, it is made of those: the maximum of
an hour is that of its samples, also of hours that are kept as one slot.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.query.opentsdb.aggregators import AGGREGATORS, Aggregator
from tallystick.query.opentsdb.points import Mask, Points, Values
from tallystick.query.session import Session

_POINT_BYTES = 48
"""What a point takes until its query is answered: the value, whether it is there, and what is made of both."""
Ids = NDArray[np.int32]
Read = Mapping[Statistic, Values]
_OF_SAMPLES = (Kind.GAUGE, Kind.TIMING, Kind.CUMULATIVE)
"""Kinds of which OpenTSDB would have each sample as a point; of the others a slot is one."""
_STATISTICS: dict[str, tuple[Statistic, ...]] = {
    "sum": (Statistic.SUM,),
    "zimsum": (Statistic.SUM,),
    "pfsum": (Statistic.SUM,),
    "count": (Statistic.COUNT,),
    "avg": (Statistic.SUM, Statistic.COUNT),
    "dev": (Statistic.SUM, Statistic.COUNT, Statistic.SDEV),
    "min": (Statistic.MIN,),
    "mimmin": (Statistic.MIN,),
    "max": (Statistic.MAX,),
    "mimmax": (Statistic.MAX,),
    "last": (Statistic.LAST,),
}
"""Functions whose value of a bucket follows from those of its slots, and from which."""


@dataclass(frozen=True, slots=True)
class Span:
    """Epoch seconds: from the first, up to the second without it."""

    start_s: int
    end_s: int


def read_slots(session: Session, ids: Ids, span: Span) -> Points:
    """A point for each slot that begins in `span` and has a value, as its kind has it.

    Raises
    ------
    LimitError
        If that is more than may be read.
    """
    steps = session.store.steps(ids, span.start_s, span.end_s)
    step_s = int(np.gcd.reduce(steps))
    first, end = (-(-moment // step_s) * step_s for moment in (span.start_s, span.end_s))
    times_s = np.arange(first, end, step_s, dtype=np.int64)
    session.charge(0, len(ids) * len(times_s))
    session.hold(len(ids) * len(times_s) * _POINT_BYTES)
    values = np.full((len(ids), len(times_s)), np.nan)
    for own_s in np.unique(steps).tolist():
        rows = np.flatnonzero(steps == own_s)
        own_first, own_end = (-(-moment // own_s) * own_s for moment in (span.start_s, span.end_s))
        if own_end > own_first:
            read = session.store.read(ids[rows], own_first, own_end, own_s)[Statistic.DEFAULT]
            places = (own_first - first) // step_s + np.arange(read.shape[1]) * (own_s // step_s)
            values[np.ix_(rows, places)] = read
    return Points.known(times_s, values)


def read_buckets(session: Session, ids: Ids, edges_s: NDArray[np.int64], function: Aggregator) -> Points:
    """A point for each bucket in which slots with values begin, at its start.

    Parameters
    ----------
    edges_s : int64[buckets + 1]
        Where buckets begin, and where the last one ends.

    Raises
    ------
    LimitError
        If that is more than may be read.
    """
    steps = session.store.steps(ids, int(edges_s[0]), int(edges_s[-1]))
    kinds = session.store.catalog.kinds(ids)
    of_samples = np.isin(kinds, _OF_SAMPLES) if function.name in _STATISTICS else np.zeros(len(ids), np.bool_)
    # Counters' sums are those of all increments; nothing else of their samples means anything to who reads slots.
    of_samples |= (kinds == Kind.COUNTER) & (_STATISTICS.get(function.name) == (Statistic.SUM,))
    session.hold(len(ids) * (len(edges_s) - 1) * _POINT_BYTES)
    values = np.full((len(ids), len(edges_s) - 1), np.nan)
    for step_s in np.unique(steps).tolist():
        for merged in (True, False):
            rows = np.flatnonzero((steps == step_s) & (of_samples == merged))
            if len(rows):
                slots = _Slots.of(edges_s, step_s, merged=merged)
                values[rows] = _joined(session, ids[rows], slots, function, merged=merged)
            session.check_time()
    return Points.known(edges_s[:-1], values)


@dataclass(frozen=True, slots=True)
class _Slots:
    """The slots that make buckets: those that begin in them.

    Parameters
    ----------
    first_s, end_s, step_s
        All of them.
    begin, count : int64[buckets]
        The first slot of each bucket, and how many it has.
    """

    first_s: int
    end_s: int
    step_s: int
    begin: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def of(cls, edges_s: NDArray[np.int64], step_s: int, *, merged: bool) -> "_Slots":
        """Slots of `step_s`, or the longest that fit into all buckets."""
        edges = -(-edges_s // step_s) * step_s
        if merged:
            step_s = int(np.gcd.reduce(edges)) or step_s
        begin = (edges - edges[0]) // step_s
        return cls(int(edges[0]), int(edges[-1]), step_s, begin[:-1], np.diff(begin))

    def by_bucket(self, values: Values) -> tuple[Values, Mask]:
        """Values of slots as float64[n, buckets, slots of a bucket], and which of them there are."""
        width = int(self.count.max(initial=1))
        if (self.count == width).all():
            shaped = values.reshape(len(values), -1, width)
            return shaped, ~np.isnan(shaped)
        inside = np.arange(width) < self.count[:, None]
        places = np.where(inside, self.begin[:, None] + np.arange(width), 0)
        shaped = values[:, places]
        return shaped, inside & ~np.isnan(shaped)


def _joined(session: Session, ids: Ids, slots: _Slots, function: Aggregator, *, merged: bool) -> Values:
    wanted = _STATISTICS[function.name] if merged else (Statistic.DEFAULT,)
    width = (slots.end_s - slots.first_s) // slots.step_s
    if not width:
        return np.full((len(ids), len(slots.count)), np.nan)
    points = len(ids) * max(width, len(slots.count) * int(slots.count.max(initial=1))) * len(wanted)
    session.charge(0, points)
    session.hold(points * _POINT_BYTES)
    read = session.store.read(ids, slots.first_s, slots.end_s, slots.step_s, wanted)
    shaped = {one: slots.by_bucket(values) for one, values in read.items()}
    there = next(iter(shaped.values()))[1]
    if merged:
        found = _merged(function.name, {one: values for one, (values, _) in shaped.items()}, there)
    else:
        found = function.reduce(shaped[Statistic.DEFAULT][0], there, 2)
    session.hold(-points * _POINT_BYTES)
    return np.where(there.any(axis=2), found, np.nan)


def _merged(name: str, read: Read, there: Mask) -> Values:
    """What a function gives of all samples of the slots of each bucket."""

    def each(word: str, values: Values) -> Values:
        return AGGREGATORS[word].reduce(values, there, 2)

    match _STATISTICS[name]:
        case (Statistic.MIN,):
            return each("min", read[Statistic.MIN])
        case (Statistic.MAX,):
            return each("max", read[Statistic.MAX])
        case (Statistic.LAST,):
            return each("last", read[Statistic.LAST])
        case (one,):
            return each("sum", read[one])
    count, total = each("sum", read[Statistic.COUNT]), each("sum", read[Statistic.SUM])
    mean = total / count
    if name == "avg":
        return mean
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = read[Statistic.SUM] / read[Statistic.COUNT] - mean[:, :, None]
    squares = read[Statistic.COUNT] * (read[Statistic.SDEV] ** 2 + apart**2)
    return np.sqrt(each("sum", squares) / count)
