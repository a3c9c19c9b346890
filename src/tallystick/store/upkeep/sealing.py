"""Sealing: the tallies of a frozen head become blocks, uncompressed, in the time it takes to write them.

Compaction compresses them later. A block stays within one window, so that compaction can take a window whole.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files
from tallystick.model.retention import Retention
from tallystick.model.tally import Tally
from tallystick.store.blocks.arranging import by_window
from tallystick.store.blocks.block_set import BlockSet
from tallystick.store.blocks.merging import Source, Target, rows_between, write_merged
from tallystick.store.disk.manifest import BlockEntry


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
        rows = _rows_by_series(parts)
        series = np.flatnonzero(rows).astype(np.int32)
        series = series[living[series]]
        if not len(series):
            continue
        target = Target(retention, retention.step_s, first, end, compress=False)
        yield write_merged(target, series, [_source(parts, rows)], kinds, blocks, files)


def _source(tallies: list[Tally], rows: NDArray[np.int64]) -> Source:
    return Source(lambda ids: [rows_between(tally, ids) for tally in tallies], lambda ids: rows[ids])


def _by_window(tallies: list[Tally]) -> dict[int, list[Tally]]:
    windows: dict[int, list[Tally]] = {}
    for tally in tallies:
        for number, part in by_window(tally, tally.step_s):
            windows.setdefault(number, []).append(part)
    return windows


def _rows_by_series(tallies: list[Tally]) -> NDArray[np.int64]:
    """How many rows of each series there are, by id, up to the last one that has any."""
    counts = np.zeros(max(int(t.series[-1]) for t in tallies) + 1, np.int64)
    of_one_slot: dict[int, list[Tally]] = {}
    for tally in tallies:
        if tally.slot[0] == tally.slot[-1] and (tally.slot == tally.slot[0]).all():
            of_one_slot.setdefault(id(tally.series), []).append(tally)
        else:
            counts += np.bincount(tally.series, minlength=len(counts))
    for alike in of_one_slot.values():  # slot after slot the series usually are the same ones
        counts[alike[0].series] += len(alike)
    return counts
