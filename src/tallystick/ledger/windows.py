"""`Windows`: the counts of the last windows in memory, and the sum of all since the start.

A window that is being counted is a matrix of all cells; one that is over keeps the rows and columns in which something
happened, a few kilobytes. What is counted for a window that is over (a batch that waited for the disk) is added to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.ledger.terms import COLUMNS
from tallystick.model.columns import grown

WINDOWS_MAX = 360
"""Windows in memory: an hour."""
_OPEN_MAX = 4

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What happened in a window that is over.

    Parameters
    ----------
    cells : int32[k]
        Cells in which anything happened, ascending.
    columns : int64[c]
        Terms that occurred.
    counts : int64[k, c]
    """

    cells: NDArray[np.int32]
    columns: NDArray[np.int64]
    counts: Counts

    @classmethod
    def of(cls, counts: Counts) -> "Sealed":
        """What a matrix of all cells and terms holds."""
        cells = np.flatnonzero(counts.any(axis=1))
        columns = np.flatnonzero(counts.any(axis=0))
        return cls(cells.astype(np.int32), columns, counts[np.ix_(cells, columns)])

    def moved(self, into: NDArray[np.int32]) -> "Sealed":
        """The same, each cell's counts in the one that it goes into."""
        cells = into[self.cells]
        if (cells == self.cells).all():
            return self
        found, place = np.unique(cells, return_inverse=True)
        counts = np.zeros((len(found), len(self.columns)), np.int64)
        np.add.at(counts, place, self.counts)
        return Sealed(found, self.columns, counts)

    def full(self, cells: int) -> Counts:
        """The matrix of so many cells: int64[cells, COLUMNS]."""
        out = np.zeros((cells, COLUMNS), np.int64)
        out[np.ix_(self.cells, self.columns)] = self.counts
        return out


class Windows:
    """Counts by window, cell and term; the caller holds the ledger's lock during every call.

    Parameters
    ----------
    windows_max
        How many are kept; older ones live on in the sum only.
    """

    def __init__(self, windows_max: int = WINDOWS_MAX) -> None:
        self._windows_max = windows_max
        self._open: dict[int, Counts] = {}
        self._sealed: dict[int, Sealed] = {}
        self._sum: Counts = np.zeros((64, COLUMNS), np.int64)  # of the windows that are sealed
        self._last = np.full(64, -1, np.int64)  # the last sealed window of each cell
        self._room = 64

    def grow(self, cells: int) -> None:
        """Have room for so many cells."""
        if cells <= self._room:
            return
        self._room = max(2 * self._room, cells)
        self._sum, self._last = grown(self._sum, self._room), grown(self._last, self._room, -1)
        self._open = {number: grown(counts, self._room) for number, counts in self._open.items()}

    def counting(self, number: int) -> Counts:
        """The matrix of a window, to be added to before the lock is let go: int64[cells, COLUMNS]."""
        counts = self._open.get(number)
        if counts is None:
            counts = self._reopened(number) if number in self._sealed else np.zeros((self._room, COLUMNS), np.int64)
            if len(self._open) >= _OPEN_MAX:
                # Usually the oldest; where the clock was set back, one that lies ahead.
                self._seal(max(self._open, key=lambda other: abs(other - number)))
            self._open[number] = counts
        return counts

    def total(self, cells: int) -> Counts:
        """Everything since the start: int64[cells, COLUMNS]."""
        out = self._sum[:cells].copy()
        for counts in self._open.values():
            out += counts[:cells]
        return out

    def total_of(self, cells: NDArray[np.integer]) -> Counts:
        """The same, of some cells: int64[k, COLUMNS]."""
        out: Counts = self._sum[cells]
        for counts in self._open.values():
            out += counts[cells]
        return out

    def last_counted(self, cells: int) -> NDArray[np.int64]:
        """The last window in which anything was counted in each cell: int64[cells], -1 where there is none."""
        last = self._last.copy()
        for number, counts in self._open.items():
            busy = counts.any(axis=1)
            last[busy] = np.maximum(last[busy], number)
        return last[:cells]

    def move(self, cells: NDArray[np.int32], targets: NDArray[np.int32]) -> None:
        """Have all that was counted in some cells counted in others, as if it had always been."""
        into = np.arange(self._room, dtype=np.int32)
        into[cells] = targets
        for counts in (self._sum, *self._open.values()):
            np.add.at(counts, targets, counts[cells])
            counts[cells] = 0
        np.maximum.at(self._last, targets, self._last[cells])
        self._last[cells] = -1
        self._sealed = {number: sealed.moved(into) for number, sealed in self._sealed.items()}

    def numbers(self) -> list[int]:
        """The windows in memory, ascending."""
        return sorted({*self._open, *self._sealed})

    def window(self, number: int, cells: int) -> Counts:
        """What was counted in a window, nothing if it is not in memory: int64[cells, COLUMNS]."""
        if number in self._open:
            return self._open[number][:cells].copy()
        if number in self._sealed:
            return self._sealed[number].full(cells)
        return np.zeros((cells, COLUMNS), np.int64)

    def _seal(self, number: int) -> None:
        counts = self._open.pop(number)
        self._sum += counts
        sealed = self._sealed[number] = Sealed.of(counts)
        self._last[sealed.cells] = np.maximum(self._last[sealed.cells], number)
        while len(self._sealed) > self._windows_max:
            del self._sealed[max(self._sealed, key=lambda other: abs(other - number))]

    def _reopened(self, number: int) -> Counts:
        counts: Counts = self._sealed.pop(number).full(self._room)
        self._sum -= counts
        return counts
