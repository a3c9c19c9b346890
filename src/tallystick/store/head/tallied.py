"""Slots that senders tallied as tallies of a head: each slot of a series once, in the columns that it needs."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.histogram import bucket_column, merge_cells
from tallystick.fold.slot import single_rows
from tallystick.model.kind import Kind
from tallystick.model.tally import Histograms, Tally, TallyBatch
from tallystick.store.blocks.arranging import in_order
from tallystick.store.blocks.scattered import merged_rows


def tallied_slots(batch: TallyBatch, step_s: int) -> list[Tally]:
    """Tallies of slots of `step_s`, no two of which have the same slot of a series.

    Rows of one slot are merged, the last to arrive has the last value. There is a tally of slots with one sample, one
    of those with several and one of sets, each if there are any.
    """
    is_set = batch.kind == Kind.SET
    found = []
    if is_set.any():
        sets = _part(batch, is_set)
        rows = _merged(Tally(step_s, sets.ids, _slots(sets, step_s), sets.last, sketches=sets.sketches), sets)
        found.append(replace(rows, spread=None))
    if not is_set.all():
        numbers = _part(batch, ~is_set)
        columns = numbers.last, numbers.spread, _histograms(numbers)
        found += _by_columns(_merged(Tally(step_s, numbers.ids, _slots(numbers, step_s), *columns), numbers))
    return found


def _part(batch: TallyBatch, mask: NDArray[np.bool_]) -> TallyBatch:
    return batch if mask.all() else batch.take(np.flatnonzero(mask))


def _slots(batch: TallyBatch, step_s: int) -> NDArray[np.int64]:
    return batch.timestamp // (1000 * step_s)


def _histograms(batch: TallyBatch) -> Histograms | None:
    """The histograms of timings, with those that follow from the value where there was one sample."""
    timing = batch.kind == Kind.TIMING
    if not timing.any():
        return None
    single = np.flatnonzero(timing & single_rows(batch))
    given = batch.histograms
    if not len(single):
        return given
    parts = [(single, bucket_column(batch.last[single]), np.ones(len(single)))]
    if given is not None:
        row = np.repeat(np.arange(len(batch)), np.diff(given.offset))
        others = ~np.isin(row, single)
        parts.append((row[others], given.bucket[others], given.weight[others]))
    rows, buckets, weights = zip(*parts, strict=True)
    return merge_cells(len(batch), np.concatenate(rows), np.concatenate(buckets), np.concatenate(weights))


def _merged(rows: Tally, batch: TallyBatch) -> Tally:
    """Rows by series and slot, those of one slot made one."""
    ordered = in_order(rows)
    repeated = (ordered.series[1:] == ordered.series[:-1]) & (ordered.slot[1:] == ordered.slot[:-1])
    if not repeated.any():
        return ordered
    ids, position = np.unique(ordered.series, return_inverse=True)
    kind = np.zeros(len(ids), np.uint8)
    kind[np.searchsorted(ids, batch.ids)] = batch.kind
    first, end = int(ordered.slot.min()), int(ordered.slot.max()) + 1
    placed = replace(ordered, series=position.astype(np.int32))
    return merged_rows([placed], ids, kind == Kind.TIMING, first, end - first, rows.step_s)


def _by_columns(rows: Tally) -> list[Tally]:
    """Slots with one sample apart from those with several."""
    plain = TallyBatch(rows.series, rows.slot, np.zeros(len(rows), np.uint8), rows.last, rows.full)
    single = single_rows(plain)
    if not single.any():
        return [rows]
    alone, several = np.flatnonzero(single), np.flatnonzero(~single)
    found = [Tally(rows.step_s, rows.series[alone], rows.slot[alone], rows.last[alone])]
    return [*found, rows.take(several)] if len(several) else found
