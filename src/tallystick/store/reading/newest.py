"""The newest slot of series: when it was, and its last value."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import DamageError
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.head.head import select_series
from tallystick.store.reading.reader import Aside, Sources

_NOT_YET = -(1 << 62)


def last_seen(sources: Sources, ids: NDArray[np.int32], aside: Aside) -> NDArray[np.int64]:
    """Start in epoch seconds of the newest slot of each series; -1 where there is none.

    Parameters
    ----------
    ids : int32[n]
        Ascending.
    aside
        Is given blocks that turn out to be damaged.

    Notes
    -----
    Blocks are asked newest first, and only about series that may have something newer there. Of a page only its head is
    read, where its last slot is told; but it is checked as a whole before it is read for the first time.
    """
    newest, _ = _in_memory(sources, ids)
    for block, wanted in _newest_first(sources, newest):
        try:
            position, start_s = block.block.last_slots(ids[wanted])
        except DamageError as error:
            aside.set_aside(block.entry, error)
            continue
        newest[wanted[position]] = np.maximum(newest[wanted[position]], start_s)
    return np.where(newest == _NOT_YET, -1, newest)


def last_values(sources: Sources, ids: NDArray[np.int32], aside: Aside) -> NDArray[np.float64]:
    """The last value of each series (ids ascending) that is known; NaN where there is none."""
    newest, values = _in_memory(sources, ids)
    for block, wanted in _newest_first(sources, newest):
        try:
            tallies = block.block.tallies(ids[wanted], keep=False)
        except DamageError as error:
            aside.set_aside(block.entry, error)
            continue
        for tally in tallies:
            # Rows of a series ascend by slot, so that the last assignment is the newest one.
            later = np.asarray(tally.slot) * tally.step_s > newest[wanted[tally.series]]
            place = wanted[tally.series[later]]
            newest[place], values[place] = tally.slot[later] * tally.step_s, tally.last[later]
    return values


def _in_memory(sources: Sources, ids: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Start and last value of the newest slot of each series in the heads."""
    newest, values = np.full(len(ids), _NOT_YET, np.int64), np.full(len(ids), np.nan)
    tallies = select_series(sources.frozen, ids)
    for head in sources.heads:
        tallies += head.of_series(ids, -(1 << 62), 1 << 62, histograms=False)
    for tally in tallies:
        start_s = np.asarray(tally.slot) * tally.step_s
        order = np.argsort(start_s, kind="stable")
        later = order[start_s[order] >= newest[tally.series[order]]]
        newest[tally.series[later]], values[tally.series[later]] = start_s[later], tally.last[later]
    return newest, values


def _newest_first(sources: Sources, newest: NDArray[np.int64]) -> Iterator[tuple[OpenBlock, NDArray[np.intp]]]:
    """Blocks by their ends, latest first and of those the one that came last, and the series they may be news of."""
    blocks = sorted(enumerate(sources.blocks), key=lambda one: (one[1].entry.end_s, one[0]), reverse=True)
    for _, block in blocks:
        wanted = np.flatnonzero(newest + block.entry.step_s < block.entry.end_s)
        if len(wanted):
            yield block, wanted
