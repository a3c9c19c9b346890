"""`Attribution`: which cell of the ledger each sample of a batch belongs to, by one kernel call a batch."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import OTHER, UNDECIDED, attribute
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import Names
from tallystick.ledger.book import Book, Shares
from tallystick.ledger.prefixes import prefix_column
from tallystick.model.columns import grown


@dataclass(frozen=True, slots=True)
class Senders:
    """Whose the rows of a batch are.

    Parameters
    ----------
    accounts : int32[s]
        Numbers of accounts, one for each stretch of rows.
    ends : int64[s]
        Behind which row each stretch ends, ascending; the last is the number of rows.
    """

    accounts: NDArray[np.int32]
    ends: NDArray[np.int64]

    @classmethod
    def one(cls, account: int, rows: int) -> "Senders":
        """All rows are of one account."""
        return cls(_number(account), np.array([rows], np.int64)) if rows else NOBODY

    def of_rows(self, rows: NDArray[np.integer]) -> NDArray[np.int32]:
        """The account of each of some rows."""
        return self.accounts[np.searchsorted(self.ends, rows, side="right")]


@cache
def _number(account: int) -> NDArray[np.int32]:
    return np.array([account], np.int32)


NOBODY = Senders(np.empty(0, np.int32), np.empty(0, np.int64))
"""Whose no rows are."""


class Attribution:
    """The prefixes of a table's names, and scratch memory; the caller holds the table's lock during every call."""

    def __init__(self, book: Book, names: NameTable) -> None:
        self._book = book
        self._names = names
        self._prefixes = prefix_column(64)
        self._renamed = np.zeros(64, np.bool_)
        self._counts = np.zeros(64, np.int64)
        self._touched = np.zeros(64, np.int32)
        self._shares = np.zeros(64, np.int64)

    def attribute(self, ids: NDArray[np.int32], senders: Senders) -> tuple[NDArray[np.int32], Shares]:
        """The cell of each row (int32[n]), and how many rows each cell has.

        Parameters
        ----------
        ids : int32[n]
            Entries of the table.
        """
        self._grow()
        cells = np.empty(len(ids), np.int32)
        touched = self._run(ids, senders, cells)
        if touched < 0:
            self._decide(ids, senders)
            touched = self._run(ids, senders, cells)
        return cells, Shares(self._touched[:touched].copy(), self._shares[:touched].copy())

    def rename(self, entries: NDArray[np.integer], names: Names) -> None:
        """Count names from now on by what rules made of them."""
        self._grow()
        self._prefixes[entries] = self._book.prefixes.of_names(names)
        self._renamed[entries] = True

    def moved(self, entries: NDArray[np.integer], place: NDArray[np.integer], count: int) -> None:
        """Follow a table that was made anew: each of these entries has the one at its position of `place` now."""
        self._grow()
        column, renamed = prefix_column(max(count, 1)), np.zeros(max(count, 1), np.bool_)
        column[place], renamed[place] = self._prefixes[entries], self._renamed[entries]
        self._prefixes, self._renamed = column, renamed

    def renumber(self, place: NDArray[np.uint16]) -> None:
        """Follow prefixes that have new numbers.

        Names that found no place among them are looked at anew when they come. Those that a rule renamed stay with
        the others: what it made of them is not kept.
        """
        self._prefixes = place[self._prefixes]
        self._prefixes[(self._prefixes == OTHER) & ~self._renamed] = UNDECIDED

    def _run(self, ids: NDArray[np.int32], senders: Senders, cells: NDArray[np.int32]) -> int:
        place, ends, accounts = self._book.place, senders.ends, senders.accounts
        return attribute(ids, self._prefixes, ends, accounts, place, cells, self._counts, self._touched, self._shares)

    def _decide(self, ids: NDArray[np.int32], senders: Senders) -> None:
        """Decide the prefixes that are not known yet, and have a cell for each account and prefix of the rows."""
        unseen = ids[self._prefixes[ids] == UNDECIDED]
        self._book.prefixes.decide(self._names.arrays, unseen, self._prefixes)
        accounts, prefixes = senders.of_rows(np.arange(len(ids))), self._prefixes[ids]
        missing = self._book.place[accounts, prefixes] < 0
        pairs = np.unique(np.stack([accounts[missing], prefixes[missing].astype(np.int32)]), axis=1)
        self._book.make_cells(pairs[0], pairs[1].astype(np.uint16))
        self._grow()

    def _grow(self) -> None:
        names, cells = len(self._names), self._book.cells
        self._prefixes, self._renamed = grown(self._prefixes, names, UNDECIDED), grown(self._renamed, names)
        self._counts, self._shares = grown(self._counts, cells), grown(self._shares, cells)
        self._touched = grown(self._touched, cells)
