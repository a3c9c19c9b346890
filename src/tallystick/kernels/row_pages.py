"""Pages of short columns, written straight from rows: no matrix of cells in between, which sparse rows would not fill.

The layout is that of ``docs/internals/format.md``.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel
from tallystick.kernels.page import HEADER_BYTES, SLOT_LIST, SPREAD


@inlined
def _put_u16(out: NDArray[np.uint8], at: int, value: int) -> None:
    out[at] = np.uint8(value & 0xFF)
    out[at + 1] = np.uint8((value >> 8) & 0xFF)


@kernel
def row_page_sizes(
    offset: NDArray[np.int64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    spread: NDArray[np.bool_],
    skip: NDArray[np.bool_],
    sizes: NDArray[np.int64],
) -> int:
    """Set the size of each page that `write_row_pages` will write, 0 for one to skip; return the sum."""
    total = 0
    for i in range(len(begin)):
        sizes[i] = 0
        if skip[i]:
            continue
        n = end[i] - begin[i]
        regular = True
        for k in range(begin[i] + 2, end[i]):
            if offset[k] - offset[k - 1] != offset[begin[i] + 1] - offset[begin[i]]:
                regular = False
        sizes[i] = HEADER_BYTES + (0 if regular else (2 * n + 7) & ~7) + 8 * n * (6 if spread[i] else 1)
        total += sizes[i]
    return total


@kernel
def write_row_pages(
    offset: NDArray[np.int64],
    columns: NDArray[np.float64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    spread: NDArray[np.bool_],
    sizes: NDArray[np.int64],
    out: NDArray[np.uint8],
) -> None:
    """Write a page for each stretch of rows whose size is not 0.

    Parameters
    ----------
    offset : int64[n]
        Slot of each row, from the block's start; ascending within a page.
    columns : float64[1 or 6, n]
        Last, count, sum, M2, min, max.
    begin, end : int64[pages]
        The rows of each page.
    spread : bool[pages]
        Whether a page has all six columns.
    sizes : int64[pages]
        As `row_page_sizes` found them.
    out
        As many bytes as all sizes together.
    """
    values = out.view(np.float64)
    at = 0
    for i in range(len(begin)):
        if sizes[i] == 0:
            continue
        n = end[i] - begin[i]
        n_columns = 6 if spread[i] else 1
        listed = sizes[i] != HEADER_BYTES + 8 * n * n_columns
        stride = offset[begin[i] + 1] - offset[begin[i]] if n > 1 else 1
        out[at] = np.uint8((SPREAD if spread[i] else 0) | (SLOT_LIST if listed else 0))
        out[at + 1] = np.uint8(0)
        _put_u16(out, at + 2, n)
        _put_u16(out, at + 4, offset[begin[i]])
        _put_u16(out, at + 6, stride)
        body = at + HEADER_BYTES
        if listed:
            for k in range(begin[i], end[i]):
                _put_u16(out, body, offset[k])
                body += 2
            while body & 7:
                out[body] = np.uint8(0)
                body += 1
        position = body >> 3
        for c in range(n_columns):
            for k in range(begin[i], end[i]):
                values[position] = columns[c, k]
                position += 1
        at += sizes[i]
