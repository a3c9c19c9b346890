"""`NativeClient`: sends tallied slots to a server, and keeps each batch until the server has it on disk.

Batches are numbered. What was sent and not answered is sent again on the next connection; the server takes no number
twice. What finds no room while the server is away is dropped and counted, there and, by the next batch, here.
"""

import logging
import random
import secrets
import select
import socket
import threading
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.config.address import Address
from tallystick.model.kind import Kind
from tallystick.native import messages
from tallystick.native.messages import FRAME_HEAD, Slot

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 10.0
BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 30.0
WINDOW_BYTES = 4 << 20
"""So much is sent without an answer."""
_SLOTS_AT_ONCE = 2000
_FRAME_BYTES = 256 << 10
_NAMES_AT_ONCE = 200  # at most 200 KiB of them
_ANSWER_BYTES_MAX = 1 << 16
_LOOK_S = 0.5


@dataclass(slots=True)
class NativeCounts:
    """What became of the slots that a client was given: given = acknowledged + dropped + what waits."""

    given: int = 0
    acknowledged: int = 0
    dropped: int = 0
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
        A ``tcp`` or ``unix`` address.
    agent
        Who sends: letters, digits and ``. _ -``, at most 64.
    run
        Names the sequence of numbers; by default a new one.
    buffer_bytes_max
        When more than this waits for an answer, further slots are dropped.
    """

    def __init__(self, server: Address, agent: str, run: str = "", buffer_bytes_max: int = 64 << 20) -> None:
        self.counts = NativeCounts()
        self._server = server
        self._hello = messages.framed(messages.hello(agent, run or secrets.token_hex(8)))
        self._buffer_bytes_max = buffer_bytes_max
        self._lock = threading.Lock()
        self._batches: deque[_Batch] = deque()
        self._buffered_bytes = 0
        self._number = 0
        self._answered = False  # since the last connection began
        self._unsaid = 0  # slots dropped since the last batch
        self._ids: dict[tuple[str, Kind], int] = {}
        self._names: list[tuple[str, Kind]] = []
        self._stopping = threading.Event()
        self._idle = threading.Condition(self._lock)
        self._woken, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=f"tallies to {server}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, slots: Sequence[Slot]) -> None:
        """Take slots; never waits."""
        for begin in range(0, len(slots), _SLOTS_AT_ONCE):
            self._offer(slots[begin : begin + _SLOTS_AT_ONCE])
        self._wake.send(b"\0")

    def wait_acknowledged(self, timeout_s: float) -> bool:
        """Wait until all that was taken is on the server's disk; False if that takes longer."""
        with self._lock:
            return self._idle.wait_for(lambda: not self._batches, timeout_s)

    def stop(self, drain_s: float = 2.0) -> None:
        """Wait up to `drain_s` for the answers that are due, then end; drops and counts the rest."""
        if self._thread.is_alive():
            self.wait_acknowledged(drain_s)
        self._stopping.set()
        self._wake.send(b"\0")
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            left = sum(batch.slots for batch in self._batches)
            self._batches.clear()
            self.counts.dropped += left
        if left:
            log.warning("cannot tell whether %s has %d slots: stopped before it answered", self._server, left)
        self._woken.close()
        self._wake.close()

    def _offer(self, slots: Sequence[Slot]) -> None:
        with self._lock:
            self.counts.given += len(slots)
            if self._buffered_bytes > self._buffer_bytes_max:
                self.counts.dropped += len(slots)
                self._unsaid += len(slots)
                return
            self._add(slots)

    def _add(self, slots: Sequence[Slot]) -> None:
        """Make a batch, or several where one would be a long frame; the lock is held."""
        numbered = [(self._id(slot), slot) for slot in slots]
        generated = len(slots) + self._unsaid
        message = messages.batch(self._number + 1, generated, slots[0].at_ms, numbered)
        if len(message) > _FRAME_BYTES and len(slots) > 1:
            self._add(slots[: len(slots) // 2])
            self._add(slots[len(slots) // 2 :])
            return
        self._number += 1
        self._unsaid = 0
        self._batches.append(_Batch(self._number, messages.framed(message), len(slots), len(self._names)))
        self._buffered_bytes += len(message)

    def _id(self, slot: Slot) -> int:
        name = slot.name, slot.kind
        number = self._ids.get(name)
        if number is None:
            number = self._ids[name] = len(self._names)
            self._names.append(name)
        return number

    def _run(self) -> None:
        backoff_s = BACKOFF_MIN_S
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    self.counts.connects += 1
                    _Exchange(self, connection).run()
            except (OSError, ValueError) as error:
                if backoff_s == BACKOFF_MIN_S:  # once for each time the server goes away
                    log.warning("cannot send to %s: %s; keeping slots and trying again", self._server, error)
            if self._answered:
                backoff_s, self._answered = BACKOFF_MIN_S, False
            # Spread, so that a fleet does not come back to a restarted server in one moment.
            self._stopping.wait(backoff_s * random.uniform(0.5, 1.0))
            backoff_s = min(2 * backoff_s, BACKOFF_MAX_S)

    def _connect(self) -> socket.socket:
        if self._server.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(CONNECT_TIMEOUT_S)
            connection.connect(self._server.path)
        else:
            connection = socket.create_connection((self._server.host, self._server.port), CONNECT_TIMEOUT_S)
        connection.settimeout(SEND_TIMEOUT_S)
        return connection

    # What an exchange needs of its client.

    @property
    def hello(self) -> bytes:
        """The first frame of a connection."""
        return self._hello

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
                while names < batch.names:
                    part = self._names[names : min(names + _NAMES_AT_ONCE, batch.names)]
                    frames.append(messages.framed(messages.names(names, part)))
                    names += len(part)
                frames.append(batch.frame)
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

    def unanswered_bytes(self, number: int) -> int:
        """Bytes of batches up to a number that the server has not answered."""
        with self._lock:
            return sum(len(batch.frame) for batch in self._batches if batch.number <= number)

    def wait(self, connection: socket.socket) -> bool:
        """Wait for the server or for slots; True if the server said something, or went away."""
        readable = ready_to_read([connection, self._woken], _LOOK_S)
        if self._woken in readable:
            self._woken.recv(4096)
        return connection in readable

    @property
    def stopping(self) -> bool:
        """Whether the thread is to end."""
        return self._stopping.is_set()


def ready_to_read(sockets: Sequence[socket.socket], timeout_s: float) -> list[socket.socket]:
    """Those that have something to read, or were hung up on; none after `timeout_s`.

    Not by `select.select`, which fails in a process that has a thousand files open.
    """
    poll = select.poll()
    by_number = {each.fileno(): each for each in sockets}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(1000 * timeout_s)]


class _Exchange:
    """One connection: what was sent on it, and what the server answered."""

    def __init__(self, client: NativeClient, connection: socket.socket) -> None:
        self._client = client
        self._connection = connection
        self._number = 0
        self._names = 0
        self._answers = b""

    def run(self) -> None:
        """Send and listen until the client stops.

        Raises
        ------
        OSError
            If the connection broke.
        ValueError
            If the server answers what is no answer.
        """
        self._connection.sendall(self._client.hello)
        while not self._client.stopping:
            room = WINDOW_BYTES - self._client.unanswered_bytes(self._number)
            frames = b""
            if room > 0:
                frames, self._number, self._names = self._client.following(self._number, self._names, room)
            if frames:
                self._connection.sendall(frames)
            elif self._client.wait(self._connection):
                self._listen()

    def _listen(self) -> None:
        received = self._connection.recv(1 << 16)
        if not received:
            raise ConnectionError("the server closed the connection")
        self._answers += received
        while len(self._answers) >= FRAME_HEAD.size:
            size, crc = FRAME_HEAD.unpack_from(self._answers)
            end = 4 + size
            if size > _ANSWER_BYTES_MAX:
                raise ValueError(f"an answer of {size} bytes; expected at most {_ANSWER_BYTES_MAX}")
            if len(self._answers) < end:
                return
            message, self._answers = self._answers[FRAME_HEAD.size : end], self._answers[end:]
            if zlib.crc32(message) != crc:
                raise ValueError("an answer whose checksum is wrong")
            self._understand(message)

    def _understand(self, message: bytes) -> None:
        kind, position = messages.read_long(message, 0)
        number, _ = messages.read_long(message, position)
        if kind == messages.WELCOME and number != messages.VERSION:
            raise ValueError(f"the server speaks version {number}; expected {messages.VERSION}")
        if kind == messages.TAKEN:
            self._client.acknowledged(number)
