"""Who fell silent gives way: places of peers and prefixes that nobody uses any more are for those who come.

A ledger tells so many peers and prefixes apart. Where none is left, those that were not heard of for `SILENT_WINDOWS`
give theirs back, the least recently heard first, a tenth of all at a time. What was counted for them counts as
``other`` from then on: sums stay exact, of a source, of all, and of each window in memory.

A cell that gives way is first relabelled, so that what is still on its way to it arrives, and is given to somebody else
only when nothing can be (`Book.settle`).
"""

import numpy as np
from numpy.typing import NDArray

SILENT_WINDOWS = 30
"""Five minutes: longer than the stored series of a window are added to, and than anything may be in flight."""


def least_recent(last: NDArray[np.int64], present: int, places: int) -> NDArray[np.intp]:
    """Positions of those that give way, a tenth of all places at most, the least recently heard first.

    Parameters
    ----------
    last : int64[n]
        The window in which each was heard last; below 0 where that was never.
    present
        The window of now.
    places
        How many there are.
    """
    silent = np.flatnonzero(last <= present - SILENT_WINDOWS)
    order = np.argsort(last[silent], kind="stable")
    return silent[order][: max(places // 10, 1)]


def latest(last: NDArray[np.int64], labels: NDArray[np.integer], size: int) -> NDArray[np.int64]:
    """The latest window of all cells with each label: int64[size], -1 where there is none."""
    out = np.full(size, -1, np.int64)
    np.maximum.at(out, labels, last)
    return out
