"""Folding slots that senders tallied into one open slot, beside the samples that come for it."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.accumulate import merge_cell
from tallystick.kernels.compile import inlined, kernel
from tallystick.kernels.fold import COUNT, M2, MAX, MIN, ROWS, SPREADS, SUM, start_spread


@inlined
def is_single(last: float, count: float, total: float, m2: float, low: float, high: float) -> bool:
    """Whether statistics are those of one sample of weight 1: then they follow from its value."""
    return count == 1.0 and m2 == 0.0 and total == last and low == last and high == last


@kernel
def singles(
    last: NDArray[np.float64],
    count: NDArray[np.float64],
    total: NDArray[np.float64],
    m2: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    out: NDArray[np.bool_],
) -> None:
    """Which rows are of one sample of weight 1."""
    for i in range(len(last)):
        out[i] = is_single(last[i], count[i], total[i], m2[i], low[i], high[i])


@kernel
def fold_tallied(
    series: NDArray[np.int32],
    value: NDArray[np.float64],
    count: NDArray[np.float64],
    total: NDArray[np.float64],
    m2: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    row_of: NDArray[np.int32],
    row_series: NDArray[np.int32],
    last: NDArray[np.float64],
    at: NDArray[np.int32],
    spread_of: NDArray[np.int32],
    spreads: NDArray[np.float64],
    used: NDArray[np.int64],
) -> None:
    """Merge rows that lie in the slot; the last value is that of what arrived last.

    The arrays of the slot are those of `tallystick.kernels.fold.fold_slot`, with as much room.
    """
    rows = used[ROWS]
    n_spreads = used[SPREADS]
    for i in range(len(series)):
        s = series[i]
        v = value[i]
        row = row_of[s] - 1
        if row < 0:
            row_of[s] = rows + 1
            row_series[rows] = s
            last[rows] = v
            at[rows] = 0
            spread_of[rows] = -1
            if not is_single(v, count[i], total[i], m2[i], low[i], high[i]):
                spread = spreads[n_spreads]
                spread[COUNT] = count[i]
                spread[SUM] = total[i]
                spread[M2] = m2[i]
                spread[MIN] = low[i]
                spread[MAX] = high[i]
                spread_of[rows] = n_spreads
                n_spreads += 1
            rows += 1
            continue
        k = spread_of[row]
        if k < 0:
            k = n_spreads
            n_spreads += 1
            spread_of[row] = k
            start_spread(spreads[k], last[row], 1.0)
        merge_cell(spreads[k], count[i], total[i], m2[i], low[i], high[i])
        last[row] = v
    used[ROWS] = rows
    used[SPREADS] = n_spreads
