"""`Relaying`: which servers have a name, decided once a name, and the lines of a batch for each of them.

Names are those that were sent, before any rule: a server that is to be replaced gets what it got before. What has no
level is not relayed: increments, timings and members of sets mean nothing to carbon before somebody has counted them.
Of slots that senders tallied, levels are relayed as their last value and counts as their sum.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import translate

import numpy as np
from numpy.typing import NDArray

from tallystick.config.relays import Relay, split_server
from tallystick.kernels.lines import TIME_BYTES, VALUE_BYTES, Lines, measured, written
from tallystick.kernels.names import NameArrays
from tallystick.ledger import Ledger
from tallystick.model.address import Address
from tallystick.model.columns import grown
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.relay.ring import Place, Spreading, spreading
from tallystick.route import shown
from tallystick.sockets import Forwarder, Standing

_DECIDED, _NOT_KEPT = np.uint8(1), np.uint8(2)
_LINE_BYTES = VALUE_BYTES + TIME_BYTES + 3
_UNUSABLE = re.compile(rb"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class _Group:
    """A relay of the config, with the members that its servers are; each of 64 members has a bit."""

    matching: re.Pattern[str]
    spreading: Spreading
    first: int
    stop: bool
    keep: bool


@dataclass(frozen=True, slots=True)
class _Member:
    """A server of a relay, and those that may stand in for it."""

    server: Forwarder
    others: tuple[Forwarder, ...]
    in_order: bool


class Relaying:
    """Relays what the config says; the caller holds the lock of the table of names.

    Parameters
    ----------
    draw
        Chooses one of several servers.
    """

    def __init__(self, relays: Sequence[Relay], ledger: Ledger, draw: random.Random | None = None) -> None:
        self._draw = draw or random.Random()
        self._servers: dict[tuple[str, int], Forwarder] = {}
        self._members: list[_Member] = []
        self._groups = [self._group(relay, ledger) for relay in relays]
        self.hold: Callable[[NDArray[np.int32]], None] | None = None
        """Told of entries whose samples are not kept here."""
        self._state: NDArray[np.int64] | None = None  # of the table that the columns are of
        self._members_of = np.zeros(64, np.uint64)
        self._known = np.zeros(64, np.uint8)
        self._begins = np.zeros(64, np.uint8)  # behind how many bytes of an entry the name begins that was sent

    def __bool__(self) -> bool:
        return bool(self._groups)

    def take(self, batch: SampleBatch | TallyBatch, arrays: NameArrays) -> NDArray[np.bool_] | None:
        """Hand on the rows of a batch that are for others; returns which of them are not to be kept here, if any.

        Parameters
        ----------
        batch
            Its ids are entries of `arrays`.
        """
        if not len(batch):
            return None
        self._decide(batch.ids, arrays)
        relayed = (self._members_of[batch.ids] != 0) & _is_level(batch)
        rows = np.flatnonzero(relayed)
        if not len(rows):
            return None
        ids, timestamp, value = batch.ids[rows], batch.timestamp[rows], _values(batch)[rows]
        counts, sizes = measured(ids, self._members_of, arrays.offsets)
        for member in np.flatnonzero(counts).tolist():
            room = int(sizes[member] + counts[member] * _LINE_BYTES)
            lines = Lines(ids, self._begins, arrays.arena, arrays.offsets, timestamp, value)
            self._serving(self._members[member]).offer(*written(lines, self._members_of, member, room))
        lost = relayed & (self._known[batch.ids] & _NOT_KEPT != 0)
        return lost if lost.any() else None

    def standings(self) -> list[Standing]:
        """How each server is."""
        return [one.standing() for one in self._servers.values()]

    def problems(self) -> list[str]:
        """What an operator should know: servers that are away."""
        return [f"cannot relay to {one.server}: {one.error}" for one in self.standings() if one.error]

    def start(self) -> None:
        """Begin to send."""
        for one in self._servers.values():
            one.start()

    def stop(self) -> None:
        """Send what can be sent soon."""
        for one in self._servers.values():
            one.stop()

    def _group(self, relay: Relay, ledger: Ledger) -> _Group:
        places = [Place(*split_server(text)) for text in relay.servers]
        own = [self._server(place, relay.queue_bytes_max, ledger) for place in places]
        others = tuple(own) if relay.way in ("any", "failover") else ()
        first = len(self._members)
        self._members += [_Member(one, others, relay.way == "failover") for one in own]
        matching = re.compile(f".*(?:{relay.regex})" if relay.regex else translate(relay.match), re.DOTALL)
        ways = spreading(relay.way, places, relay.replication)
        return _Group(matching, ways, first, relay.stop, relay.keep)

    def _server(self, place: Place, queue_bytes_max: int, ledger: Ledger) -> Forwarder:
        key = place.host, place.port
        if key not in self._servers:
            account = ledger.account(f"relay {place.host}:{place.port}")
            self._servers[key] = Forwarder(Address("tcp", *key), queue_bytes_max, account.turned_away)
        return self._servers[key]

    def _serving(self, member: _Member) -> Forwarder:
        """Who gets what is for a member: itself, or if it is away one that stands in for it."""
        if not member.server.is_away:
            return member.server
        there = [one for one in member.others if not one.is_away]
        if not there:
            return member.server
        return there[0] if member.in_order else self._draw.choice(there)

    def _decide(self, ids: NDArray[np.int32], arrays: NameArrays) -> None:
        if arrays.state is not self._state:  # it is the same array however a table grows
            self._state = arrays.state
            self._known[:] = 0
        needed = int(ids.max()) + 1
        self._known, self._begins = grown(self._known, needed), grown(self._begins, needed)
        self._members_of = grown(self._members_of, needed)
        new = self._known[ids] == 0
        if not new.any():
            return
        entries = np.unique(ids[new])
        for entry, text in zip(entries.tolist(), arrays.packed(entries).encoded(), strict=True):
            name = shown(text)
            self._begins[entry] = len(text) - len(name)
            self._members_of[entry], self._known[entry] = self._decided(name)
        if self.hold is not None:
            self.hold(entries[self._known[entries] & _NOT_KEPT != 0])

    def _decided(self, name: bytes) -> tuple[int, int]:
        """The bits of a name's members, and what is known of it."""
        members, known = 0, int(_DECIDED)
        if _UNUSABLE.search(name):  # a line could not hold it
            return members, known
        text = name.decode("utf-8", "replace")
        for group in self._groups:
            if group.matching.match(text):
                for k in group.spreading.members(name):
                    members |= 1 << (group.first + k)
                if not group.keep:
                    known |= int(_NOT_KEPT)
                if group.stop:
                    break
        return members, known


def _is_level(batch: SampleBatch | TallyBatch) -> NDArray[np.bool_]:
    kinds = [Kind.GAUGE, Kind.CUMULATIVE]
    if isinstance(batch, TallyBatch):
        kinds.append(Kind.COUNTER)
    return np.isin(batch.kind, kinds)


def _values(batch: SampleBatch | TallyBatch) -> NDArray[np.float64]:
    if isinstance(batch, SampleBatch):
        return batch.value
    return np.where(batch.kind == Kind.COUNTER, batch.spread.sum, batch.last)
