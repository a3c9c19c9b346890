"""`NativeClient`: sends tallied slots to a server, and keeps each batch until the server has it on disk.

Batches are numbered. What was sent and not answered is sent again on the next connection; the server takes no number
twice. What finds no room while the server is away is dropped and counted, there and, by the next batch, here. What the
server does not want is not sent, and counted in the same way.
"""

import contextlib
import logging
import secrets
import socket
import ssl
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native import messages
from tallystick.native.blocking import NOTHING_BLOCKED, Blocking
from tallystick.native.link import Answer, Link
from tallystick.native.messages import FRAME_BYTES, FRAME_HEAD, SLOTS_AT_ONCE, Name, Slot
from tallystick.sockets import Backoff

log = logging.getLogger(__name__)

WINDOW_BYTES = 4 << 20
"""So much is sent without an answer."""
_LOOK_S = 0.5


@dataclass(slots=True)
class NativeCounts:
    """What became of the slots that a client was given: given = acknowledged + dropped + blocked + what waits."""

    given: int = 0
    acknowledged: int = 0
    dropped: int = 0
    blocked: int = 0
    connects: int = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    number: int
    frame: bytes
    slots: int
    names: int  # so many names must be known before it


class NativeClient:
    """A thread that sends to one server.

    Parameters
    ----------
    server
        A ``tcp``, ``tls`` or ``unix`` address.
    agent
        Who sends: letters, digits and ``. _ -``, at most 64.
    run
        Names the sequence of numbers; by default a new one.
    buffer_bytes_max
        When more than this waits for an answer, further slots are dropped.
    token
        What the server asks for, if it does.
    tls
        How a ``tls`` server is verified; by default by what the system trusts.
    """

    def __init__(
        self,
        server: Address,
        agent: str,
        run: str = "",
        buffer_bytes_max: int = 64 << 20,
        token: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.counts = NativeCounts()
        self.blocking = NOTHING_BLOCKED
        """What the server does not want; replaced when it says so."""
        self._server = server
        self._tls = tls
        self._greeting = agent, run or secrets.token_hex(8), token
        self._tells_origins = False
        self._buffer_bytes_max = buffer_bytes_max
        self._lock = threading.Lock()
        self._batches: deque[_Batch] = deque()
        self._buffered_bytes = 0
        self._number = 0
        self._answered = False  # since the last connection began
        self._unsaid = 0  # slots dropped since the last batch
        self._unsaid_blocked = 0
        self._ids: dict[tuple[str, Kind], int] = {}
        self._names: list[Name] = []
        self._stopping = threading.Event()
        self._idle = threading.Condition(self._lock)
        self._away = False  # as the last attempt to connect found
        self.woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)  # while the server is away nobody reads what is said here
        self._thread = threading.Thread(target=self._run, name=f"tallies to {server}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, slots: Sequence[Slot]) -> None:
        """Take slots; never waits."""
        for begin in range(0, len(slots), SLOTS_AT_ONCE):
            self._offer(slots[begin : begin + SLOTS_AT_ONCE])
        self._tell_thread()

    def describe(self, names: Iterable[Name]) -> None:
        """Say something of names; it is sent with the first slots of each that are offered afterwards."""
        with self._lock:
            for name in names:
                number = self._ids.get((name.name, name.kind))
                known = None if number is None else self._names[number]
                told = name if known is None else name._replace(origin=name.origin or known.origin)
                if told != known:
                    self._number_name(told)

    def wait_acknowledged(self, timeout_s: float, *, only_if_reached: bool = False) -> bool:
        """Wait until all that was taken is on the server's disk; False if that takes longer.

        Parameters
        ----------
        only_if_reached
            Do not wait for a server that the last attempt did not reach.
        """
        with self._lock:
            self._idle.wait_for(lambda: not self._batches or (only_if_reached and self._away), timeout_s)
            return not self._batches

    def stop(self, drain_s: float = 2.0, join_s: float | None = None) -> None:
        """Wait up to `drain_s` for the answers that are due, then end; drops and counts the rest.

        Parameters
        ----------
        join_s
            So long the thread is waited for, which may be waiting for an address or a connection; None for ever.
        """
        if self._thread.is_alive():
            self.wait_acknowledged(drain_s)
        self._stopping.set()
        self._tell_thread()
        if self._thread.is_alive():
            self._thread.join(join_s)
        with self._lock:
            left = sum(batch.slots for batch in self._batches)
            self._batches.clear()
            self.counts.dropped += left
        if left:
            log.warning("cannot tell whether %s has %d slots: stopped before it answered", self._server, left)
        if not self._thread.is_alive():
            self.forget()

    def forget(self) -> None:
        """Let go of the sockets; all that may be done in a forked child, where locks may be held for ever."""
        self.woken.close()
        self._wake.close()

    def _tell_thread(self) -> None:
        with contextlib.suppress(OSError):  # it has enough to read already, or has ended
            self._wake.send(b"\0")

    def _offer(self, slots: Sequence[Slot]) -> None:
        with self._lock:
            self.counts.given += len(slots)
            if self._buffered_bytes > self._buffer_bytes_max:
                self.counts.dropped += len(slots)
                self._unsaid += len(slots)
                return
            if self.blocking:
                slots = self._wanted(slots)
            if slots:
                self._add(slots)

    def _add(self, slots: Sequence[Slot]) -> None:
        """Make a batch, or several where one would be a long frame; the lock is held."""
        numbered = [(self._id(slot), slot) for slot in slots]
        generated = len(slots) + self._unsaid + self._unsaid_blocked
        message = messages.batch(self._number + 1, generated, slots[0].at_ms, numbered, self._unsaid_blocked)
        if len(message) > FRAME_BYTES and len(slots) > 1:
            self._add(slots[: len(slots) // 2])
            self._add(slots[len(slots) // 2 :])
            return
        self._number += 1
        self._unsaid = self._unsaid_blocked = 0
        self._batches.append(_Batch(self._number, messages.framed(message), len(slots), len(self._names)))
        self._buffered_bytes += len(message)

    def _id(self, slot: Slot) -> int:
        number = self._ids.get((slot.name, slot.kind))
        if number is None:
            return self._number_name(Name(slot.name, slot.kind, origin=slot.origin))
        if slot.origin and not self._names[number].origin:
            return self._number_name(self._names[number]._replace(origin=slot.origin))
        return number

    def _number_name(self, name: Name) -> int:
        number = self._ids[name.name, name.kind] = len(self._names)
        self._names.append(name)
        self._tells_origins |= bool(name.origin)
        return number

    def _wanted(self, slots: Sequence[Slot]) -> list[Slot]:
        """Those that the server wants; the others are counted. The lock is held."""
        wanted = [slot for slot in slots if not self.blocking.blocks(slot.name)]
        blocked = len(slots) - len(wanted)
        self.counts.blocked += blocked
        self._unsaid_blocked += blocked
        return wanted

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                with contextlib.closing(Link(self._server, self._tls)) as link:
                    self.counts.connects += 1
                    self._away = False
                    _Exchange(self, link).run()
            except (OSError, ValueError) as error:
                with self._lock:
                    self._away = True
                    self._idle.notify_all()
                if backoff.is_fresh:  # once for each time the server goes away
                    log.warning("cannot send to %s: %s; keeping slots and trying again", self._server, error)
            if self._answered:
                backoff.begin_anew()
                self._answered = False
            self._stopping.wait(backoff.next_s())

    # What an exchange needs of its client.

    @property
    def hello(self) -> bytes:
        """The first frame of a connection; of a receiver that knows no origins none is asked for in vain."""
        schema = messages.FINGERPRINT if self._tells_origins else messages.FINGERPRINT_WITHOUT_ORIGIN
        return messages.framed(messages.hello(*self._greeting, schema))

    def following(self, number: int, names: int, bytes_max: int) -> tuple[bytes, int, int]:
        """Frames behind a batch with the names that they need; the last number, and how many names, are then sent."""
        frames: list[bytes] = []
        size = 0
        with self._lock:
            for batch in self._batches:
                if batch.number <= number:
                    continue
                if size >= bytes_max:
                    break
                frames += messages.framed_names(names, self._names[names : batch.names]), batch.frame
                names = batch.names
                size += len(batch.frame)
                number = batch.number
        return b"".join(frames), number, names

    def acknowledged(self, number: int) -> None:
        """The server has all batches up to a number on disk."""
        with self._lock:
            while self._batches and self._batches[0].number <= number:
                batch = self._batches.popleft()
                self._buffered_bytes -= len(batch.frame) - FRAME_HEAD.size
                self.counts.acknowledged += batch.slots
            self._answered = True
            self._idle.notify_all()

    def understand(self, answer: Answer) -> None:
        """Follow what the server says."""
        if answer.kind == messages.TAKEN:
            self.acknowledged(answer.number)
        elif answer.kind == messages.BLOCKED:
            with self._lock:
                self.blocking = Blocking(answer.number, answer.patterns)

    def unanswered_bytes(self, number: int) -> int:
        """Bytes of batches up to a number that the server has not answered."""
        with self._lock:
            return sum(len(batch.frame) for batch in self._batches if batch.number <= number)

    @property
    def stopping(self) -> bool:
        """Whether the thread is to end."""
        return self._stopping.is_set()


class _Exchange:
    """One connection: what was sent on it."""

    def __init__(self, client: NativeClient, link: Link) -> None:
        self._client = client
        self._link = link
        self._number = 0
        self._names = 0

    def run(self) -> None:
        """Send and listen until the client stops.

        Raises
        ------
        OSError
            If the connection broke.
        ValueError
            If the server answers what is no answer.
        """
        client, link = self._client, self._link
        link.send(client.hello)
        while not client.stopping:
            unanswered_bytes = client.unanswered_bytes(self._number)
            frames = b""
            if unanswered_bytes < WINDOW_BYTES:
                room = WINDOW_BYTES - unanswered_bytes
                frames, self._number, self._names = client.following(self._number, self._names, room)
            if frames:
                link.send(frames)
            elif link.wait(_LOOK_S, is_answer_due=unanswered_bytes > 0, woken=client.woken):
                for answer in link.answers():
                    client.understand(answer)
