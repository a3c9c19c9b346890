"""Pages made straight of rows that need no merging: each slot of a series is there once, in the step of the block.

That is nearly all of imported history, and series that seldom report once they are merged. A matrix would lay out every
cell of the window for them, filled or not.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.files import Buffer, bytes_of
from tallystick.kernels.row_pages import row_page_sizes, write_row_pages
from tallystick.model.tally import Tally
from tallystick.store.blocks.block_writer import Pages
from tallystick.store.blocks.page import COMPRESSED_MIN, PageColumns, encode_page


def are_apart(rows: Tally, step_s: int) -> bool:
    """Whether rows in order need no merging to become slots of `step_s`, and are numbers only."""
    if rows.step_s != step_s or rows.histograms is not None or rows.sketches is not None:
        return False
    series, slot = rows.series, rows.slot
    return bool(((series[1:] != series[:-1]) | (slot[1:] != slot[:-1])).all())


def pages_of_rows(rows: Tally, start_slot: int, *, compress: bool) -> Pages:
    """The pages of rows by series and slot, each slot of a series once.

    Parameters
    ----------
    rows
        In slots of the block's step.
    start_slot
        First slot of the block.
    compress
        Code the columns of pages of many rows. Those with histograms or sketches are coded in any case.
    """
    begin = np.flatnonzero(np.concatenate([[True], rows.series[1:] != rows.series[:-1]])[: len(rows)])
    end = np.append(begin[1:], len(rows))[: len(begin)]
    offset = np.ascontiguousarray(rows.slot - start_slot)
    columns = _columns(rows)
    spread = np.zeros(len(begin), np.bool_)
    if len(columns) > 1:
        spread = np.logical_or.reduceat(columns[1] != 1.0, begin) if len(begin) else spread
    coded = (end - begin >= COMPRESSED_MIN) & compress
    if rows.histograms is not None:
        coded |= spread & (rows.histograms.offset[end] > rows.histograms.offset[begin])
    if rows.sketches is not None:
        coded |= rows.sketches.offset[end] > rows.sketches.offset[begin]
    size = np.empty(len(begin), np.int64)
    raw = np.empty(row_page_sizes(offset, begin, end, spread, coded, size), np.uint8)
    write_row_pages(offset, columns, begin, end, spread, size, raw)
    if not coded.any():
        return Pages(rows.series[begin], size, raw)
    raw_end = np.cumsum(size)
    parts: list[Buffer] = []
    at = 0
    for k in np.flatnonzero(coded).tolist():
        page = encode_page(_page(rows, offset, columns, slice(int(begin[k]), int(end[k])), several=bool(spread[k])))
        parts += [raw[at : raw_end[k]], page]
        at, size[k] = int(raw_end[k]), len(page)
    return Pages(rows.series[begin], size, b"".join(map(bytes_of, [*parts, raw[at:]])))


def _page(
    rows: Tally, offset: NDArray[np.int64], columns: NDArray[np.float64], mine: slice, *, several: bool
) -> PageColumns:
    """The columns of the rows of one series; a histogram of one sample follows from the value, and is not kept."""
    histogram = sketch = None
    if rows.histograms is not None and several:
        h = rows.histograms
        lengths, inside = _stretch(h.offset, mine)
        if inside.stop > inside.start:
            histogram = lengths, h.bucket[inside], h.weight[inside]
    if rows.sketches is not None:
        lengths, inside = _stretch(rows.sketches.offset, mine)
        if inside.stop > inside.start:
            sketch = lengths, rows.sketches.data[inside]
    narrow = offset[mine].astype(np.uint16)
    return PageColumns(narrow, columns[0, mine], columns[1:, mine] if several else None, histogram, sketch)


def _stretch(offset: NDArray[np.int64], rows: slice) -> tuple[NDArray[np.uint32], slice]:
    """How much each of some rows has of what lies back to back, and where all of it is."""
    bounds = offset[rows.start : rows.stop + 1]
    return np.diff(bounds).astype(np.uint32), slice(int(bounds[0]), int(bounds[-1]))


def _columns(rows: Tally) -> NDArray[np.float64]:
    """Last, count, sum, M2, min, max of each row; only the first if each is one sample."""
    s = rows.spread
    return np.stack([rows.last] if s is None else [rows.last, s.count, s.sum, s.m2, s.min, s.max])
