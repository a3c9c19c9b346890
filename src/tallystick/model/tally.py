"""`Tally`: the statistics of slots, at any resolution."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spread:
    """The statistics that a slot has beside its last value, where it had more than one sample.

    Parameters
    ----------
    count, sum, m2, min, max : float64[n]
        Weighted number of samples, their weighted sum, the weighted sum of squared deviations from their mean,
        and the extremes.
    """

    count: NDArray[np.float64]
    sum: NDArray[np.float64]
    m2: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Spread":
        """The rows selected."""
        return Spread(self.count[rows], self.sum[rows], self.m2[rows], self.min[rows], self.max[rows])

    @classmethod
    def of_singles(cls, value: NDArray[np.float64]) -> "Spread":
        """The spread of slots with exactly one sample of weight 1: it follows from the value."""
        return cls(np.ones(len(value)), value, np.zeros(len(value)), value, value)


@dataclass(frozen=True, slots=True)
class Histograms:
    """Base-2 exponential histograms, one for each of some rows, in compressed-row form.

    Parameters
    ----------
    offset : int64[n + 1]
        Row ``i`` has the buckets ``offset[i]:offset[i + 1]``; rows without a histogram are empty.
    bucket : int32[m]
        Index of each bucket, ascending within a row; see `tallystick.fold.histogram` for the bounds.
    weight : float64[m]
        Weighted number of samples in the bucket.
    """

    offset: NDArray[np.int64]
    bucket: NDArray[np.int32]
    weight: NDArray[np.float64]

    def take(self, rows: "NDArray[np.int64]") -> "Histograms":
        """The histograms of the rows at these positions."""
        offset, inside = _take_ranges(self.offset, rows)
        return Histograms(offset, self.bucket[inside], self.weight[inside])

    @classmethod
    def none(cls, rows: int) -> "Histograms":
        """Rows without a histogram."""
        return cls(np.zeros(rows + 1, np.int64), np.empty(0, np.int32), np.empty(0))


@dataclass(frozen=True, slots=True)
class Sketches:
    """Serialised HyperLogLog sketches, one for each of some rows, in compressed-row form.

    Parameters
    ----------
    offset : int64[n + 1]
        Row ``i`` has the bytes ``offset[i]:offset[i + 1]``; rows without a sketch are empty.
    data : uint8[m]
        The sketches, back to back.
    """

    offset: NDArray[np.int64]
    data: NDArray[np.uint8]

    def take(self, rows: "NDArray[np.int64]") -> "Sketches":
        """The sketches of the rows at these positions."""
        offset, inside = _take_ranges(self.offset, rows)
        return Sketches(offset, self.data[inside])

    @classmethod
    def none(cls, rows: int) -> "Sketches":
        """Rows without a sketch."""
        return cls(np.zeros(rows + 1, np.int64), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True)
class Tally:
    """The statistics of some slots of some series: what folding yields and the store keeps.

    Two tallies of one slot merge into one, in any order, with the same result up to rounding.
    A tally without `spread` holds slots that had exactly one sample of weight 1: one column instead of six.

    Parameters
    ----------
    series : int32[n]
        Series ids, ascending.
    slot : int64[n]
        Start of the slot divided by `step_s`; ascending within a series.
    last : float64[n]
        The latest sample by timestamp, then by arrival.
    spread
        The other statistics, or None where each slot had one sample.
    histograms, sketches
        Of timings and of sets, or None if there are none.
    step_s
        Seconds that a slot lasts.
    """

    step_s: int
    series: NDArray[np.int32]
    slot: NDArray[np.int64]
    last: NDArray[np.float64]
    spread: Spread | None = None
    histograms: Histograms | None = None
    sketches: Sketches | None = None

    def __len__(self) -> int:
        return len(self.series)

    @property
    def full(self) -> Spread:
        """The spread, made from the values where it was left out."""
        return self.spread if self.spread is not None else Spread.of_singles(self.last)

    def take(self, rows: NDArray[np.int64], series: NDArray[np.int32] | None = None) -> "Tally":
        """The rows at these positions, under other series ids if given."""
        return Tally(
            self.step_s,
            self.series[rows] if series is None else series,
            self.slot[rows],
            self.last[rows],
            None if self.spread is None else self.spread.take(rows),
            None if self.histograms is None else self.histograms.take(rows),
            None if self.sketches is None else self.sketches.take(rows),
        )

    def take_slice(self, begin: int, end: int, series: NDArray[np.int32]) -> "Tally":
        """The rows from `begin` to `end` under other series ids; columns are views."""
        rows = slice(begin, end)
        positions = np.arange(begin, end)
        return Tally(
            self.step_s,
            series,
            self.slot[rows],
            self.last[rows],
            None if self.spread is None else self.spread.take(rows),
            None if self.histograms is None else self.histograms.take(positions),
            None if self.sketches is None else self.sketches.take(positions),
        )

    def of_series(self, ids: NDArray[np.int32]) -> "Tally":
        """The rows of some series (ids ascending); ``series`` of the result are positions in `ids`."""
        return self.take(*rows_of_series(self.series, ids))


@dataclass(frozen=True, slots=True)
class TallyBatch:
    """Slots that senders tallied themselves, on their way to the store: for them what `SampleBatch` is for samples.

    Parameters
    ----------
    ids : int32[n]
        Before the route: entries of the name table. After it: series ids. In the order of arrival.
    timestamp : int64[n]
        Milliseconds since the epoch of any moment in the slot: what was counted is put into the slot of the store that
        it lies in.
    kind : uint8[n]
        `tallystick.model.kind.Kind` of each row.
    last : float64[n]
        The latest sample; of a set the number of its members.
    spread
        The other statistics.
    histograms, sketches
        Of timings and of sets, or None if no row has any.
    statsd : bool[n] or None
        Whose samples came by StatsD to who tallied them; None if no row's did.
    """

    ids: NDArray[np.int32]
    timestamp: NDArray[np.int64]
    kind: NDArray[np.uint8]
    last: NDArray[np.float64]
    spread: Spread
    histograms: Histograms | None = None
    sketches: Sketches | None = None
    statsd: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.int64] | NDArray[np.intp] | NDArray[np.bool_]) -> "TallyBatch":
        """The rows that a mask or an array of positions selects."""
        at = np.arange(len(self))[rows]
        return TallyBatch(
            self.ids[at],
            self.timestamp[at],
            self.kind[at],
            self.last[at],
            self.spread.take(at),
            None if self.histograms is None else self.histograms.take(at),
            None if self.sketches is None else self.sketches.take(at),
            None if self.statsd is None else self.statsd[at],
        )

    @classmethod
    def empty(cls) -> "TallyBatch":
        """A batch without rows."""
        none = np.empty(0)
        spread = Spread(none, none, none, none, none)
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.uint8), none, spread)

    def with_ids(self, ids: NDArray[np.int32]) -> "TallyBatch":
        """The same slots under other ids; shares the other columns."""
        return replace(self, ids=ids)


def offsets(lengths: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Row offsets (n + 1) from row lengths (n)."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.asarray(lengths, np.int64), dtype=np.int64)])


def rows_of_series(series: NDArray[np.int32], ids: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Where in an ascending column the series `ids` (ascending) are: rows, and for each its position in `ids`."""
    first = np.searchsorted(series, ids, side="left")
    lengths = np.searchsorted(series, ids, side="right") - first
    position = np.repeat(np.arange(len(ids), dtype=np.int32), lengths)
    return np.repeat(first - np.cumsum(lengths) + lengths, lengths) + np.arange(len(position)), position


def _take_ranges(offset: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """New row offsets, and the positions of what lies in the ranges of `rows`."""
    lengths = np.diff(offset)[rows]
    taken = offsets(lengths)
    return taken, np.repeat(offset[:-1][rows] - taken[:-1], lengths) + np.arange(taken[-1])
