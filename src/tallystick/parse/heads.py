"""`KnownHeads`: the heads that a parser remembers, and their bounds."""

import numpy as np

from tallystick.kernels.heads import PREVIOUS, REFUSED, STATE_SIZE, Heads
from tallystick.kernels.names import NameTable

HEADS_MAX = 100_000
"""So many are remembered at most; then all are forgotten, and those that still come are remembered anew."""

_HEADS_AT_ONCE = 4096
_BYTES_AT_ONCE = 1 << 18


class KnownHeads:
    """Heads that one parser has seen, with what they led to in a table of names; see `tallystick.kernels.heads`.

    Memory follows what the sender says: a head's own bytes, and about fifty more.
    """

    def __init__(self) -> None:
        self._table: object = None  # the state of the table of names that entries are of
        self._forget()

    def of(self, names: NameTable) -> Heads:
        """What a kernel may use and add to in its next call, where entries are of `names`."""
        heads = self._heads
        if names.arrays.state is not self._table or (heads.state[REFUSED] and len(self._texts) >= HEADS_MAX):
            self._table = names.arrays.state  # it is the same array however a table grows
            self._forget()
        elif heads.state[REFUSED]:
            self._grow()
        return self._heads

    def _forget(self) -> None:
        self._texts = NameTable(HEADS_MAX)
        room = len(self._texts.arrays.successor)
        self._heads = Heads(
            self._texts.arrays,
            np.zeros(room, np.int32),
            np.zeros(room, np.uint8),
            np.zeros(room, np.int64),
            np.zeros(STATE_SIZE, np.int64),
        )
        self._heads.state[PREVIOUS] = -1

    def _grow(self) -> None:
        old = self._heads
        self._texts.reserve(_HEADS_AT_ONCE, _BYTES_AT_ONCE)
        more = len(self._texts.arrays.successor) - len(old.entry)
        entry, kind, context = (
            np.concatenate([column, np.zeros(more, column.dtype)]) for column in (old.entry, old.kind, old.context)
        )
        old.state[REFUSED] = 0
        self._heads = Heads(self._texts.arrays, entry, kind, context, old.state)
