"""`NameTable`: names as bytes to dense int32 entries, and back.

How a name is found. Senders repeat their names in the same order, every ten seconds. So each entry remembers its
*successor*, the entry that followed it last time: a parser first compares the bytes at its cursor with the successor of
the entry it just had, which walks the arena in order and neither scans nor hashes. Where that fails, a hash table is
asked: open addressing, linear probing, at most half full. Its hash is keyed with a random secret of the table and every
hit is verified by comparing the bytes, so that no sender can aim at collisions or be taken for another.
"""

import secrets
import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.hashing import hash_bytes
from tallystick.kernels.packed import Names, padded, pieces
from tallystick.kernels.words import PADDING, same_bytes

LIMIT = -1
"""What an added name gets where the table holds `entries_max` names already."""
NO_ROOM = -2
"""The arrays are full: call `NameTable.reserve` and go on."""

_TRUST_MAX = 8
_RETRY_MASK = 15


class NameArrays(NamedTuple):
    """What kernels see of a table; replaced whenever the table grows.

    Parameters
    ----------
    arena : uint8[bytes + PADDING]
        All names, back to back.
    offsets : int64[entries + 1]
        Name ``i`` is ``arena[offsets[i]:offsets[i + 1]]``.
    slots : uint64[power of two]
        Hash table: the upper half of the hash above entry + 1; 0 is free.
    successor : int32[entries]
        The entry that followed this one last time, or -1.
    state : int64[2]
        Number of names, and the most there may be.
    key : uint64[2]
        The secret of this table.
    """

    arena: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    slots: NDArray[np.uint64]
    successor: NDArray[np.int32]
    state: NDArray[np.int64]
    key: NDArray[np.uint64]

    def packed(self, entries: NDArray[np.integer]) -> Names:
        """The names of several entries, in their order."""
        return pieces(self.arena, self.offsets[entries], self.offsets[entries + 1])


@inlined
def hash_name(names: NameArrays, buffer: np.ndarray, start: int, length: int) -> int:
    """The keyed hash by which the table finds a name."""
    return hash_bytes(buffer, start, length, names.key[0], names.key[1])


@inlined
def probe(names: NameArrays, buffer: np.ndarray, start: int, length: int, hashed: int) -> tuple[int, int]:
    """The entry of a name and its slot; the entry is -1 and the slot free if there is none."""
    mask = np.uint64(len(names.slots) - 1)
    upper = hashed & np.uint64(0xFFFFFFFF00000000)
    slot = hashed & mask
    while True:
        found = names.slots[slot]
        if found == np.uint64(0):
            return -1, np.int64(slot)
        if found & np.uint64(0xFFFFFFFF00000000) == upper:
            entry = np.int64(found & np.uint64(0xFFFFFFFF)) - 1
            at = names.offsets[entry]
            if names.offsets[entry + 1] - at == length and same_bytes(names.arena, at, buffer, start, length):
                return entry, np.int64(slot)
        slot = (slot + np.uint64(1)) & mask


@inlined
def find_or_add(names: NameArrays, buffer: np.ndarray, start: int, length: int) -> int:
    """The entry of a name, which is added if it is new; `LIMIT` or `NO_ROOM` where that cannot be."""
    hashed = hash_name(names, buffer, start, length)
    entry, slot = probe(names, buffer, start, length, hashed)
    if entry >= 0:
        return entry
    count = names.state[0]
    if count >= names.state[1]:
        return LIMIT
    end = names.offsets[count]
    if count >= len(names.successor) or end + length + PADDING > len(names.arena):
        return NO_ROOM
    for i in range(length):
        names.arena[end + i] = buffer[start + i]
    names.offsets[count + 1] = end + length
    names.successor[count] = -1
    names.slots[slot] = (hashed & np.uint64(0xFFFFFFFF00000000)) | np.uint64(count + 1)
    names.state[0] = count + 1
    return count


