"""`Prefixes`: the beginnings of names that the ledger counts by, decided once for each name."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import NAMED, OTHER, UNDECIDED, decide_prefixes
from tallystick.kernels.beginnings import HOST_DEPTH
from tallystick.kernels.names import NameArrays, NameTable
from tallystick.kernels.packed import Names

PREFIX_DEPTH = 2
PREFIXES_MAX = 500
_ROOM = 64
_ROOM_BYTES = 1 << 16


class Prefixes:
    """The first components of names, up to so many different ones; all further ones count as ``other``.

    Parameters
    ----------
    depth
        Components of a prefix: ``apps.shop`` of ``apps.shop.requests`` if it is 2. Those of hosts in the planned tree
        have at least four: ``prod.hosts.web.web1``.
    prefixes_max
        How many are told apart.

    Notes
    -----
    Threads: whoever decides holds the lock of the table of names; texts may be asked for at any time.
    """

    def __init__(self, depth: int = PREFIX_DEPTH, prefixes_max: int = PREFIXES_MAX) -> None:
        self.depth = depth
        self.columns = prefixes_max + NAMED
        """How many numbers there are: nobody's, that of ``other``, and those of the prefixes."""
        self._table = NameTable(prefixes_max)

    def __len__(self) -> int:
        """How many numbers are in use."""
        return len(self._table) + NAMED

    def decide(self, names: NameArrays, entries: NDArray[np.integer], column: NDArray[np.uint16]) -> None:
        """Write the prefixes of these entries of a table of names into ``column[entry]``."""
        done = 0
        while done < len(entries):
            done = decide_prefixes(names, entries, done, self.depth, self._table.arrays, column)
            if done < len(entries):
                self._table.reserve(_ROOM, _ROOM_BYTES)

    def of_names(self, names: Names) -> NDArray[np.uint16]:
        """The prefixes of names that are in no table."""
        table = NameTable(len(names) + 1)
        entries = table.intern_packed(names)
        column = prefix_column(len(table))
        self.decide(table.arrays, np.arange(len(table)), column)
        return column[entries]

    def without(self, gone: NDArray[np.integer]) -> tuple["Prefixes", NDArray[np.uint16]]:
        """Prefixes that have room again, and the new number of each old one: `OTHER` of those that are gone."""
        fresh = Prefixes(self.depth, self.columns - NAMED)
        place = np.full(self.columns, OTHER, np.uint16)
        place[UNDECIDED] = UNDECIDED
        kept = np.setdiff1d(np.arange(NAMED, len(self)), gone)
        if len(kept):
            place[kept] = fresh._table.intern_many([self._table.name(k - NAMED) for k in kept.tolist()]) + NAMED
        return fresh, place

    def find(self, text: str) -> int:
        """The number of a prefix; that of ``other`` if it has none of its own."""
        found = self._table.find(text.encode())
        return found + NAMED if found >= 0 else OTHER

    def text(self, prefix: int) -> str:
        """What a number stands for; empty for what had no name that could be read."""
        if prefix < NAMED:
            return "" if prefix == UNDECIDED else "other"
        return self._table.name(prefix - NAMED).decode("utf-8", "replace")


def prefix_of(name: str, depth: int) -> str:
    """The prefix of one name, in plain words: its first components without the last one, and without tags."""
    components = name.partition(";")[0].split(".")
    if components[1:2] == ["hosts"] and len(components) > 2:
        depth = max(depth, HOST_DEPTH)
    return ".".join(components[: min(depth, max(len(components) - 1, 1))])


def prefix_column(entries: int) -> NDArray[np.uint16]:
    """Room for the prefixes of so many names, all of them undecided."""
    return np.full(entries, UNDECIDED, np.uint16)
