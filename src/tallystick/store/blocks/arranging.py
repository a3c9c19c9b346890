"""Rows in the order that blocks are written in."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tallystick.model.tally import Histograms, Sketches, Spread, Tally, offsets
from tallystick.store.blocks.block_writer import Pages
from tallystick.store.blocks.merging import SLOTS_PER_BLOCK


def in_order(rows: Tally) -> Tally:
    """Rows sorted by series and slot, those of one slot in the order they came in."""
    series, slot = rows.series, rows.slot
    later = (series[1:] > series[:-1]) | ((series[1:] == series[:-1]) & (slot[1:] >= slot[:-1]))
    return rows if later.all() else rows.take(np.lexsort((slot, series)))


def concatenated(tallies: Sequence[Tally], series: NDArray[np.int32] | None = None) -> Tally:
    """The rows of tallies of one step, one after the other, under other series ids if given.

    All of them have a spread, or none has.
    """
    return Tally(
        tallies[0].step_s,
        np.concatenate([t.series for t in tallies]) if series is None else series,
        np.concatenate([t.slot for t in tallies]),
        np.concatenate([t.last for t in tallies]),
        _spreads(tallies),
        _histograms(tallies),
        _sketches(tallies),
    )


def narrowed(rows: Tally) -> Tally:
    """The same rows without a spread, if every slot had one sample."""
    s, last = rows.full, rows.last
    plain = (s.count == 1.0) & (s.m2 == 0.0) & (s.sum == last) & (s.min == last) & (s.max == last)
    if plain.all() and rows.sketches is None:
        return Tally(rows.step_s, rows.series, rows.slot, last)
    return rows


def by_window(rows: Tally, step_s: int) -> Iterator[tuple[int, Tally]]:
    """Rows that are in order, cut by the window of `step_s` that each is in: its number, and the rows."""
    slot = np.asarray(rows.slot)
    window = slot // SLOTS_PER_BLOCK if rows.step_s == step_s else slot * rows.step_s // (step_s * SLOTS_PER_BLOCK)
    low = int(window.min())
    if low == int(window.max()):
        yield low, rows
        return
    window -= low
    # Sixteen bits are sorted without comparing.
    order = np.argsort(window.astype(np.uint16) if int(window.max()) < 1 << 16 else window, kind="stable")
    rows = rows.take(order)
    ends = np.cumsum(np.bincount(window))
    begins = ends - np.bincount(window)
    for number in np.flatnonzero(ends > begins).tolist():
        begin, end = int(begins[number]), int(ends[number])
        yield low + number, rows.take_slice(begin, end, rows.series[begin:end])


def union(columns: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """The numbers in some ascending columns of ids, ascending, each once."""
    present = np.zeros(max((int(column[-1]) + 1 for column in columns if len(column)), default=0), np.bool_)
    for column in columns:
        present[column] = True
    return np.flatnonzero(present).astype(np.int32)


def numbered(ascending: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The numbers in an ascending column, each once, and for each row the position of its number among them."""
    new = np.concatenate([[True], ascending[1:] != ascending[:-1]])
    return ascending[new], (np.cumsum(new) - 1).astype(np.int32)


def ascending_runs(batches: Sequence[Pages]) -> list[list[Pages]]:
    """Batches of pages, each of ascending series, put together so that the series of each run ascend throughout.

    Of batches that share series, what came later is in a later run.
    """
    batches = [batch for batch in batches if len(batch.series)]
    by_series = sorted(batches, key=_first_series)
    if all(one.series[-1] < other.series[0] for one, other in pairwise(by_series)):
        return [by_series] if by_series else []
    runs: list[list[Pages]] = []
    for batch in batches:
        shared = [k for k, run in enumerate(runs) if run[-1].series[-1] >= batch.series[0]]
        place = shared[-1] + 1 if shared else 0
        if place == len(runs):
            runs.append([])
        runs[place].append(batch)
    return runs


def _first_series(batch: Pages) -> int:
    return int(batch.series[0])


def _spreads(tallies: Sequence[Tally]) -> Spread | None:
    s = [t.spread for t in tallies if t.spread is not None]
    if not s:
        return None
    return Spread(
        np.concatenate([x.count for x in s]),
        np.concatenate([x.sum for x in s]),
        np.concatenate([x.m2 for x in s]),
        np.concatenate([x.min for x in s]),
        np.concatenate([x.max for x in s]),
    )


def _histograms(tallies: Sequence[Tally]) -> Histograms | None:
    if all(t.histograms is None for t in tallies):
        return None
    h = [t.histograms or Histograms.none(len(t)) for t in tallies]
    lengths = np.concatenate([np.diff(x.offset) for x in h])
    return Histograms(offsets(lengths), np.concatenate([x.bucket for x in h]), np.concatenate([x.weight for x in h]))


def _sketches(tallies: Sequence[Tally]) -> Sketches | None:
    if all(t.sketches is None for t in tallies):
        return None
    s = [t.sketches or Sketches.none(len(t)) for t in tallies]
    lengths = np.concatenate([np.diff(x.offset) for x in s])
    return Sketches(offsets(lengths), np.concatenate([x.data for x in s]))
