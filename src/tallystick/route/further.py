"""`Further`: which entries a name's samples go to beside its own series; only names that rules multiply have any."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.columns import grown

_NONE = -1
AS_SENT = 255
"""In a column of kinds: the kind that the sample has."""


@dataclass(frozen=True, slots=True)
class Multiplied:
    """Rows that rules made of others.

    Parameters
    ----------
    rows : int64[m]
        Which row of the batch each was made of, ascending.
    entries : int32[m]
        Where it goes to; -1 where the table of names had no place for that.
    kinds : uint8[m]
        The kind that it gets, or `AS_SENT`.
    """

    rows: NDArray[np.int64]
    entries: NDArray[np.int32]
    kinds: NDArray[np.uint8]


class Further:
    """Lists of entries by entry; the caller holds the lock of the table of names."""

    def __init__(self) -> None:
        self._begin = np.full(64, _NONE, np.int32)
        self._length = np.zeros(64, np.int32)
        self._entries = np.empty(64, np.int32)
        self._kinds = np.empty(64, np.uint8)
        self._used = 0

    def grow(self, entries: int) -> None:
        """Have room for so many entries."""
        self._begin, self._length = grown(self._begin, entries, _NONE), grown(self._length, entries)

    def set(self, entry: int, entries: NDArray[np.int32], kinds: NDArray[np.uint8]) -> None:
        """Give an entry its list; an older one is forgotten."""
        begin = int(self._begin[entry])
        if begin < 0 or self._length[entry] != len(entries):  # else, decided about once more, it takes no new room
            begin, self._used = self._used, self._used + len(entries)
            self._entries, self._kinds = grown(self._entries, self._used), grown(self._kinds, self._used)
        end = begin + len(entries)
        self._begin[entry], self._length[entry] = begin, len(entries)
        self._entries[begin:end], self._kinds[begin:end] = entries, kinds

    def clear(self) -> None:
        """No entry has a list."""
        self._begin[:] = _NONE
        self._used = 0

    def having(self, count: int) -> NDArray[np.bool_]:
        """Which of the first entries have a list: bool[count]."""
        found: NDArray[np.bool_] = self._begin[:count] >= 0
        return found

    def of(self, entries: NDArray[np.integer]) -> Multiplied:
        """What is made of rows with these entries."""
        begin = self._begin[entries]
        having = np.flatnonzero(begin >= 0)
        length = self._length[entries[having]]
        rows = np.repeat(having, length)
        inside = np.arange(len(rows)) - np.repeat(np.cumsum(length) - length, length)
        at = np.repeat(begin[having], length) + inside
        return Multiplied(rows, self._entries[at], self._kinds[at])

    def moved(self, entries: NDArray[np.integer], place: NDArray[np.integer], count: int) -> None:
        """Follow a table that was made anew.

        Parameters
        ----------
        entries
            Those that were kept.
        place : int[old count]
            Where each entry is now, -1 where it is not any more.
        count
            How many there are now.
        """
        found = self.of(entries)
        length = self._length[entries] * (self._begin[entries] >= 0)
        self._begin, self._length = np.full(count, _NONE, np.int32), np.zeros(count, np.int32)
        self._length[place[entries]] = length
        ends = np.cumsum(length)
        self._begin[place[entries]] = np.where(length > 0, ends - length, _NONE)
        self._entries = np.where(found.entries >= 0, place[found.entries], -1).astype(np.int32)
        self._kinds, self._used = found.kinds, len(found.rows)

    def lacking(self, count: int) -> NDArray[np.intp]:
        """Which of the first entries have something in their list that the table of names had no place for."""
        having = np.flatnonzero(self._begin[:count] >= 0)
        found = self.of(having)
        return np.unique(having[found.rows[found.entries < 0]])
