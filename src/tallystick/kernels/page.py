"""Pages of blocks whose columns are not compressed: written straight from a matrix of cells, and read back in bulk.

The layout is that of ``docs/internals/format.md``: a header of 16 bytes, the slots, then the columns, all multiples
of 8.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel

HEADER_BYTES = 16
SPREAD = 1
HISTOGRAM = 2
SKETCH = 4
SLOT_LIST = 8
CODED = 16
"""Flags of a page: what it has beside ``last``, whether its slots are listed, and whether columns are coded."""


@inlined
def _put_u16(out: NDArray[np.uint8], at: int, value: int) -> None:
    out[at] = np.uint8(value & 0xFF)
    out[at + 1] = np.uint8((value >> 8) & 0xFF)


@inlined
def _get_u16(data: NDArray[np.uint8], at: int) -> int:
    return np.int64(data[at]) | (np.int64(data[at + 1]) << 8)


@inlined
def _padded(size: int) -> int:
    return (size + 7) & ~7


@kernel
def page_bytes_max(cells: NDArray[np.float64], skip: NDArray[np.bool_]) -> int:
    """The room that `write_raw_pages` needs at most."""
    total = 0
    for i in range(cells.shape[0]):
        if skip[i]:
            continue
        n = 0
        for j in range(cells.shape[1]):
            n += cells[i, j, 0] > 0.0
        total += HEADER_BYTES + _padded(2 * n) + 48 * n
    return total


@kernel
def write_raw_pages(
    last: NDArray[np.float64],
    cells: NDArray[np.float64],
    first_offset: int,
    skip: NDArray[np.bool_],
    out: NDArray[np.uint8],
    sizes: NDArray[np.int64],
) -> int:
    """Write a page for each row of a matrix that has a filled cell and is not to be skipped.

    Parameters
    ----------
    last : float64[n, m]
    cells : float64[n, m, 5]
        Count (0 where the cell is empty), sum, M2, min, max.
    first_offset
        Slots between the block's start and column 0.
    out
        Bytes to write to, `page_bytes_max` of them.
    sizes : int64[n]
        Set to the size of each row's page; 0 where none was written.
    """
    values = out.view(np.float64)
    at = 0
    for i in range(last.shape[0]):
        sizes[i] = 0
        if skip[i]:
            continue
        n = 0
        first = -1
        previous = -1
        stride = 0
        regular = True
        spread = False
        for j in range(last.shape[1]):
            if cells[i, j, 0] == 0.0:
                continue
            n += 1
            spread |= cells[i, j, 0] != 1.0
            if first < 0:
                first = j
            elif stride == 0:
                stride = j - previous
            elif j - previous != stride:
                regular = False
            previous = j
        if n == 0:
            continue
        begin = at
        out[at] = np.uint8((SPREAD if spread else 0) | (0 if regular else SLOT_LIST))
        out[at + 1] = np.uint8(0)
        _put_u16(out, at + 2, n)
        _put_u16(out, at + 4, first + first_offset)
        _put_u16(out, at + 6, max(stride, 1))
        for k in range(8, HEADER_BYTES):
            out[at + k] = np.uint8(0)
        at += HEADER_BYTES
        if not regular:
            for j in range(last.shape[1]):
                if cells[i, j, 0] != 0.0:
                    _put_u16(out, at, j + first_offset)
                    at += 2
            while at & 7:
                out[at] = np.uint8(0)
                at += 1
        position = at >> 3
        k = 0
        for j in range(last.shape[1]):
            if cells[i, j, 0] != 0.0:
                values[position + k] = last[i, j]
                if spread:
                    for c in range(5):
                        values[position + (c + 1) * n + k] = cells[i, j, c]
                k += 1
        at += 8 * n * (6 if spread else 1)
        sizes[i] = at - begin
    return at


@kernel
def count_raw_rows(data: NDArray[np.uint8], offset: NDArray[np.int64], singles: NDArray[np.int64]) -> int:
    """Rows in pages that are not coded: those of pages with a spread returned, the others in ``singles[0]``."""
    fulls = 0
    singles[0] = 0
    for i in range(len(offset)):
        flags = data[offset[i]]
        if flags & CODED:
            continue
        n = _get_u16(data, offset[i] + 2)
        if flags & SPREAD:
            fulls += n
        else:
            singles[0] += n
    return fulls


@kernel
def read_raw_pages(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    row: NDArray[np.int32],
    with_spread: bool,
    out_row: NDArray[np.int32],
    out_offset: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Rows of the pages that are not coded and do (or do not) have a spread.

    Parameters
    ----------
    data
        The block's pages; `offset` is where each page begins, `row` the number that its rows get.
    out_row, out_offset : [n]
        Number and slot offset of each row.
    out : float64[1 or 6, n]
        Last; then count, sum, M2, min and max.
    """
    values = data[: len(data) & ~7].view(np.float64)
    at = 0
    for i in range(len(offset)):
        begin = offset[i]
        flags = data[begin]
        if flags & CODED or ((flags & SPREAD) != 0) != with_spread:
            continue
        n = _get_u16(data, begin + 2)
        first = _get_u16(data, begin + 4)
        stride = _get_u16(data, begin + 6)
        position = begin + HEADER_BYTES
        if flags & SLOT_LIST:
            for k in range(n):
                out_offset[at + k] = _get_u16(data, position + 2 * k)
            position += _padded(2 * n)
        else:
            for k in range(n):
                out_offset[at + k] = first + k * stride
        start = position >> 3
        for k in range(n):
            out_row[at + k] = row[i]
        for c in range(out.shape[0]):
            for k in range(n):
                out[c, at + k] = values[start + c * n + k]
        at += n
