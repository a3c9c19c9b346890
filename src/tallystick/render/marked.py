"""Numbers in binary formats that put a byte before each to say what it is: pickle's and MessagePack's."""

import numpy as np
from numpy.typing import NDArray

_NUMBER_BYTES = 9


def marked_numbers(values: NDArray[np.float64], number: bytes, unknown: bytes) -> bytes:
    """Each value as a mark and a double, most significant byte first; each NaN as another mark alone.

    Parameters
    ----------
    values : float64[m]
    number, unknown
        The marks, a byte each.
    """
    cells = np.empty((len(values), _NUMBER_BYTES), np.uint8)
    cells[:, 0] = number[0]
    cells[:, 1:] = values.astype(">f8").view(np.uint8).reshape(len(values), _NUMBER_BYTES - 1)
    gaps = np.isnan(values)
    if not gaps.any():
        return cells.tobytes()
    cells[gaps, 0] = unknown[0]
    written = np.ones(cells.shape, np.bool_)
    written[gaps, 1:] = False
    return cells[written].tobytes()
