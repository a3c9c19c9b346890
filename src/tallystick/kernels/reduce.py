"""Sums and counts over the rows of a matrix with gaps, in one pass."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import kernel


@kernel
def add_rows(values: NDArray[np.float64], total: NDArray[np.float64], known: NDArray[np.int64]) -> None:
    """Add the known values of each column of float64[n, m] to `total` and their number to `known`, both [m]."""
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            value = values[i, j]
            is_known = not np.isnan(value)
            total[j] += value if is_known else 0.0
            known[j] += is_known


@kernel
def count_rows(values: NDArray[np.float64], known: NDArray[np.int64]) -> None:
    """Add the number of known values in each column of float64[n, m] to `known`, int64[m]."""
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            known[j] += not np.isnan(values[i, j])
