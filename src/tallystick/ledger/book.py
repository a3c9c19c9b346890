"""`Book`: who is counted (accounts), by what (prefixes), and where the counts are (cells of windows).

A *cell* is an account and a prefix: a row of every window's matrix. There are so many at most; an account whose samples
find no cell of their prefix any more counts them under ``other``.

Two books are kept, as merchants do: cells, which kernels count row by row, and for each source the lengths of what
passed from stage to stage. `tallystick.ledger.invariants` compares them.
"""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import NAMED, OTHER, UNDECIDED
from tallystick.ledger.prefixes import Prefixes
from tallystick.ledger.terms import COLUMNS
from tallystick.ledger.windows import WINDOWS_MAX, Counts, Windows
from tallystick.model.columns import grown

_FLIGHT_WINDOWS = 7  # longer than anything may be in flight, see `tallystick.ledger.invariants`
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


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Cells that are empty soon, and the account that they were of, or -1; since a window."""

    window: int
    cells: NDArray[np.int32]
    account: int


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
        self._free_cells: list[int] = []
        self._free_accounts: list[int] = []
        self._leaving: deque[_Leaving] = deque()
        self._are_leaving: set[int] = set()  # cells
        self._heirs: dict[int, int] = {}  # who counts for an account that leaves

    def open_account(self, source: str, peer: str) -> int:
        """A new account's number, with the cells that it always has: for what has no name, and for ``other``."""
        with self.lock:
            if source not in self.sources:
                self.sources.append(source)
                self._passed = np.concatenate([self._passed, np.zeros((1, COLUMNS), np.int64)])
            named = self.sources.index(source), peer
            if self._free_accounts:
                number = self._free_accounts.pop()
                self._accounts[number] = named
                self.place[number] = -1
            else:
                number = len(self._accounts)
                self._accounts.append(named)
                self.place = np.concatenate([self.place, np.full((1, self.place.shape[1]), -1, np.int32)])
            for prefix in (UNDECIDED, OTHER):
                self.place[number, prefix] = self._new_cell(number, prefix)
            return number

    def make_cells(self, accounts: NDArray[np.int32], prefixes: NDArray[np.uint16]) -> None:
        """Give pairs of account and prefix a cell that have none."""
        with self.lock:
            for account, prefix in {*zip(accounts.tolist(), prefixes.tolist(), strict=True)}:
                owner = self._heirs.get(account, account)
                if self.place[owner, prefix] < 0:
                    own = self.place[owner, OTHER] if self.is_full else self._new_cell(owner, prefix)
                    self.place[owner, prefix] = own
                self.place[account, prefix] = self.place[owner, prefix]

    @property
    def is_full(self) -> bool:
        """Whether there are as many cells as there may be."""
        return self._cells - len(self._free_cells) >= self._cells_max + 2 * len(self._accounts)

    def retire_accounts(self, accounts: NDArray[np.integer], into: int, window: int) -> None:
        """Have accounts of one source counted as another one of it from now on; `lock` is held.

        Their numbers mean that one until `settle` gives them to somebody else.
        """
        for account in accounts.tolist():
            own = self.account_of == account
            cells = np.flatnonzero(own & self.in_use)
            self._account_of[: self._cells][own] = into
            prefixes = self.prefix_of[cells]
            alone = self.place[into, prefixes] < 0
            self.place[into, prefixes[alone]] = cells[alone]  # nothing has to move
            self._leave(cells[~alone], window, account)
            self._heirs[account] = into
            self.place[account] = np.where(self.place[into] < 0, self.place[into, OTHER], self.place[into])

    def retire_prefixes(self, prefixes: NDArray[np.integer], window: int) -> NDArray[np.uint16]:
        """Have prefixes counted as ``other`` from now on; returns the new number of each old one.

        `lock` is held, and that of the table of names: nobody attributes meanwhile.
        """
        kept = np.setdiff1d(np.arange(len(self.prefixes)), prefixes)
        self.prefixes, place = self.prefixes.without(prefixes)
        cells = np.flatnonzero(np.isin(self.prefix_of, prefixes) & self.in_use)
        self._prefix_of[: self._cells] = place[self.prefix_of]
        self._leave(cells, window)
        columns = np.full_like(self.place, -1)
        columns[:, place[kept]] = self.place[:, kept]
        self.place = columns
        return place

    def retire_cells(self, cells: NDArray[np.integer], window: int) -> None:
        """Have the prefixes of some cells counted as ``other`` of their accounts; `lock` is held."""
        self.place[self.account_of[cells], self.prefix_of[cells]] = -1
        self._prefix_of[cells] = OTHER
        self._leave(cells, window)

    def settle(self, window: int) -> None:
        """Give away what left long enough ago for nothing to be on its way to it; `lock` is held."""
        while self._leaving and self._leaving[0].window <= window - _FLIGHT_WINDOWS:
            leaving = self._leaving.popleft()
            cells = leaving.cells
            self.windows.move(cells, self.place[self.account_of[cells], self.prefix_of[cells]])
            self._free_cells += cells.tolist()
            self._are_leaving.difference_update(cells.tolist())
            if leaving.account >= 0:
                del self._heirs[leaving.account]
                self._free_accounts.append(leaving.account)
            # Those that found none have their own again when they come.
            shared = self.place[:, NAMED:] == self.place[:, OTHER, None]
            shared[[*self._heirs, *self._free_accounts]] = False
            self.place[:, NAMED:][shared] = -1

    def _leave(self, cells: NDArray[np.integer], window: int, account: int = -1) -> None:
        self._are_leaving.update(cells.tolist())
        self._leaving.append(_Leaving(window, cells.astype(np.int32), account))

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

    @property
    def in_use(self) -> NDArray[np.bool_]:
        """Which cells are somebody's: neither free nor about to be."""
        used = np.ones(self._cells, np.bool_)
        used[[*self._free_cells, *self._are_leaving]] = False
        return used

    def source_number(self, account: int) -> int:
        """The number of the source of an account."""
        return self._accounts[account][0]

    def peer(self, account: int) -> str:
        """The peer of an account."""
        return self._accounts[account][1]

    def _new_cell(self, account: int, prefix: int) -> int:
        if self._free_cells:
            cell = self._free_cells.pop()
            self._account_of[cell], self._prefix_of[cell] = account, prefix
            return cell
        cell = self._cells
        self._cells += 1
        self._account_of, self._prefix_of = grown(self._account_of, self._cells), grown(self._prefix_of, self._cells)
        self._account_of[cell], self._prefix_of[cell] = account, prefix
        self.windows.grow(self._cells)
        return cell


def summed(counts: Counts, labels: NDArray[np.integer], size: int) -> Counts:
    """Rows of counts added up by label: int64[size, COLUMNS]."""
    out = np.zeros((size, counts.shape[1]), np.int64)
    np.add.at(out, labels, counts)
    return out
