"""Pages made straight of rows that need no merging: each slot of a series is there once, in the step of the block.

That is nearly all of imported history. `Accumulator` would lay out every cell of the window for them, filled or not.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.row_pages import row_page_sizes, write_row_pages
from tallystick.model.tally import Tally
from tallystick.store.block_writer import Pages
from tallystick.store.files import Buffer, bytes_of
from tallystick.store.page import COMPRESSED_MIN, PageColumns, encode_page


def are_apart(rows: Tally, step_s: int) -> bool:
    """Whether rows in order need no merging to become slots of `step_s`, and are numbers only."""
    if rows.step_s != step_s or rows.histograms is not None or rows.sketches is not None:
        return False
    series, slot = rows.series, rows.slot
    return bool(((series[1:] != series[:-1]) | (slot[1:] != slot[:-1])).all())


def pages_of_rows(rows: Tally, start_slot: int) -> Pages:
    """The compressed pages of rows that `are_apart`.

    Parameters
    ----------
    rows
        By series and slot.
    start_slot
        First slot of the block.
    """
    begin = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(rows.series[1:] != rows.series[:-1]) + 1])
    end = np.append(begin[1:], len(rows))
    offset = np.ascontiguousarray(rows.slot - start_slot)
    columns = _columns(rows)
    spread = np.zeros(len(begin), np.bool_)
    if len(columns) > 1:
        spread = np.add.reduceat(columns[1] != 1.0, begin) > 0
    coded = end - begin >= COMPRESSED_MIN
    size = np.empty(len(begin), np.int64)
    raw = np.empty(row_page_sizes(offset, begin, end, spread, coded, size), np.uint8)
    write_row_pages(offset, columns, begin, end, spread, size, raw)
    if not coded.any():
        return Pages(rows.series[begin], size, raw)
    parts: list[Buffer] = []
    narrow, at = offset.astype(np.uint16), 0
    for k, (first, last, several) in enumerate(zip(begin.tolist(), end.tolist(), spread.tolist(), strict=True)):
        if coded[k]:
            page = columns[:, first:last]
            parts.append(encode_page(PageColumns(narrow[first:last], page[0], page[1:] if several else None)))
            size[k] = len(parts[-1])
        else:
            parts.append(raw[at : at + size[k]])
            at += int(size[k])
    return Pages(rows.series[begin], size, b"".join(map(bytes_of, parts)))


def _columns(rows: Tally) -> NDArray[np.float64]:
    """Last, count, sum, M2, min, max of each row; only the first if each is one sample."""
    s = rows.spread
    return np.stack([rows.last] if s is None else [rows.last, s.count, s.sum, s.m2, s.min, s.max])
