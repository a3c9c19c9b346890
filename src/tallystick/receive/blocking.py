"""`Blocking`: which rows of a batch the block list keeps out, by the names that they came by and by those of series.

What the list says of a name is found once a name, and again when the list changes. While nothing is blocked it costs
one look at that a batch.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.blocks import Block, BlockList, InForce, Network, host_in
from tallystick.kernels.globs import Globs
from tallystick.kernels.names import NameArrays
from tallystick.kernels.packed import Names
from tallystick.ledger.book import Book
from tallystick.model.columns import grown
from tallystick.route import shown_names
from tallystick.store.contract import Store

_UNDECIDED = -2
NamesOf = Callable[[NDArray[np.int64]], tuple[NDArray[np.uint8], NDArray[np.int64]]]
"""Arena and offsets of the names of some ids, which are all of the names there."""


class Verdicts:
    """Which of some blocks each name has, decided once: the position of the first of them, or -1."""

    def __init__(self, blocks: list[Block]) -> None:
        globs = [(glob, k) for k, block in enumerate(blocks) for glob in block.globs]
        self.blocks = blocks
        self._globs = Globs.of([glob for glob, _ in globs])
        self._block_of = np.array([*(k for _, k in globs), -1], np.int32)  # the last is that of no glob
        self._column = np.full(64, _UNDECIDED, np.int32)

    def of(self, ids: NDArray[np.int32], names_of: NamesOf) -> NDArray[np.int32]:
        """The verdict on each of some names, by entries or series: int32[n]."""
        self._column = grown(self._column, int(ids.max(initial=-1)) + 1, _UNDECIDED)
        found: NDArray[np.int32] = self._column[ids]
        new = found == _UNDECIDED
        if new.any():
            fresh = np.unique(ids[new]).astype(np.int64)
            first = self._globs.first_matching(*names_of(fresh), np.arange(len(fresh)))
            self._column[fresh] = self._block_of[first]
            found = self._column[ids]
        return found

    def holds(self, names: Names) -> NDArray[np.bool_]:
        """Which names are blocked, of names that have no id yet."""
        first = self._globs.first_matching(names.arena, names.offsets, np.arange(len(names)))
        return np.asarray(first >= 0)

    def forget(self, ids: NDArray[np.int32]) -> None:
        """Some ids may be other names' from now on."""
        self._column[ids[ids < len(self._column)]] = _UNDECIDED

    def forget_all(self) -> None:
        """All of them may."""
        self._column[:] = _UNDECIDED


class _Part:
    """What is blocked for everyone, or for a network."""

    def __init__(self, network: Network | None, blocks: list[Block]) -> None:
        self.network = network
        self.entries, self.series = Verdicts(blocks), Verdicts(blocks)


class Blocking:
    """Applies a block list to what is on its way; the caller holds the lock of the table of names.

    Parameters
    ----------
    book
        Tells whose the rows of a cell are.
    store
        Knows the names of series.
    when_changed
        Called when the list is another one than before.
    """

    def __init__(self, blocks: BlockList, book: Book, store: Store, when_changed: Callable[[], None]) -> None:
        self._list = blocks
        self._book = book
        self._store = store
        self._when_changed = when_changed
        self._force: InForce | None = None
        self._parts: list[_Part] = []
        self._table: NDArray[np.int64] | None = None  # the state of the table that entries are of

    def of_entries(
        self, entries: NDArray[np.int32], cells: NDArray[np.int32], arrays: NameArrays
    ) -> NDArray[np.bool_] | None:
        """Which rows are blocked by the names that they came by; None if none is.

        Parameters
        ----------
        entries : int32[n]
            Of `arrays`.
        cells : int32[n]
            Where the ledger counts each row.
        """
        if not self._follow():
            return None
        if arrays.state is not self._table:  # it is the same array however a table grows
            self._table = arrays.state
            for part in self._parts:
                part.entries.forget_all()

        def names_of(ids: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
            names = shown_names(arrays.packed(ids))
            return names.arena, names.offsets

        return self._refused([(part, part.entries.of(entries, names_of)) for part in self._parts], cells)

    def of_series(self, series: NDArray[np.int32], cells: NDArray[np.int32]) -> NDArray[np.bool_] | None:
        """Which rows are blocked by the names of their series; None if none is."""
        if not self._follow():
            return None

        def names_of(ids: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
            names = Names.of(self._store.catalog.names(ids.astype(np.int32)))
            return names.arena, names.offsets

        return self._refused([(part, part.series.of(series, names_of)) for part in self._parts], cells)

    def of_new(self, names: Names) -> NDArray[np.bool_]:
        """Which names that would become series are blocked for everyone."""
        self._follow()
        everyone = [part for part in self._parts if part.network is None]
        return everyone[0].entries.holds(names) if everyone else np.zeros(len(names), np.bool_)

    def forget(self, series: NDArray[np.int32]) -> None:
        """These ids have no series any more, and may be given to others."""
        for part in self._parts:
            part.series.forget(series)

    def _follow(self) -> bool:
        """Look whether the list is another one now; returns whether there is anything on it."""
        force = self._list.in_force
        if force is not self._force:
            self._force = force
            self._when_changed()
            by_network: dict[Network | None, list[Block]] = {}
            for block in force.blocks:
                by_network.setdefault(block.network, []).append(block)
            self._parts = [_Part(network, blocks) for network, blocks in by_network.items()]
            self._table = None
        return bool(self._parts)

    def _refused(
        self, verdicts: list[tuple[_Part, NDArray[np.int32]]], cells: NDArray[np.int32]
    ) -> NDArray[np.bool_] | None:
        refused = np.zeros(len(cells), np.bool_)
        for part, verdict in verdicts:
            has = verdict >= 0
            if not has.any():
                continue
            if part.network is not None:
                has &= self._are_in(part.network, cells)
            has &= ~refused
            counts = np.bincount(verdict[has], minlength=len(part.entries.blocks)).tolist()
            self._list.count({block.id: n for block, n in zip(part.entries.blocks, counts, strict=True) if n})
            refused |= has
        return refused if refused.any() else None

    def _are_in(self, network: Network, cells: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which rows are of hosts in a network."""
        accounts, places = np.unique(self._book.account_of[cells], return_inverse=True)
        hosts = [host_in(self._book.peer(account)) for account in accounts.tolist()]
        return np.array([host is not None and host in network for host in hosts], np.bool_)[places]
