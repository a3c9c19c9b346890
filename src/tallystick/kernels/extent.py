"""The least and the greatest of a column of whole numbers, in one pass."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import kernel


@kernel
def extent(column: NDArray[np.integer]) -> tuple[int, int]:
    """The least and the greatest value of whole numbers, int[n], which is not empty."""
    least = greatest = column[0]
    for value in column:
        least = min(least, value)
        greatest = max(greatest, value)
    return least, greatest
