"""What the native protocol's parser knows of a connection, and what it is given to ask: `Greeting`."""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.native import UNSEEN, Dictionary
from tallystick.kernels.words import PADDING
from tallystick.native import messages
from tallystick.native.messages import Name
from tallystick.parse.neighbour import Neighbour


class Blocklist(Protocol):
    """Names that are not wanted, as senders are told of them."""

    @property
    def version(self) -> int:
        """Grows with each change."""
        ...

    def globs_for(self, host: str) -> Sequence[str]:
        """What a sender at an address need not send: globs for whole names; ``*`` crosses dots."""
        ...

    def when_changed(self, call: Callable[[], None]) -> None:
        """Have `call` called after each change, by whoever makes it."""
        ...


@dataclass(slots=True)
class Greeting:
    """How the senders of a listener are received.

    Parameters
    ----------
    token
        What they have to bring; empty where they need none.
    blocklist
        What they are told not to send.
    when_described
        Called with names of which a sender says something, for each of its connections anew, by the thread that
        receives: it must not wait.
    neighbour
        Meets each connection whose sender is received.
    """

    token: str = ""
    blocklist: Blocklist | None = None
    when_described: Callable[[Sequence[Name]], None] | None = None
    neighbour: Neighbour | None = None

    def admits(self, token: str) -> bool:
        """Whether a sender brings the token that is asked for; takes as long for each that is wrong."""
        return not self.token or hmac.compare_digest(self.token.encode(), token.encode())

    def blocked(self, host: str) -> bytes:
        """The frame that tells a sender at an address what is blocked; nothing where there is no list."""
        if self.blocklist is None:
            return b""
        return messages.framed(messages.blocked(self.blocklist.version, self.blocklist.globs_for(host)))


class Connection:
    """What is known of one connection, of a sender at `host`."""

    def __init__(self, host: str = "") -> None:
        self.host = host
        self.begin("", "")

    def begin(self, agent: str, run: str) -> None:
        """Know nothing but who sends."""
        self.agent = agent
        self.greeted = bool(agent)
        self.sender = f"{agent}/{run}" if run else ""  # who numbers its batches
        self.last = 0
        self.table: NDArray[np.uint64] | None = None  # the secret of the table that the entries are of
        self.said = Dictionary(
            np.empty(PADDING, np.uint8),
            np.zeros(1, np.int64),
            np.empty(0, np.uint8),
            np.empty(0, np.bool_),
            np.empty(0, np.int32),
            np.zeros(1, np.int64),
        )

    def names(self) -> list[str]:
        """The names that were said; any thread may ask."""
        said = self.said  # what is behind `known` is not touched, and room is made elsewhere
        known = int(said.known[0])
        text, ends = said.arena.tobytes(), said.offsets[: known + 1].tolist()
        return [text[begin:end].decode(errors="replace") for begin, end in pairwise(ends)]

    @property
    def size_bytes(self) -> int:
        """Memory that the names hold."""
        return sum(array.nbytes for array in self.said)

    def make_room(self, names: int, size_bytes: int) -> bool:
        """Have room for so many more names; True if memory was taken for it."""
        said, known = self.said, int(self.said.known[0])
        used = int(said.offsets[known])
        arena, offsets, kinds, statsd, entries, _ = said
        if used + size_bytes + PADDING > len(arena):
            arena = grown(arena[:used], max(used + size_bytes, 2 * used) + PADDING)
        if known + names > len(kinds):
            room = max(known + names, 2 * known)
            kinds, statsd, entries = grown(kinds, room), grown(statsd, room), grown(entries, room)
            offsets = grown(offsets, room + 1)
        has_grown = arena is not said.arena or kinds is not said.kinds
        if has_grown:
            self.said = Dictionary(arena, offsets, kinds, statsd, entries, said.known)
        return has_grown

    def follow(self, table: NDArray[np.uint64]) -> None:
        """Ask for all names again where the table was made anew."""
        if self.table is not table:
            entries = self.said.entries[: self.said.known[0]]
            entries[entries >= 0] = UNSEEN
            self.table = table


def grown(array: NDArray[Any], room: int) -> NDArray[Any]:
    """A longer array that begins with what was there."""
    longer = np.empty(room, array.dtype)
    longer[: len(array)] = array
    return longer
