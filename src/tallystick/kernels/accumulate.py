"""Merging tallies into a matrix series x slots: the one way in which reading, compaction and rolling up merge.

Each row of a tally lands in the cell ``[row, slot * ratio_in // ratio_out - first]`` of the matrix; rows outside are
passed over. The parallel form of the variance merge is Chan, Golub and LeVeque (1979).
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel


@inlined
def _column(slot: int, step_in: int, step_out: int, first: int) -> int:
    if step_in == step_out:
        return slot - first
    return slot * step_in // step_out - first


@kernel
def merge_last(
    row: NDArray[np.int32],
    slot: NDArray[np.int64],
    value: NDArray[np.float64],
    step_in: int,
    step_out: int,
    first: int,
    last: NDArray[np.float64],
    last_slot: NDArray[np.int64],
) -> None:
    """Keep, in each cell, the value of the latest slot; of equal slots the one merged last."""
    width = last.shape[1]
    for i in range(len(row)):
        column = _column(slot[i], step_in, step_out, first)
        if 0 <= column < width:
            r = row[i]
            begin = slot[i] * step_in
            if begin >= last_slot[r, column]:
                last[r, column] = value[i]
                last_slot[r, column] = begin


@inlined
def merge_cell(cell: NDArray[np.float64], count: float, total: float, m2: float, low: float, high: float) -> None:
    """Merge one spread into a cell (count, sum, M2, min, max), which is empty while its count is 0."""
    before = cell[0]
    if before == 0.0:
        cell[0] = count
        cell[1] = total
        cell[2] = m2
        cell[3] = low
        cell[4] = high
        return
    after = before + count
    delta = total / count - cell[1] / before
    cell[0] = after
    cell[1] += total
    cell[2] += m2 + delta * delta * before * count / after
    cell[3] = min(cell[3], low)
    cell[4] = max(cell[4], high)


@kernel
def merge_spread(
    row: NDArray[np.int32],
    slot: NDArray[np.int64],
    count: NDArray[np.float64],
    total: NDArray[np.float64],
    m2: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    step_in: int,
    step_out: int,
    first: int,
    cells: NDArray[np.float64],
) -> None:
    """Merge spreads into ``cells[row, column]``, each (count, sum, M2, min, max)."""
    width = cells.shape[1]
    for i in range(len(row)):
        column = _column(slot[i], step_in, step_out, first)
        if 0 <= column < width:
            merge_cell(cells[row[i], column], count[i], total[i], m2[i], low[i], high[i])


@kernel
def merge_singles(
    row: NDArray[np.int32],
    slot: NDArray[np.int64],
    value: NDArray[np.float64],
    step_in: int,
    step_out: int,
    first: int,
    cells: NDArray[np.float64],
) -> None:
    """`merge_spread` for slots of exactly one sample."""
    width = cells.shape[1]
    for i in range(len(row)):
        column = _column(slot[i], step_in, step_out, first)
        if 0 <= column < width:
            merge_cell(cells[row[i], column], 1.0, value[i], 0.0, value[i], value[i])


@kernel
def write_columns(
    rows: NDArray[np.float64], row: NDArray[np.int64], column: NDArray[np.int64], values: NDArray[np.float64]
) -> None:
    """``values[row[i], column[k]] = rows[k, i]`` for all `i`, and for each of them in the order of `k`.

    `rows` should fit into the processor's cache: it is read across.
    """
    for i in range(len(row)):
        target = values[row[i]]
        for k in range(len(column)):
            target[column[k]] = rows[k, i]


@kernel
def write_slots(
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
    slot: NDArray[np.int64],
    value: NDArray[np.float64],
    first: int,
    values: NDArray[np.float64],
) -> None:
    """``values[i, slot[k] - first] = value[k]`` for `k` in ``begin[i]:end[i]``; what falls outside is passed over."""
    width = values.shape[1]
    for i in range(len(begin)):
        target = values[i]
        for k in range(begin[i], end[i]):
            column = slot[k] - first
            if 0 <= column < width:
                target[column] = value[k]
