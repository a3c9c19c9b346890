"""Merging tallies and blocks into one new block: what sealing, compaction and rolling up have in common."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.kind import Kind
from tallystick.model.retention import Retention
from tallystick.model.tally import Tally
from tallystick.store.accumulator import Accumulator
from tallystick.store.anatomy import BlockFooter
from tallystick.store.block_writer import Pages, pages_of, write_block
from tallystick.store.blocks import BlockSet
from tallystick.store.files import Files
from tallystick.store.manifest import BlockEntry

SLOTS_PER_BLOCK = 720
"""Slots of a window: no block reaches over the end of one. Windows of a coarser step hold whole ones of a finer
step."""
_CELLS_AT_ONCE = 1 << 18

Select = Callable[[NDArray[np.int32]], list[Tally]]
"""Gives the tallies of some series (ids ascending), with positions in the ids as their ``series``."""


@dataclass(frozen=True, slots=True)
class Target:
    """The block to write: slots ``[first, end)`` of `step_s`, all within one window, of series kept by `retention`."""

    retention: Retention
    step_s: int
    first: int
    end: int
    compress: bool


def window_of(start_s: int, step_s: int) -> int:
    """Number of the window that a moment is in."""
    return start_s // (step_s * SLOTS_PER_BLOCK)


def write_merged(
    target: Target,
    series: NDArray[np.int32],
    sources: Sequence[Select],
    kinds: NDArray[np.uint8],
    blocks: BlockSet,
    files: Files,
) -> BlockEntry:
    """Merge what the sources have of some series into a new block, not yet named by the manifest.

    Parameters
    ----------
    series : int32[n]
        Ascending.
    sources
        In the order of arrival.
    kinds
        Kinds of all series by id.
    """
    number, path = blocks.next_path()
    footer = BlockFooter(1, str(target.retention), target.step_s, target.first, target.end - target.first)
    try:
        n_series, file_bytes = write_block(path, footer, merged_pages(target, series, sources, kinds), files)
    except BaseException:
        with contextlib.suppress(OSError):
            files.remove(path)  # the disk may have failed when it was already there
        raise
    return BlockEntry(
        number,
        str(target.retention),
        target.step_s,
        target.first * target.step_s,
        target.end * target.step_s,
        n_series,
        file_bytes,
        compressed=target.compress,
    )


def merged_pages(
    target: Target, series: NDArray[np.int32], sources: Sequence[Select], kinds: NDArray[np.uint8]
) -> Iterator[Pages]:
    """The pages of `write_merged`, a few series at once: memory is that of a matrix of them."""
    width = target.end - target.first
    n_rows = max(1, _CELLS_AT_ONCE // width)
    for start in range(0, len(series), n_rows):
        ids = series[start : start + n_rows]
        timing = kinds[ids] == Kind.TIMING
        cells = Accumulator(len(ids), target.first, width, target.step_s, histograms=bool(timing.any()))
        for select in sources:
            for tally in select(ids):
                cells.add(tally, tally.series, timing)
        yield pages_of(cells, ids, target.first, compress=target.compress)


def rows_between(tally: Tally, ids: NDArray[np.int32]) -> Tally:
    """`Tally.of_series` for ids that lie close together: cuts the range out first, without a copy."""
    begin = int(np.searchsorted(tally.series, ids[0], side="left"))
    end = int(np.searchsorted(tally.series, ids[-1], side="right"))
    position = np.searchsorted(ids, tally.series[begin:end])
    mine = ids[position] == tally.series[begin:end]
    if mine.all():
        return tally.take_slice(begin, end, position.astype(np.int32))
    return tally.take(np.flatnonzero(mine) + begin, position[mine].astype(np.int32))
