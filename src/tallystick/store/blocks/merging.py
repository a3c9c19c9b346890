"""Merging tallies and blocks into one new block: what sealing, compaction and rolling up have in common."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Files
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention
from tallystick.model.tally import Tally
from tallystick.store.accumulator import Accumulator
from tallystick.store.blocks.anatomy import BlockFooter
from tallystick.store.blocks.block_set import BlockSet
from tallystick.store.blocks.block_writer import Pages, pages_of, write_block
from tallystick.store.blocks.row_pages import pages_of_rows
from tallystick.store.blocks.scattered import merged_rows
from tallystick.store.disk.manifest import BlockEntry

SLOTS_PER_BLOCK = 720
"""Slots of a window: no block reaches over the end of one. Windows of a coarser step hold whole ones of a finer
step."""
_CELLS_AT_ONCE = 1 << 18

_CELLS_A_ROW = 8
"""To merge a row by itself costs as much as so many cells of a matrix, filled or not."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is merged.

    Parameters
    ----------
    select
        Gives the tallies of some series (ids ascending), with positions in the ids as their ``series``.
    count
        Gives the number of rows of each of some series (ids ascending): int64[n].
    """

    select: Callable[[NDArray[np.int32]], list[Tally]]
    count: Callable[[NDArray[np.int32]], NDArray[np.int64]]


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
    sources: Sequence[Source],
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
    target: Target, series: NDArray[np.int32], sources: Sequence[Source], kinds: NDArray[np.uint8]
) -> Iterator[Pages]:
    """The pages of `write_merged`, some series at once: memory is that of a matrix of a few.

    Where series fill few of their slots, their rows are merged by themselves: cost follows what is there.
    """
    width = target.end - target.first
    rows = np.sum([source.count(series) for source in sources], axis=0)
    for ids, scattered in _batches(series, rows, width):
        timing = kinds[ids] == Kind.TIMING
        tallies = (tally for source in sources for tally in source.select(ids))
        if scattered:
            rows_merged = merged_rows(list(tallies), ids, timing, target.first, width, target.step_s)
            yield pages_of_rows(rows_merged, target.first, compress=target.compress)
            continue
        cells = Accumulator(len(ids), target.first, width, target.step_s, histograms=bool(timing.any()))
        for tally in tallies:
            cells.add(tally, tally.series, timing)
        yield pages_of(cells, ids, target.first, compress=target.compress)


def _batches(
    series: NDArray[np.int32], rows: NDArray[np.int64], width: int
) -> Iterator[tuple[NDArray[np.int32], bool]]:
    """Series to merge at once, and whether their rows are merged by themselves rather than in a matrix."""
    cost = np.cumsum(np.minimum(_CELLS_A_ROW * rows, width))
    in_matrix = max(1, _CELLS_AT_ONCE // width)
    begin = 0
    while begin < len(series):
        before = int(cost[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(cost, before + _CELLS_AT_ONCE, side="right")))
        if _CELLS_A_ROW * int(rows[begin:end].sum()) < (end - begin) * width:
            yield series[begin:end], True
        else:
            for start in range(begin, end, in_matrix):
                yield series[start : min(start + in_matrix, end)], False
        begin = end


def rows_between(tally: Tally, ids: NDArray[np.int32]) -> Tally:
    """`Tally.of_series` for ids that lie close together: cuts the range out first, without a copy."""
    begin = int(np.searchsorted(tally.series, ids[0], side="left"))
    end = int(np.searchsorted(tally.series, ids[-1], side="right"))
    position = np.searchsorted(ids, tally.series[begin:end])
    mine = ids[position] == tally.series[begin:end]
    if mine.all():
        return tally.take_slice(begin, end, position.astype(np.int32))
    return tally.take(np.flatnonzero(mine) + begin, position[mine].astype(np.int32))
