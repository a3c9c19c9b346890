"""Sums over moving windows."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import kernel


@kernel
def moving_sums(
    values: NDArray[np.float64],
    width: int,
    tails: NDArray[np.float64],
    known: NDArray[np.int64],
    sums: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> None:
    """The sum and the number of the known values of each window of `width` neighbours in a row.

    Parameters
    ----------
    values : float64[n, m]
        NaN where there is none.
    tails : float64[width], known : int64[width]
        Room to work in.
    sums : float64[n, m - width + 1], counts : int64[n, m - width + 1]
        Filled. `m` must not be less than `width`.

    Notes
    -----
    The algorithm of van Herk (1992) and of Gil and Werman (1993): with the row cut into blocks of the window's width, a
    window is the end of one block and the beginning of the next. Two additions a value whatever the width; and sums are
    sums, not differences of running totals, so nothing cancels.
    """
    rows, windows = sums.shape
    for i in range(rows):
        for first in range(0, windows, width):
            total, count = 0.0, 0
            for j in range(width - 1, -1, -1):
                value = values[i, first + j]
                if not np.isnan(value):
                    total += value
                    count += 1
                tails[j] = total
                known[j] = count
            sums[i, first] = total
            counts[i, first] = count
            total, count = 0.0, 0
            for j in range(1, min(width, windows - first)):
                value = values[i, first + width + j - 1]
                if not np.isnan(value):
                    total += value
                    count += 1
                sums[i, first + j] = tails[j] + total
                counts[i, first + j] = known[j] + count
