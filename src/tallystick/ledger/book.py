"""`Book`: who is counted (accounts), by what (prefixes), and where the counts are (cells of windows).

A *cell* is an account and a prefix: a row of every window's matrix. There are so many at most; an account whose samples
find no cell of their prefix any more counts them under ``other``.

Two books are kept, as merchants do: cells, which kernels count row by row, and for each source the lengths of what
passed from stage to stage. `tallystick.ledger.invariants` compares them.
"""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import OTHER, UNDECIDED
from tallystick.ledger.prefixes import Prefixes
from tallystick.ledger.terms import COLUMNS, REJECTED
from tallystick.ledger.windows import WINDOWS_MAX, Counts, Windows

CELLS_MAX = 16_384
"""Cells of prefixes that have a name; those of accounts as a whole come on top."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How the samples of a batch are shared out.

    Parameters
    ----------
    cells : int32[k]
        Each once.
    counts : int64[k]
        Samples in each.
    """

    cells: NDArray[np.int32]
    counts: NDArray[np.int64]

    @classmethod
    def of_rows(cls, cells: NDArray[np.int32]) -> "Shares":
        """The shares of rows of which each has its cell."""
        counts = np.bincount(cells)
        found = np.flatnonzero(counts)
        return cls(found.astype(np.int32), counts[found])

    @property
    def total(self) -> int:
        """All samples."""
        return int(self.counts.sum())


class Book:
    """Numbers accounts and cells, and keeps their counts; thread-safe where `lock` is held by whoever counts."""

    def __init__(self, prefixes: Prefixes, windows_max: int = WINDOWS_MAX, cells_max: int = CELLS_MAX) -> None:
        self.lock = threading.Lock()
        self.prefixes = prefixes
        self.windows = Windows(windows_max)
        self._cells_max = cells_max
        self.sources: list[str] = []
        self._accounts: list[tuple[int, str]] = []  # number of the source, and peer
        self._passed: Counts = np.zeros((0, COLUMNS), np.int64)
        self.place: NDArray[np.int32] = np.full((0, prefixes.columns), -1, np.int32)
        """The cell of each account and prefix; -1 where there is none yet."""
        self._account_of = np.zeros(64, np.int32)
        self._prefix_of = np.zeros(64, np.uint16)
        self._cells = 0

    def open_account(self, source: str, peer: str) -> int:
        """A new account's number, with the cells that it always has: for what has no name, and for ``other``."""
        with self.lock:
            if source not in self.sources:
                self.sources.append(source)
                self._passed = np.concatenate([self._passed, np.zeros((1, COLUMNS), np.int64)])
            number = len(self._accounts)
            self._accounts.append((self.sources.index(source), peer))
            self.place = np.concatenate([self.place, np.full((1, self.place.shape[1]), -1, np.int32)])
            for prefix in (UNDECIDED, OTHER):
                self.place[number, prefix] = self._new_cell(number, prefix)
            return number

    def make_cells(self, accounts: NDArray[np.int32], prefixes: NDArray[np.uint16]) -> None:
        """Give pairs of account and prefix a cell that have none."""
        with self.lock:
            for account, prefix in {*zip(accounts.tolist(), prefixes.tolist(), strict=True)}:
                if self.place[account, prefix] >= 0:
                    continue
                full = self._cells >= self._cells_max + 2 * len(self._accounts)
                own = self.place[account, OTHER] if full else self._new_cell(account, prefix)
                self.place[account, prefix] = own

    def passed(self, source: int) -> NDArray[np.int64]:
        """What passed of a source, by term, from the lengths of batches: the second book. int64[COLUMNS]."""
        row: NDArray[np.int64] = self._passed[source]
        return row

    @property
    def cells(self) -> int:
        """How many there are."""
        return self._cells

    @property
    def account_of(self) -> NDArray[np.int32]:
        """The account of each cell."""
        return self._account_of[: self._cells]

    @property
    def prefix_of(self) -> NDArray[np.uint16]:
        """The prefix of each cell."""
        return self._prefix_of[: self._cells]

    @property
    def source_of(self) -> NDArray[np.int32]:
        """The number of the source of each cell."""
        return np.array([source for source, _ in self._accounts], np.int32)[self.account_of]

    def source_number(self, account: int) -> int:
        """The number of the source of an account."""
        return self._accounts[account][0]

    def peer(self, account: int) -> str:
        """The peer of an account."""
        return self._accounts[account][1]

    def _new_cell(self, account: int, prefix: int) -> int:
        if self._cells == len(self._account_of):
            self._account_of = np.concatenate([self._account_of, np.zeros(self._cells, np.int32)])
            self._prefix_of = np.concatenate([self._prefix_of, np.zeros(self._cells, np.uint16)])
        cell = self._cells
        self._account_of[cell], self._prefix_of[cell] = account, prefix
        self._cells += 1
        self.windows.grow(self._cells)
        return cell


def summed(counts: Counts, labels: NDArray[np.integer], size: int) -> Counts:
    """Rows of counts added up by label: int64[size, COLUMNS]."""
    out = np.zeros((size, counts.shape[1]), np.int64)
    np.add.at(out, labels, counts)
    return out


def rejected_of(counts: Counts) -> Counts:
    """The columns of rejections: int64[..., reasons]."""
    return counts[..., REJECTED:]
