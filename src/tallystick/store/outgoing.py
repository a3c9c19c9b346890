"""All that a store has of some series, piece by piece: what export writes and dump shows.

Each sample is in one row: that of the finest slots that still hold it. A coarser slot counts where it has more than the
finer ones in its time; it then holds what they do, and they are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.kind import Kind
from tallystick.model.tally import Tally
from tallystick.store.blocks.arranging import narrowed
from tallystick.store.blocks.merging import SLOTS_PER_BLOCK
from tallystick.store.history import History
from tallystick.store.loading.bulk import joined
from tallystick.store.readable import Readable

_ROWS_AT_ONCE = 1 << 20
_SERIES_AT_ONCE = 4096
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, epoch seconds, its end excluded."""

    start_s: int
    until_s: int


def pieces(store: Readable, ids: NDArray[np.int32], span: Span, step_s: int | None = None) -> Iterator[History]:
    """What a store has of some series in a stretch of time.

    Parameters
    ----------
    ids : int32[n]
        In any order; series come out by it, several at once.
    step_s
        Merge everything into slots of this step; by default everything is as fine as it is kept.
    """
    by_steps: dict[tuple[int, ...], list[int]] = {}
    for series in ids.tolist():
        steps = tuple(resolution.step_s for resolution in store.retention(series).resolutions)
        by_steps.setdefault(steps, []).append(series)
    for steps, members in by_steps.items():
        wanted = steps if step_s is None else (step_s,)
        at_once = max(1, min(_SERIES_AT_ONCE, _ROWS_AT_ONCE // (1 + _slots_at_most(store, span, wanted))))
        for begin in range(0, len(members), at_once):
            chunk = np.array(sorted(members[begin : begin + at_once]), np.int32)
            names = store.catalog.names(chunk)
            kinds = [Kind(kind) for kind in store.catalog.kinds(chunk).tolist()]
            for tally in _levels(store, chunk, span, wanted):
                if len(tally):
                    yield History(names, kinds, narrowed(tally))


def _levels(store: Readable, ids: NDArray[np.int32], span: Span, steps: tuple[int, ...]) -> list[Tally]:
    """The rows of each step, finest first."""
    levels: list[Tally] = []
    for step_s in steps:
        level = _level(store, ids, span, step_s, alone=len(steps) == 1)
        if level is None:
            continue
        counted = np.zeros(len(level))
        for finer in levels:
            at, inside = _places(finer, level)
            counted += np.bincount(at[inside], finer.full.count[inside], len(level))
        more = level.full.count > counted * (1.0 + _ROUNDING)
        level = level.take(np.flatnonzero(more))
        levels = [finer.take(np.flatnonzero(~_places(finer, level)[1])) for finer in levels]
        levels.append(level)
    return levels


def _level(store: Readable, ids: NDArray[np.int32], span: Span, step_s: int, *, alone: bool) -> Tally | None:
    """All rows of one step."""
    parts = []
    for window in sorted(_windows(store, ids, span, step_s, alone=alone)):
        start_s = max(window * step_s * SLOTS_PER_BLOCK, -(-span.start_s // step_s) * step_s)
        until_s = min((window + 1) * step_s * SLOTS_PER_BLOCK, -(-span.until_s // step_s) * step_s)
        if start_s < until_s:
            part = store.tally(ids, start_s, until_s, step_s)
            parts.append(History([], [], part))
    if not parts:
        return None
    whole = joined(parts).tally
    return whole.take(np.lexsort((whole.slot, whole.series)))


def _windows(store: Readable, ids: NDArray[np.int32], span: Span, step_s: int, *, alone: bool) -> set[int]:
    """Windows of a step in which blocks or heads of it (of all finer ones too, if `alone`) may have something."""
    window_s = step_s * SLOTS_PER_BLOCK
    sources = store.sources()
    found: set[int] = set()
    for one in sources.blocks:
        entry = one.entry
        if entry.step_s == step_s or (alone and step_s % entry.step_s == 0):
            start_s, end_s = max(entry.start_s, span.start_s), min(entry.end_s, span.until_s)
            found.update(range(start_s // window_s, -(-end_s // window_s)))
    tallies = [t.of_series(ids) for t in sources.frozen]
    for head in sources.heads:
        tallies += head.of_series(ids, span.start_s // head.step_s, -(-span.until_s // head.step_s), histograms=False)
    for tally in tallies:
        if tally.step_s == step_s or (alone and step_s % tally.step_s == 0):
            found.update(np.unique(np.asarray(tally.slot) * tally.step_s // window_s).tolist())
    return found


def _slots_at_most(store: Readable, span: Span, steps: tuple[int, ...]) -> int:
    """How many rows one series may have."""
    nobody = np.empty(0, np.int32)
    return sum(SLOTS_PER_BLOCK * len(_windows(store, nobody, span, s, alone=len(steps) == 1)) for s in steps)


def _places(finer: Tally, coarser: Tally) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each finer row, which of the coarser ones (in order) it lies in, and whether there is one."""
    if not len(coarser):
        return np.zeros(len(finer), np.int64), np.zeros(len(finer), np.bool_)
    theirs = _keys(coarser.series, coarser.slot)
    mine = _keys(finer.series, finer.slot * finer.step_s // coarser.step_s)
    at = np.minimum(np.searchsorted(theirs, mine), len(theirs) - 1)
    return at, theirs[at] == mine


def _keys(series: NDArray[np.int32], slot: NDArray[np.int64]) -> NDArray[np.int64]:
    return (series.astype(np.int64) << 36) | slot
