"""`Delivery`: takes slots from whoever makes them on this host, and has them reach every server once.

One thread writes the spool: it gathers what comes within a second of a beat, so that the disk is asked to be safe once
for all of it, or at once where somebody waits for that. One thread for each destination reads it.

While the disk refuses, what comes without positions is sent from memory, so that a host whose disk is full does not
fall silent. What has positions waits until the disk takes it: where it comes from it is safe, and those who feed us had
better leave it there (`Delivery.is_writable`).
"""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tallystick.agent.delivery.destination import Destination, Greeting
from tallystick.agent.delivery.repeats import Repeater
from tallystick.agent.spool import Spool, SpoolLimits
from tallystick.config.delivery import Delivering
from tallystick.files import Files
from tallystick.model.address import Address
from tallystick.model.clock import Clock
from tallystick.model.errors import StartError
from tallystick.native.blocking import NOTHING_BLOCKED, Blocking
from tallystick.native.link import tls_context
from tallystick.native.messages import Name, Slot

log = logging.getLogger(__name__)

GATHER_S = 1.0
"""What is offered waits so long for more, unless somebody waits for it."""
SLOTS_MAX = 200_000
"""So many are taken before the disk has had its turn; of more, what is new is refused and counted."""
_RETRY_S = 1.0
FIRST = "first"
"""The destination that several servers are together, where one of them is enough."""


@dataclass(slots=True)
class DeliveryCounts:
    """Slots as growing totals: given = spooled + blocked + refused + what waits for the disk."""

    given: int = 0
    spooled: int = 0
    blocked: int = 0
    refused: int = 0


@dataclass(slots=True)
class _Offered:
    """Slots, and how many were lost beside them."""

    slots: list[Slot] = field(default_factory=list)
    refused: int = 0