@inlined
def guess(names: NameArrays, previous: int, trust: int, turn: int) -> int:
    """The entry that probably comes after `previous`, or -1.

    Where guesses keep failing (`trust` is 0: a sender in random order) only every sixteenth is made, because a wrong
    one costs cache misses.
    """
    if previous < 0 or (trust == 0 and turn & _RETRY_MASK != 0):
        return -1
    return np.int64(names.successor[previous])


@inlined
def learn(names: NameArrays, previous: int, entry: int, trust: int, hit: bool) -> int:
    """Remember that `entry` came after `previous`; returns the new trust in guesses."""
    if hit:
        return _TRUST_MAX
    if previous >= 0:
        names.successor[previous] = entry
    return max(trust - 1, 0)


@inlined
def resolve(
    names: NameArrays, buffer: np.ndarray, start: int, length: int, previous: int, trust: int, turn: int
) -> tuple[int, bool]:
    """The entry of a name whose bounds are known, and whether it was guessed; as `find_or_add`."""
    entry = guess(names, previous, trust, turn)
    if entry >= 0:
        at = names.offsets[entry]
        if names.offsets[entry + 1] - at == length and same_bytes(names.arena, at, buffer, start, length):
            return entry, True
    return find_or_add(names, buffer, start, length), False


@inlined
def has_room(names: NameArrays, length: int) -> bool:
    """Whether a name of `length` bytes could be added (or may not be, which needs no room)."""
    count = names.state[0]
    if count >= names.state[1]:
        return True
    return count < len(names.successor) and names.offsets[count] + length + PADDING <= len(names.arena)


@scanner
def _intern_all(names: NameArrays, buffer: np.ndarray, offsets: np.ndarray, first: int, out: np.ndarray) -> int:
    """Intern names ``first..n``; stops at the first that finds no room and returns its position."""
    for i in range(first, len(offsets) - 1):
        entry = find_or_add(names, buffer, offsets[i], offsets[i + 1] - offsets[i])
        if entry == NO_ROOM:
            return i
        out[i] = entry
    return len(offsets) - 1


@scanner
def _find_one(names: NameArrays, buffer: np.ndarray, length: int) -> int:
    return probe(names, buffer, 0, length, hash_name(names, buffer, 0, length))[0]


@scanner
def _rehash(names: NameArrays) -> None:
    """Fill empty `slots` from the arena."""
    mask = np.uint64(len(names.slots) - 1)
    for entry in range(names.state[0]):
        at = names.offsets[entry]
        hashed = hash_name(names, names.arena, at, names.offsets[entry + 1] - at)
        slot = hashed & mask
        while names.slots[slot] != np.uint64(0):
            slot = (slot + np.uint64(1)) & mask
        names.slots[slot] = (hashed & np.uint64(0xFFFFFFFF00000000)) | np.uint64(entry + 1)


