"""`OpenSlot`: the slot that samples are arriving for."""

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.histogram import HistogramTable, merge_cells
from tallystick.fold.members import MemberTable
from tallystick.kernels.fold import COUNT, M2, MAX, MIN, ROWS, SPREAD_COLUMNS, SPREADS, SUM, fold_slot, rows_in_order
from tallystick.kernels.fold_tallies import fold_tallied, singles
from tallystick.model.columns import grown
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Spread, Tally, TallyBatch

_SET_BIT = 1 << Kind.SET
_TIMING_BIT = 1 << Kind.TIMING
_SPARSE = 64
"""Where fewer than one in so many series have a row, sorting the rows is less than looking at all series."""


class OpenSlot:
    """Statistics of one slot in the making; memory follows the series seen in it.

    Not thread-safe: the owner holds a lock around each call.

    Parameters
    ----------
    step_s
        Seconds that the slot lasts.
    slot
        Its start divided by `step_s`.
    n_series
        Series ids that may come are below this; `grow` raises it.
    """

    def __init__(self, step_s: int, slot: int, n_series: int) -> None:
        self.step_s = step_s
        self.slot = slot
        # One more than the row of each series. Zeros take no memory before they are written over.
        self._row_of = np.zeros(max(n_series, 1024), np.int32)
        self._row_series = np.empty(1024, np.int32)
        self._last = np.empty(1024)
        self._at = np.empty(1024, np.int32)
        self._spread_of = np.empty(1024, np.int32)
        self._spreads = np.empty((1024, SPREAD_COLUMNS))
        self._used = np.zeros(2, np.int64)
        self._histograms: HistogramTable | None = None
        self._members: MemberTable | None = None

    def begin(self, slot: int) -> None:
        """Forget everything and be another slot, in the same memory."""
        self.slot = slot
        rows = int(self._used[ROWS])
        if rows * _SPARSE < len(self._row_of):
            self._row_of[self._row_series[:rows]] = 0  # what was not written takes no memory
        else:
            self._row_of[:] = 0
        self._used[:] = 0
        self._histograms = self._members = None

    def __len__(self) -> int:
        """Series that have a row."""
        return int(self._used[ROWS]) + (len(self._members) if self._members is not None else 0)

    def fold(self, batch: SampleBatch, kinds: int, n_series: int) -> int:
        """Fold those samples of `batch` that lie in the slot; the others are passed over.

        Parameters
        ----------
        batch
            ``ids`` are series ids below `n_series`; changes of gauges are resolved.
        kinds
            Bit mask of the kinds in the batch (`tallystick.kernels.fold.kinds_present`).

        Returns
        -------
        int
            How many samples lay in the slot.
        """
        self._grow(n_series)
        folded = 0
        if kinds & _SET_BIT:
            is_set = (batch.kind & 127) == Kind.SET
            folded += self._fold_members(batch.take(self._within(batch) & is_set))
            batch = batch.take(~is_set)
        if kinds & _TIMING_BIT:
            timings = batch.take(self._within(batch) & (batch.kind == Kind.TIMING))
            if self._histograms is None:
                self._histograms = HistogramTable()
            self._histograms.add(timings.ids, timings.value, timings.weight)
        self._make_room(len(batch))
        start_ms = self.slot * self.step_s * 1000
        return folded + fold_slot(
            batch.ids,
            batch.timestamp,
            batch.value,
            batch.weight,
            start_ms,
            start_ms + self.step_s * 1000,
            self._row_of,
            self._row_series,
            self._last,
            self._at,
            self._spread_of,
            self._spreads,
            self._used,
        )

    def fold_tallies(self, batch: TallyBatch, n_series: int) -> None:
        """Fold what senders tallied of the slot.

        Parameters
        ----------
        batch
            All of it lies in the slot, and nothing of it is of a set. ``ids`` are series ids below `n_series`.
        """
        self._grow(n_series)
        timing = batch.kind == Kind.TIMING
        if timing.any():
            self._fold_histograms(batch, timing)
        self._make_room(len(batch))
        s = batch.spread
        fold_tallied(
            batch.ids,
            batch.last,
            *(s.count, s.sum, s.m2, s.min, s.max),
            self._row_of,
            self._row_series,
            self._last,
            self._at,
            self._spread_of,
            self._spreads,
            self._used,
        )

    def tallies(self) -> list[Tally]:
        """What the slot holds now: rows of one sample, rows of several, and sets, each if there are any."""
        singles, fulls = self._in_order()
        found = []
        if len(singles):
            found.append(self._tally(singles, None))
        if len(fulls):
            found.append(self._tally(fulls, self._spread(fulls)))
        if self._members is not None:
            found.append(self._members.tally(self.step_s, self.slot))
        return found

    def peek(self, ids: NDArray[np.int32]) -> list[Tally]:
        """Like `tallies`, of some series only; ``series`` of the result are positions in `ids`. Without histograms."""
        known = ids < len(self._row_of)
        rows = np.where(known, self._row_of[np.where(known, ids, 0)] - 1, -1)
        position = np.flatnonzero(rows >= 0).astype(np.int32)
        rows = rows[position]
        full = self._spread_of[rows] >= 0
        found = []
        for mask, with_spread in ((~full, False), (full, True)):
            if mask.any():
                spread = self._spread(rows[mask]) if with_spread else None
                slot = np.full(int(mask.sum()), self.slot, np.int64)
                found.append(Tally(self.step_s, position[mask], slot, self._last[rows[mask]], spread))
        return found

    def series(self) -> NDArray[np.int32]:
        """The series that have a row, and sets."""
        rows = self._row_series[: int(self._used[ROWS])].copy()
        return rows if self._members is None else np.concatenate([rows, self._members.series()])

    def has_sets(self) -> bool:
        """Whether sets were folded: `peek` leaves them out."""
        return self._members is not None

    def _in_order(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The rows without a spread and those with one, by ascending series."""
        n = int(self._used[ROWS])
        if n * _SPARSE < len(self._row_of):
            rows = np.argsort(self._row_series[:n]).astype(np.int32)
            single = self._spread_of[rows] < 0
            return rows[single], rows[~single]
        singles, fulls = np.empty(n, np.int32), np.empty(n, np.int32)
        n_singles, n_fulls = rows_in_order(self._row_of, self._spread_of, len(self._row_of), singles, fulls)
        return singles[:n_singles], fulls[:n_fulls]

    def _tally(self, rows: NDArray[np.int32], spread: Spread | None) -> Tally:
        series = self._row_series[rows]
        slot = np.broadcast_to(np.int64(self.slot), len(rows))
        histograms = None
        if spread is not None and self._histograms is not None:
            cell_series, bucket, weight = self._histograms.cells()
            row = np.searchsorted(series, cell_series)
            row[row == len(series)] = 0
            mine = series[row] == cell_series
            histograms = merge_cells(len(rows), row[mine], bucket[mine], weight[mine])
        return Tally(self.step_s, series, slot, self._last[rows], spread, histograms)

    def _spread(self, rows: NDArray[np.int32]) -> Spread:
        cells = self._spreads[self._spread_of[rows]]
        return Spread(cells[:, COUNT], cells[:, SUM], cells[:, M2], cells[:, MIN], cells[:, MAX])

    def _within(self, batch: SampleBatch) -> NDArray[np.bool_]:
        within: NDArray[np.bool_] = batch.timestamp // (self.step_s * 1000) == self.slot
        return within

    def _fold_members(self, batch: SampleBatch) -> int:
        if len(batch):
            if self._members is None:
                self._members = MemberTable()
            self._members.add(batch.ids, batch.value)
        return len(batch)

    def _fold_histograms(self, batch: TallyBatch, timing: NDArray[np.bool_]) -> None:
        if self._histograms is None:
            self._histograms = HistogramTable()
        single = timing & single_rows(batch)
        self._histograms.add(batch.ids[single], batch.last[single], np.ones(int(single.sum())))
        if batch.histograms is not None:
            h = batch.histograms.take(np.flatnonzero(timing & ~single))
            series = np.repeat(batch.ids[timing & ~single], np.diff(h.offset))
            self._histograms.add_cells(series, h.bucket, h.weight)

    def _grow(self, n_series: int) -> None:
        self._row_of = grown(self._row_of, n_series)

    def _make_room(self, samples: int) -> None:
        rows = int(self._used[ROWS]) + samples
        self._row_series, self._last = grown(self._row_series, rows), grown(self._last, rows)
        self._at, self._spread_of = grown(self._at, rows), grown(self._spread_of, rows)
        self._spreads = grown(self._spreads, int(self._used[SPREADS]) + samples)


def single_rows(batch: TallyBatch) -> NDArray[np.bool_]:
    """Which rows are of one sample of weight 1: their statistics, and the histogram of a timing, follow from it."""
    single = np.empty(len(batch), np.bool_)
    s = batch.spread
    singles(batch.last, s.count, s.sum, s.m2, s.min, s.max, single)
    return single
