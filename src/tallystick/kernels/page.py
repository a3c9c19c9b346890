"""Pages of blocks whose columns are not compressed: written straight from a matrix of cells, and read back in bulk.

The layout is that of ``docs/internals/format.md``: a header of 8 bytes, the slots, then the columns, all multiples
of 8.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel

HEADER_BYTES = 8
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


@inlined
def _values_at(data: NDArray[np.uint8], begin: int, decoded: int) -> int:
    """Where the last values of a page are: position in the decoded ones, or in the page, eight bytes each."""
    if data[begin] & CODED:
        return decoded
    position = begin + HEADER_BYTES
    if data[begin] & SLOT_LIST:
        position += _padded(2 * _get_u16(data, begin + 2))
    return position >> 3


@inlined
def _slot_at(data: NDArray[np.uint8], begin: int, k: int) -> int:
    """Slot offset of a page's row."""
    if data[begin] & SLOT_LIST:
        return _get_u16(data, begin + HEADER_BYTES + 2 * k)
    return _get_u16(data, begin + 4) + k * _get_u16(data, begin + 6)


@kernel
def last_into(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    decoded_at: NDArray[np.int64],
    decoded: NDArray[np.float64],
    row: NDArray[np.int32],
    shift: int,
    values: NDArray[np.float64],
) -> None:
    """Write the last values of pages into ``values[row, slot offset + shift]``; what falls outside is passed over.

    Parameters
    ----------
    data
        The block's pages; `offset` is where each page begins.
    decoded_at
        For each page whose columns are coded, where in `decoded` its last values begin.
    """
    raw = data[: len(data) & ~7].view(np.float64)
    width = values.shape[1]
    for i in range(len(offset)):
        begin = offset[i]
        n = _get_u16(data, begin + 2)
        source = decoded if data[begin] & CODED else raw
        at = _values_at(data, begin, decoded_at[i])
        target = values[row[i]]
        if data[begin] & SLOT_LIST == 0 and _get_u16(data, begin + 6) == 1:
            column = _get_u16(data, begin + 4) + shift
            skipped = max(-column, 0)
            # Slices, since a loop over an index that could be negative is not made a copy of whole words.
            cells = target[column + skipped : max(min(column + n, width), 0)]
            kept = source[at + skipped : at + skipped + len(cells)]
            for k in range(len(cells)):
                cells[k] = kept[k]
            continue
        for k in range(n):
            column = _slot_at(data, begin, k) + shift
            if 0 <= column < width:
                target[column] = source[at + k]


@kernel
def count_rows(data: NDArray[np.uint8], offset: NDArray[np.int64]) -> int:
    """Rows in pages."""
    n = 0
    for begin in offset:
        n += _get_u16(data, begin + 2)
    return n


@kernel
def read_slots(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    row: NDArray[np.int32],
    out_row: NDArray[np.int32],
    out_offset: NDArray[np.int64],
) -> None:
    """Rows of pages without their values: the row of each, and its slot's offset."""
    at = 0
    for i in range(len(offset)):
        begin = offset[i]
        for k in range(_get_u16(data, begin + 2)):
            out_row[at] = row[i]
            out_offset[at] = _slot_at(data, begin, k)
            at += 1


@kernel
def read_singles(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    decoded_at: NDArray[np.int64],
    decoded: NDArray[np.float64],
    row: NDArray[np.int32],
    out_row: NDArray[np.int32],
    out_offset: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Rows of pages, with their last values only; see `last_into` for the parameters."""
    raw = data[: len(data) & ~7].view(np.float64)
    at = 0
    for i in range(len(offset)):
        begin = offset[i]
        source = decoded if data[begin] & CODED else raw
        start = _values_at(data, begin, decoded_at[i])
        for k in range(_get_u16(data, begin + 2)):
            out_row[at] = row[i]
            out_offset[at] = _slot_at(data, begin, k)
            out[at] = source[start + k]
            at += 1


@kernel
def read_spreads(
    data: NDArray[np.uint8],
    offset: NDArray[np.int64],
    row: NDArray[np.int32],
    out_row: NDArray[np.int32],
    out_offset: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Rows of pages that have a spread and are not coded, with all six columns: ``out`` is float64[6, n]."""
    raw = data[: len(data) & ~7].view(np.float64)
    at = 0
    for i in range(len(offset)):
        begin = offset[i]
        n = _get_u16(data, begin + 2)
        start = _values_at(data, begin, 0)
        for k in range(n):
            out_row[at + k] = row[i]
            out_offset[at + k] = _slot_at(data, begin, k)
        for c in range(6):
            for k in range(n):
                out[c, at + k] = raw[start + c * n + k]
        at += n
