"""Sealing: the tallies of a frozen head become blocks, uncompressed, in the time it takes to write them.

Compaction compresses them later. A block stays within one window, so that compaction can take a window whole.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention
from tallystick.model.tally import Tally
from tallystick.store.blocks import BlockSet
from tallystick.store.files import Files
from tallystick.store.manifest import BlockEntry
from tallystick.store.merging import SLOTS_PER_BLOCK, Target, rows_between, write_merged


def seal(
    tallies: list[Tally],
    retention: Retention,
    kinds: NDArray[np.uint8],
    living: NDArray[np.bool_],
    blocks: BlockSet,
    files: Files,
) -> Iterator[BlockEntry]:
    """Write tallies of the finest step, in the order of arrival, as blocks that the manifest does not yet name.

    What is of no `living` series (bool by id) is left out.
    """
    for parts in _by_window(tallies).values():
        first = min(int(t.slot.min()) for t in parts)
        end = max(int(t.slot.max()) for t in parts) + 1
        series = _union([t.series for t in parts])
        series = series[living[series]]
        if not len(series):
            continue
        target = Target(retention, retention.step_s, first, end, compress=False)
        sources = [lambda ids, parts=parts: [rows_between(t, ids) for t in parts]]
        yield write_merged(target, series, sources, kinds, blocks, files)


def _by_window(tallies: list[Tally]) -> dict[int, list[Tally]]:
    windows: dict[int, list[Tally]] = {}
    for tally in tallies:
        for number, part in _split(tally):
            windows.setdefault(number, []).append(part)
    return windows


def _split(tally: Tally) -> Iterator[tuple[int, Tally]]:
    if not len(tally):
        return
    low, high = int(tally.slot.min()) // SLOTS_PER_BLOCK, int(tally.slot.max()) // SLOTS_PER_BLOCK
    if low == high:
        yield low, tally
        return
    window = tally.slot // SLOTS_PER_BLOCK
    for number in np.unique(window).tolist():
        yield number, tally.take(np.flatnonzero(window == number))


def _union(columns: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """All series in some ascending columns, ascending."""
    different = {id(column): column for column in columns}  # slot after slot it is usually the same one
    present = np.zeros(max(int(c[-1]) for c in different.values()) + 1, np.bool_)
    for column in different.values():
        present[column] = True
    return np.flatnonzero(present).astype(np.int32)