class NameTable:
    """Interns names: the same bytes always give the same entry; entries are dense, from 0, and change by `become` only.

    Parameters
    ----------
    entries_max
        Names beyond this many are not added; who adds one gets `LIMIT`.

    Notes
    -----
    Threads: a table may be shared, but whoever interns or parses with it holds `lock` meanwhile. `name`, `names` and
    `len` may be called without it for entries that were handed out before.

    Cost: about 30 bytes an entry beside the name itself, less than half of it in the hash table.
    """

    def __init__(self, entries_max: int = 10_000_000) -> None:
        self.lock = threading.Lock()
        self._arrays = NameArrays(
            arena=np.zeros(4096 + PADDING, np.uint8),
            offsets=np.zeros(65, np.int64),
            slots=np.zeros(128, np.uint64),
            successor=np.full(64, -1, np.int32),
            state=np.array([0, entries_max], np.int64),
            key=np.frombuffer(secrets.token_bytes(16), np.uint64).copy(),
        )

    def __len__(self) -> int:
        return int(self._arrays.state[0])

    @property
    def arrays(self) -> NameArrays:
        """What kernels work on; valid until `reserve` is called."""
        return self._arrays

    @property
    def entries_max(self) -> int:
        """The most names there may be."""
        return int(self._arrays.state[1])

    @property
    def size_bytes(self) -> int:
        """Memory that the arrays hold."""
        return sum(array.nbytes for array in self._arrays)

    def reserve(self, entries: int, size_bytes: int) -> None:
        """Make room for `entries` more names of together `size_bytes`; arrays grow by doubling."""
        old = self._arrays
        count = len(self)
        used = int(old.offsets[count])
        arena, offsets, slots, successor = old.arena, old.offsets, old.slots, old.successor
        if used + size_bytes + PADDING > len(arena):
            arena = np.zeros(_doubled(len(arena) - PADDING, used + size_bytes) + PADDING, np.uint8)
            arena[:used] = old.arena[:used]
        grown = count + entries > len(successor)
        if grown:
            room = _doubled(len(successor), count + entries)
            offsets = np.zeros(room + 1, np.int64)
            offsets[: count + 1] = old.offsets[: count + 1]
            successor = np.full(room, -1, np.int32)
            successor[:count] = old.successor[:count]
            slots = np.zeros(2 * room, np.uint64)
        arrays = NameArrays(arena, offsets, slots, successor, old.state, old.key)
        if grown:
            _rehash(arrays)
        self._arrays = arrays

    def become(self, other: "NameTable") -> None:
        """Have the entries of another table, which is then given up; entries handed out before mean nothing here."""
        self._arrays = other._arrays

    def copied(self, entries_max: int) -> "NameTable":
        """Another table with the same entries, which is far cheaper than to intern the names once more."""
        copy = NameTable(entries_max)
        state = np.array([len(self), entries_max], np.int64)
        copy._arrays = NameArrays(*(array.copy() for array in self._arrays))._replace(state=state)
        return copy

    def intern(self, name: bytes) -> int:
        """The entry of `name`, added if it is new; `LIMIT` if there is no place for it."""
        return int(self.intern_many([name])[0])

    def intern_many(self, names: Sequence[bytes]) -> NDArray[np.int32]:
        """The entries of `names`, in their order: int32[n]."""
        return self.intern_packed(Names.of_bytes(names))

    def intern_packed(self, names: Names) -> NDArray[np.int32]:
        """The entries of `names`, in their order: int32[n]."""
        out = np.empty(len(names), np.int32)
        done = 0
        if not len(self):  # so nearly all are new
            self.reserve(min(len(names), self.entries_max), len(names.data))
        while done < len(out):
            done = _intern_all(self._arrays, names.arena, names.offsets, done, out)
            if done < len(out):
                self.reserve(1, int(names.offsets[done + 1] - names.offsets[done]))
        return out

    def find(self, name: bytes) -> int:
        """The entry of `name`, or -1."""
        return int(_find_one(self._arrays, padded(name), len(name)))

    def name(self, entry: int) -> bytes:
        """The bytes of an entry."""
        arrays = self._arrays
        return arrays.arena[arrays.offsets[entry] : arrays.offsets[entry + 1]].tobytes()

    def names(self, entries: Iterable[int] | NDArray[np.int32]) -> list[bytes]:
        """The bytes of several entries, in their order."""
        ids = np.asarray(entries if isinstance(entries, np.ndarray) else list(entries), np.int64)
        return self._arrays.packed(ids).encoded()

    def texts(self, entries: NDArray[np.integer]) -> list[str]:
        """The names of several entries as text, in their order."""
        return self.packed(entries).texts()

    def packed(self, entries: NDArray[np.integer]) -> Names:
        """The names of several entries, in their order."""
        return self._arrays.packed(entries)


def _doubled(size: int, needed: int) -> int:
    """The first doubling of `size` that is at least `needed`."""
    while size < needed:
        size *= 2
    return size