@dataclass(slots=True)
class _Waiting:
    """What was offered since the last record: without positions, and with the positions that stand for it."""

    loose: _Offered = field(default_factory=_Offered)
    kept: _Offered = field(default_factory=_Offered)
    cursors: dict[str, str] = field(default_factory=dict)
    calls: list[Callable[[], None]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Slots."""
        return len(self.loose.slots) + len(self.kept.slots)

    def put_back(self, earlier: "_Waiting") -> None:
        """Have what the disk did not take wait before what came since."""
        self.kept.slots = earlier.kept.slots + self.kept.slots
        self.kept.refused += earlier.kept.refused
        self.cursors = {**earlier.cursors, **self.cursors}
        self.calls = earlier.calls + self.calls


class Delivery:
    """The way out of an agent; any thread may offer.

    Parameters
    ----------
    config
        Its servers, spool and repeats.
    agent
        Who sends, as a word for people and the ledger: letters, digits and ``. _ -``, at most 64.

    Raises
    ------
    StartError
        If the spool cannot be used, or the token or certificates cannot be read.
    """

    def __init__(self, config: Delivering, agent: str, clock: Clock, files: Files | None = None) -> None:
        self.counts = DeliveryCounts()
        self.blocking = NOTHING_BLOCKED
        """What no server wants."""
        self.is_writable = True
        """Whether the disk takes positions; while it does not, what has some had better stay where it comes from."""
        groups = destinations_of(config)
        greeting = greeting_of(config, agent)
        limits = SpoolLimits(config.spool_bytes_max, config.spool_days_max * 86400.0, config.buffer_bytes_max)
        self.spool = Spool(config.spool_path(), groups, clock, limits, files)
        self.destinations = [
            Destination(name, servers, self.spool, greeting, clock, self._follow_blocking)
            for name, servers in groups.items()
        ]
        self._repeaters = [Repeater(repeat) for repeat in config.repeats]
        self._when_blocked: list[Callable[[Blocking], None]] = []
        self._changed = threading.Condition()
        self._waiting = _Waiting()
        self._due_s: float | None = None
        self._clock = clock
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="spool", daemon=True)

    @property
    def cursors(self) -> Mapping[str, str]:
        """Positions of whoever feeds us: of what is in the spool, and of what will be."""
        with self._changed:
            return {key: at for key, at in {**self.spool.cursors, **self._waiting.cursors}.items() if at}

    def offer(
        self,
        slots: Sequence[Slot],
        cursors: Mapping[str, str] | None = None,
        when_safe: Callable[[], None] | None = None,
        lost: int = 0,
    ) -> None:
        """Take slots, and positions that stand for them; never waits.

        Parameters
        ----------
        cursors
            By a name of their owner's (what is before its first colon tells whose they are); an empty one is forgotten.
            They become durable in the same record as the slots, before these are sent: after a crash both are there, or
            neither.
        when_safe
            Called by another thread once both are on disk, which is then soon.
        lost
            Slots that were made beside these, and given up before they came here: servers are told of them.
        """
        with self._changed:
            waiting = self._waiting
            offered = waiting.kept if cursors else waiting.loose
            offered.refused += lost
            self.counts.given += len(slots)
            if waiting.count + len(slots) > SLOTS_MAX:
                offered.refused += len(slots)
                self.counts.refused += len(slots)
            else:
                offered.slots.extend(slots)
            if cursors:
                waiting.cursors.update(cursors)
            if when_safe is not None:
                waiting.calls.append(when_safe)
            if when_safe is not None or self._due_s is None:
                self._due_s = self._clock.monotonic() + (0.0 if when_safe is not None else GATHER_S)
                self._changed.notify()

    def describe(self, names: Iterable[Name]) -> None:
        """Say something of names: it is sent with their next slots."""
        self.spool.describe(names)

    def when_blocked(self, call: Callable[[Blocking], None]) -> None:
        """Have `call` called, by other threads, with what no server wants, now and whenever that changes."""
        self._when_blocked.append(call)
        call(self.blocking)

    def start(self) -> None:
        """Begin to write and to send."""
        self._thread.start()
        for destination in self.destinations:
            destination.start()
        for repeater in self._repeaters:
            repeater.start()

    def stop(self, drain_s: float = 2.0) -> None:
        """Make safe what was offered, give the servers so long to take it, and end; the rest stays in the spool.

        May be called twice.
        """
        with self._changed:
            if self._is_stopping:
                return
            self._is_stopping = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()
        until_s = self._clock.monotonic() + drain_s
        pause = threading.Event()
        while self.spool.waiting() and self._clock.monotonic() < until_s and self._any_reached():
            pause.wait(0.02)
        for destination in self.destinations:
            destination.stop()
        for repeater in self._repeaters:
            repeater.stop(drain_s)
        self.spool.add(())  # how far each destination is
        self.spool.write()
        self.spool.close()

    def numbers(self) -> Iterator[tuple[str, float]]:
        """What an agent tells of its deliveries: names below ``agent.``, and how much or how many now, or in all."""
        spool = self.spool
        yield "slots_given", float(self.counts.given)
        yield "slots_blocked", float(self.counts.blocked)
        yield "slots_dropped", float(self.counts.refused + spool.counts.refused + spool.counts.given_up)
        yield "spool.bytes", float(spool.size_bytes)
        yield "spool.slots_waiting", float(spool.waiting())
        yield "spool.damaged_files", float(spool.counts.damaged_files)
        yield "spool.writable", float(not spool.trouble)
        yield "servers.connects", float(sum(destination.connects for destination in self.destinations))
        yield "servers.away", float(sum(bool(destination.trouble) for destination in self.destinations))
        if self._repeaters:
            yield "repeats.dropped", float(sum(repeater.dropped for repeater in self._repeaters))

    def problems(self) -> list[str]:
        """What is wrong now, a sentence each."""
        found = [f"cannot send to {one.name}: {one.trouble}" for one in self.destinations if one.trouble]
        if self.spool.trouble:
            found.append(f"cannot write to the spool {self.spool.directory}: {self.spool.trouble}")
        return found

    def _run(self) -> None:
        while True:
            waiting, is_stopping = self._next(None if self.is_writable else _RETRY_S)
            self._add(waiting.loose)
            self.is_writable = self._write(waiting.kept, waiting.cursors)
            for destination in self.destinations:
                destination.wake()  # also while the disk refuses: what waits in memory is sent
            if self.is_writable:
                for call in waiting.calls:
                    self._call(call)
            else:
                with self._changed:
                    self._waiting.put_back(waiting)
            if is_stopping:
                return

    def _next(self, retry_s: float | None) -> tuple[_Waiting, bool]:
        """Wait until something is due, or the disk is to be tried again."""
        with self._changed:
            until_s = None if retry_s is None else self._clock.monotonic() + retry_s
            while not self._is_stopping:
                ends = [end for end in (self._due_s, until_s) if end is not None]
                left_s = min(ends) - self._clock.monotonic() if ends else None
                if left_s is not None and left_s <= 0:
                    break
                self._changed.wait(left_s)
            waiting, self._waiting, self._due_s = self._waiting, _Waiting(), None
            return waiting, self._is_stopping

    def _add(self, loose: _Offered) -> None:
        if not loose.slots and not loose.refused:
            return
        self._repeat(loose.slots)
        slots, blocked = self._wanted(loose.slots)
        if self.spool.add(slots, blocked, loose.refused):
            self.counts.spooled += len(slots)
        self.counts.blocked += blocked

    def _write(self, kept: _Offered, cursors: Mapping[str, str]) -> bool:
        slots, blocked = self._wanted(kept.slots)
        if not self.spool.write(slots, cursors, blocked, kept.refused):
            return False
        self._repeat(kept.slots)
        self.counts.spooled += len(slots)
        self.counts.blocked += blocked
        return True

    def _repeat(self, slots: Sequence[Slot]) -> None:
        if slots:
            for repeater in self._repeaters:
                repeater.repeat(slots)

    def _wanted(self, slots: list[Slot]) -> tuple[list[Slot], int]:
        """Those that some server wants, and how many others there are."""
        blocking = self.blocking
        if not blocking:
            return slots, 0
        wanted = [slot for slot in slots if not blocking.blocks(slot.name)]
        return wanted, len(slots) - len(wanted)

    def _call(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception:
            # Whoever asked to be told must not end the thread that all others need.
            log.exception("cannot tell that something is safe on disk")

    def _any_reached(self) -> bool:
        return any(not destination.trouble for destination in self.destinations)

    def _follow_blocking(self) -> None:
        """What all servers block is not sent; what some want is sent, and the others refuse it."""
        lists = [destination.blocking for destination in self.destinations]
        common = [pattern for pattern in lists[0].patterns if all(pattern in one.patterns for one in lists)]
        self.blocking = Blocking(sum(one.version for one in lists), common)
        for call in self._when_blocked:
            call(self.blocking)


def greeting_of(config: Delivering, agent: str) -> Greeting:
    """How an agent presents itself to its servers.

    Raises
    ------
    StartError
        If its token, or what it verifies servers by, cannot be read.
    """
    try:
        token = config.find_token()
    except (OSError, ValueError) as error:
        raise StartError(f"cannot read the token in {config.token_file}: {error} (key agent.token_file)") from None
    try:
        encrypted = any(server.scheme == "tls" for server in config.endpoints)
        tls = tls_context(config.tls_ca) if encrypted else None
    except OSError as error:
        cause = f"cannot verify servers by {config.tls_ca}: {error}"
        raise StartError(f"{cause}; expected a PEM file (key agent.tls_ca)") from None
    return Greeting(agent, token, tls)


def destinations_of(config: Delivering) -> dict[str, list[Address]]:
    """Who has a place of his own in the spool, and the servers that he is."""
    if config.mode == FIRST:
        return {FIRST: list(config.endpoints)}
    return {str(server): [server] for server in config.endpoints}
