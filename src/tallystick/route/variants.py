"""`Variants`: which entry stands for a name as one sort of senders sends it; used only where a rule asks who sent.

A sort is all senders that no rule can tell apart, and, where a rule asks for it, the kind of the sample.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameTable
from tallystick.kernels.variants import FREE, add_variants, find_variants
from tallystick.ledger.attribution import Senders
from tallystick.ledger.ledger import OTHER_PEER
from tallystick.model.kind import Kind
from tallystick.model.sample import GAUGE_DELTA
from tallystick.route.facts import Facts
from tallystick.route.naming import Naming
from tallystick.route.own import variant_names

_KIND_BITS = 3
_NO_KIND = (1 << _KIND_BITS) - 1
_ROOM = 1 << 10

Describe = Callable[[int], tuple[str, str]]
"""Source and peer of an account, by its number."""
Adopt = Callable[[NDArray[np.int32], list[bytes]], NDArray[np.int32]]
"""Makes entries of ours: from the entries that they are made of, and their bytes."""


class Variants:
    """Finds variants; the caller holds the lock of the table of names.

    Parameters
    ----------
    describe
        Who an account is of.
    adopt
        Makes entries.
    """

    def __init__(self, names: NameTable, adopt: Adopt) -> None:
        self._names = names
        self._adopt = adopt
        self.describe: Describe | None = None
        self._facts: list[Facts] = []  # of each group of senders; never shorter, as entries bear its positions
        self._groups: dict[tuple[object, ...], int] = {}
        self._group_of: dict[int, int] = {}  # by account
        self.lumped: frozenset[str] = frozenset()
        """Sources some of whose hosts cannot be told apart, though a rule asks for that."""
        self.forget_entries()

    def forget_entries(self) -> None:
        """Find all variants once more in the table of names: entries have moved."""
        self._keys = np.full(_ROOM, FREE, np.int64)
        self._values = np.zeros(_ROOM, np.int32)
        self._count = 0

    def forget(self) -> None:
        """Know no variant and no sort of senders any more: rules are others."""
        self.forget_entries()
        self._groups.clear()
        self._group_of.clear()
        self.lumped = frozenset()

    def forget_senders(self) -> None:
        """Look at accounts anew: their numbers mean others."""
        self._group_of.clear()

    def facts(self, sort: int) -> Facts:
        """What is known of a sort of senders."""
        group, kind = self._facts[sort >> _KIND_BITS], sort & _NO_KIND
        return group if kind == _NO_KIND else Facts(group.source, group.peer, Kind(kind))

    def find(
        self, naming: Naming, ids: NDArray[np.int32], kinds: NDArray[np.uint8], senders: Senders
    ) -> NDArray[np.int32]:
        """The variant of each row's entry: int32[n]; -1 where the table of names has no place for it."""
        sorts = self._sorts(naming, ids, kinds, senders)
        out = np.empty(len(ids), np.int32)
        if find_variants(ids, sorts, self._keys, self._values, out):
            self._make(ids, sorts, np.flatnonzero(out < 0))
            find_variants(ids, sorts, self._keys, self._values, out)
        return out

    def bases(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Entries that were sent, and the variant of each, for every pair that is known."""
        used = self._keys != FREE
        return self._keys[used] & 0xFFFFFFFF, self._values[used]

    def _sorts(
        self, naming: Naming, ids: NDArray[np.int32], kinds: NDArray[np.uint8], senders: Senders
    ) -> NDArray[np.int32]:
        groups = np.array([self._group(naming, account) for account in senders.accounts.tolist()], np.int32)
        of_rows = np.repeat(groups, np.diff(senders.ends, prepend=0)) << _KIND_BITS
        if not naming.asks_kind:
            return of_rows | np.int32(_NO_KIND)
        return of_rows | (kinds & np.uint8(~GAUGE_DELTA & 0xFF)).astype(np.int32)

    def _group(self, naming: Naming, account: int) -> int:
        found = self._group_of.get(account)
        if found is None:
            facts = Facts(*self.describe(account)) if self.describe is not None else Facts()
            if facts.peer == OTHER_PEER:
                self.lumped |= {facts.source}
            likeness = naming.likeness(facts)
            found = self._groups.get(likeness)
            if found is None:
                found = self._groups[likeness] = len(self._facts)
                self._facts.append(facts if naming.asks_source else Facts())
            self._group_of[account] = found
        return found

    def _make(self, ids: NDArray[np.int32], sorts: NDArray[np.int32], rows: NDArray[np.intp]) -> None:
        pairs = (sorts[rows].astype(np.int64) << 32) | ids[rows]
        keys, first = np.unique(pairs, return_index=True)
        keys = keys[np.argsort(first)]  # in the order of arrival, so that series that are sent together lie together
        bases = (keys & 0xFFFFFFFF).astype(np.int32)
        named = variant_names((keys >> 32).tolist(), self._names.names(bases))
        values = self._adopt(bases, named)
        placed = values >= 0
        self._reserve(int(placed.sum()))
        add_variants(keys[placed], values[placed], self._keys, self._values)
        self._count += int(placed.sum())

    def _reserve(self, more: int) -> None:
        room = len(self._keys)
        while 2 * (self._count + more) > room:
            room *= 2
        if room == len(self._keys):
            return
        used = self._keys != FREE
        keys, values = self._keys[used], self._values[used]
        self._keys, self._values = np.full(room, FREE, np.int64), np.zeros(room, np.int32)
        add_variants(keys, values, self._keys, self._values)
