"""The head: what arrived since the last sealing, in memory.

A few open slots take samples as they arrive; finished slots are kept as tallies sorted by series, those of few rows
together. Samples of slots that are not worth opening (late ones, scattered history) wait in a buffer that is folded at
once when it is read or has grown.
"""

import threading
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from tallystick.fold import OpenSlot, fold_batch
from tallystick.kernels.accumulate import write_columns, write_slots
from tallystick.kernels.extent import extent
from tallystick.kernels.fold import slot_ranges
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Tally, TallyBatch, rows_of_series
from tallystick.store.head.gathering import FinishedSlots
from tallystick.store.head.tallied import tallied_slots

OPEN_SLOTS_MAX = 4
"""Open slots cost a row for each series; older ones are finished when a newer one is opened."""
_LATE_SAMPLES_MAX = 1 << 20
_SLOT_SPAN_MAX = 1 << 16
_WORTH_OPENING_MIN = 256
_CELLS_AT_ONCE = 1 << 15


class Head:
    """Tallies of the newest samples of the series of one retention; thread-safe.

    Parameters
    ----------
    step_s
        The finest step.
    """

    def __init__(self, step_s: int) -> None:
        self.step_s = step_s
        self._lock = threading.Lock()
        self._open: dict[int, OpenSlot] = {}
        self._spare: OpenSlot | None = None  # its memory serves the next one: fresh memory costs more than filling it
        self._finished = FinishedSlots()
        self._late: list[SampleBatch] = []
        self._n_late = 0

    def __len__(self) -> int:
        """Rows and late samples held: what its memory follows."""
        with self._lock:
            return len(self._finished) + self._n_late + sum(len(slot) for slot in self._open.values())

    def fold(self, batch: SampleBatch, kinds: int, n_series: int, now_s: float) -> None:
        """Take samples.

        Parameters
        ----------
        batch
            ``ids`` are series ids below `n_series`; changes of gauges are resolved.
        kinds
            Bit mask of the kinds in the batch.
        now_s
            Epoch seconds; slots around it are opened for even one sample.
        """
        step_ms = self.step_s * 1000
        low, high = (time_ms // step_ms for time_ms in extent(batch.timestamp))
        with self._lock:
            if low == high:
                if not self._fold_slot(low, len(batch), batch, kinds, n_series, now_s):
                    self._keep_late(batch)
            elif high - low < _SLOT_SPAN_MAX:
                self._fold_slots(low, high, batch, kinds, n_series, now_s)
            else:
                self._keep_late(batch)
            if self._n_late > _LATE_SAMPLES_MAX:
                self._fold_late()

    def fold_tallies(self, batch: TallyBatch, n_series: int, now_s: float) -> None:
        """Take slots that senders tallied; parameters as those of `fold`.

        What is of an open slot is merged into it. All else comes behind what is finished, in the order of arrival; so
        do sets, of which no member is the last one.
        """
        slot = batch.timestamp // (self.step_s * 1000)
        with self._lock:
            rest = np.ones(len(batch), np.bool_)
            countable = batch.kind != Kind.SET
            for number, rows in self._slots_looked_at(slot[countable], n_series, now_s):
                opened = self._opened(number, rows, n_series, now_s)
                if opened is not None:
                    mine = countable & (slot == number)
                    opened.fold_tallies(batch if mine.all() else batch.take(np.flatnonzero(mine)), n_series)
                    rest &= ~mine
            if rest.any():
                if self._n_late:
                    self._fold_late()  # it arrived before
                left = batch if rest.all() else batch.take(np.flatnonzero(rest))
                self._finished.add(tallied_slots(left, self.step_s))

    def of_series(self, ids: NDArray[np.int32], first: int, end: int, *, histograms: bool) -> list[Tally]:
        """Tallies of some series (ids ascending) in the order of arrival; ``series`` are positions in `ids`.

        `first` and `end` bound the slots wanted; what lies outside may come along. Histograms and sketches of open
        slots cost more and come only if asked for.
        """
        found: list[Tally] = []
        with self._lock:
            if self._n_late:
                self._fold_late()
            finished = self._finished.tallies()
            for number, slot in sorted(self._open.items()):
                if not first <= number < end:
                    continue
                if histograms or slot.has_sets():
                    found += [t.of_series(ids) for t in slot.tallies()]
                else:
                    found += slot.peek(ids)
        return select_series([t for t in finished if _may_overlap(t, first, end)], ids) + found

    def last_into(self, ids: NDArray[np.int32], first: int, values: NDArray[np.float64]) -> None:
        """Write the last values of slots into ``values[series, slot - first]``; cells without a slot stay."""
        end = first + values.shape[1]
        with self._lock:
            if self._n_late:
                self._fold_late()
            finished = self._finished.tallies()
            open_slots = [t for n, slot in sorted(self._open.items()) if first <= n < end for t in slot.peek(ids)]
        write_last(finished, ids, first, values)
        for tally in open_slots:
            values[tally.series, tally.slot - first] = tally.last

    def mark_present(self, present: NDArray[np.bool_]) -> None:
        """Set ``present[series]`` for each series that has a slot here; ids beyond it are passed over."""
        with self._lock:
            columns = {id(tally.series): tally.series for tally in self._finished.tallies()}
            found = [*columns.values(), *(batch.ids for batch in self._late)]
            found += [slot.series() for slot in self._open.values()]
        for ids in found:
            present[ids[ids < len(present)]] = True

    def span_s(self) -> tuple[int, int] | None:
        """Begin of the oldest and end of the newest slot held, in epoch seconds; None if there are none."""
        with self._lock:
            if self._n_late:
                self._fold_late()
            finished = self._finished.tallies()
            low = [*self._open, *(int(t.slot.min()) for t in finished)]
            high = [*self._open, *(int(t.slot.max()) for t in finished)]
        return (min(low) * self.step_s, (max(high) + 1) * self.step_s) if low else None

    def finish_before(self, slot: int) -> None:
        """Finish the open slots before `slot`: they are over."""
        with self._lock:
            for number in sorted(n for n in self._open if n < slot):
                self._finish(number)

    def finish_all(self) -> list[Tally]:
        """Finish everything and return it; the head can still be read."""
        with self._lock:
            for number in sorted(self._open):
                self._finish(number)
            if self._n_late:
                self._fold_late()
            return self._finished.tallies()

    def _fold_slots(self, low: int, high: int, batch: SampleBatch, kinds: int, n_series: int, now_s: float) -> None:
        step_ms, count = self.step_s * 1000, high - low + 1
        samples, begin, end = np.zeros(count, np.int64), np.empty(count, np.int64), np.empty(count, np.int64)
        slot_ranges(batch.timestamp, step_ms, low, samples, begin, end)
        # Scattered history touches thousands of slots, nearly all of them for a sample or two: those are not looked at.
        looked_at = samples >= self._worth_opening_min(n_series)
        now = int(now_s) // self.step_s
        candidates = np.array([*self._open, now - 1, now, now + 1]) - low
        looked_at[candidates[(candidates >= 0) & (candidates < len(samples))]] = True
        late = (samples > 0) & ~looked_at
        for k in np.flatnonzero((samples > 0) & looked_at).tolist():
            around = batch.take(slice(int(begin[k]), int(end[k])))
            late[k] = not self._fold_slot(low + k, int(samples[k]), around, kinds, n_series, now_s)
        if late.any():
            self._keep_late(batch.take(late[batch.timestamp // step_ms - low]))

    def _slots_looked_at(self, slot: NDArray[np.int64], n_series: int, now_s: float) -> list[tuple[int, int]]:
        """Slots of a column that are open, or may be worth opening, and how many rows are of each."""
        numbers, rows = np.unique(slot, return_counts=True)
        now = int(now_s) // self.step_s
        looked_at = (rows >= self._worth_opening_min(n_series)) | np.isin(numbers, [*self._open, now - 1, now, now + 1])
        return list(zip(numbers[looked_at].tolist(), rows[looked_at].tolist(), strict=True))

    def _fold_slot(
        self, number: int, samples: int, batch: SampleBatch, kinds: int, n_series: int, now_s: float
    ) -> bool:
        """Fold the samples of one slot; False if the slot is not open and not worth it."""
        slot = self._opened(number, samples, n_series, now_s)
        if slot is None:
            return False
        slot.fold(batch, kinds, n_series)
        return True

    def _opened(self, number: int, samples: int, n_series: int, now_s: float) -> OpenSlot | None:
        """An open slot; None if it is not open and not worth it for so many samples."""
        slot = self._open.get(number)
        if slot is None:
            now = int(now_s) // self.step_s
            current = abs(number - now) <= 1
            if not current and samples < self._worth_opening_min(n_series):
                return None
            if len(self._open) >= OPEN_SLOTS_MAX:
                # Usually the oldest; where the clock was set back, one that lies ahead.
                self._finish(max(self._open, key=lambda open_slot: abs(open_slot - now)))
            slot = self._open[number] = self._begin_slot(number, n_series)
        return slot

    def _begin_slot(self, number: int, n_series: int) -> OpenSlot:
        slot, self._spare = self._spare, None
        if slot is None:
            return OpenSlot(self.step_s, number, n_series)
        slot.begin(number)
        return slot

    @staticmethod
    def _worth_opening_min(n_series: int) -> int:
        """So many samples make a slot worth opening that is not of the present."""
        return max(_WORTH_OPENING_MIN, n_series // 16)

    def _keep_late(self, batch: SampleBatch) -> None:
        self._late.append(batch)
        self._n_late += len(batch)

    def _fold_late(self) -> None:
        tallies = fold_batch(SampleBatch.concatenate(self._late), self.step_s)
        self._late, self._n_late = [], 0
        self._finished.add(tallies)

    def _finish(self, number: int) -> None:
        slot = self._open.pop(number)
        self._finished.add(slot.tallies())
        self._spare = slot


def select_series(tallies: Sequence[Tally], ids: NDArray[np.int32]) -> list[Tally]:
    """`Tally.of_series` of each; tallies that share their series column are searched once."""
    rows_in: dict[int, tuple[NDArray[np.int64], NDArray[np.int32]]] = {}
    found = []
    for tally in tallies:
        rows = rows_in.get(id(tally.series))
        if rows is None:
            rows = rows_in[id(tally.series)] = rows_of_series(tally.series, ids)
        if len(rows[0]):
            found.append(tally.take(*rows))
    return found


def write_last(tallies: Sequence[Tally], ids: NDArray[np.int32], first: int, values: NDArray[np.float64]) -> None:
    """Write the last values of some series (ids ascending) into ``values[position in ids, slot - first]``, in order."""
    end = first + values.shape[1]
    usable = (tally for tally in tallies if _may_overlap(tally, first, end))
    for (_, finished), alike in groupby(usable, lambda tally: (id(tally.series), _is_one_slot(tally))):
        part = list(alike)
        series = part[0].series  # slot after slot it usually is the same
        left, right = np.searchsorted(series, ids, side="left"), np.searchsorted(series, ids, side="right")
        if finished:
            position = np.flatnonzero(right > left)
            _write_finished(part, left[position], position, first, values)
        else:
            for tally in part:
                write_slots(left, right, tally.slot, tally.last, first, values)


def _write_finished(
    tallies: Sequence[Tally],
    rows: NDArray[np.intp],
    position: NDArray[np.intp],
    first: int,
    values: NDArray[np.float64],
) -> None:
    """`write_last` for finished slots with the same series, each of them a column of `values`."""
    if not len(rows):
        return
    at_once = max(1, _CELLS_AT_ONCE // len(rows))
    for begin in range(0, len(tallies), at_once):
        part = tallies[begin : begin + at_once]
        taken = np.empty((len(part), len(rows)))
        for tally, row in zip(part, taken, strict=True):
            tally.last.take(rows, out=row, mode="clip")  # without the copy that other modes make to be safe
        column = np.array([tally.slot[0] for tally in part], np.int64) - first
        write_columns(taken, position, column, values)


def _is_one_slot(tally: Tally) -> bool:
    """Whether all rows are of one slot: that of a finished slot has no memory of its own."""
    return tally.slot.strides == (0,)


def _may_overlap(tally: Tally, first: int, end: int) -> bool:
    """Whether a tally may hold slots of a range."""
    return not _is_one_slot(tally) or first <= tally.slot[0] < end
