"""Columns by number: of series, of entries of a table of names, of cells. Numbers are given out one after the other."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=np.generic)


def grown(column: NDArray[Value], size: int, fill: float = 0) -> NDArray[Value]:
    """The column with room for so many rows: the same one where it has that, else a longer one.

    Parameters
    ----------
    column : [n] or [n, k]
        Any column, also an empty one.
    size
        How many rows are needed.
    fill
        What rows hold that nobody has written yet.

    Returns
    -------
    [max(size, 2 n)] or [max(size, 2 n), k]
        Or `column` itself. Columns of one length that are grown together stay of one length.

    Notes
    -----
    A longer one is at least twice as long, so that rows that are added one by one cost no more each than many at once.
    Room that is filled with zeros takes no memory until it is written to.
    """
    if size <= len(column):
        return column
    longer = np.zeros((max(size, 2 * len(column)), *column.shape[1:]), column.dtype)
    longer[: len(column)] = column
    if fill:
        longer[len(column) :] = fill
    return longer
