"""The native protocol's door: what sensors tallied is merged by slot, and answered when it is safe.

A batch is merged, and its number remembered. Now and then all that was merged is handed on together with the numbers,
as one record: what is in it is safe as a whole or not at all. Then the senders are answered. Who was not answered sends
again, and a number that was taken already counts nothing: each slot counts once, whoever is killed.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.lines import NOTHING, Answer
from tallystick.agent.doors.sample import stored_name
from tallystick.agent.tallies import Tallies
from tallystick.model.clock import Clock
from tallystick.model.reason import Reason
from tallystick.native import Slot, messages
from tallystick.native.blocking import NOTHING_BLOCKED, Blocking
from tallystick.native.messages import FRAME_HEAD, Name
from tallystick.native.reading import Batch, Hello, read_batch, read_hello, read_names, read_origin

CURSOR = "native:"
"""What is before the name of a sender among the positions of all who feed us."""
FRAME_BYTES_MAX = 1 << 20
SLOTS_MAX = 20_000
"""Different names in slots that wait to be handed on; whoever sends more keeps it, and is hung up on."""
NAMES_MAX = 100_000
"""Of one connection."""
_SENDERS_MAX = 4096


class Keeper(Protocol):
    """Where slots are kept until servers have them: `tallystick.agent.delivery.Delivery`."""

    @property
    def cursors(self) -> Mapping[str, str]:
        """Positions that were kept with slots, by earlier processes as well."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether the disk takes positions; while it does not, what has some had better stay where it comes from."""
        ...

    def offer(
        self,
        slots: Sequence[Slot],
        cursors: Mapping[str, str] | None = None,
        when_safe: Callable[[], None] | None = None,
        lost: int = 0,
    ) -> None:
        """Take slots and positions as one record, and have `when_safe` called by another thread once it is on disk.

        Parameters
        ----------
        lost
            Slots that were made beside these, and given up before they came here.
        """
        ...

    def describe(self, names: Iterable[Name]) -> None:
        """Say something of names to servers."""
        ...

    def when_blocked(self, call: Callable[[Blocking], None]) -> None:
        """Have `call` called, by other threads, with what no server wants, now and whenever that changes."""
        ...


class Inbox:
    """What all senders told and is not safe yet; all but `Keeper`'s calls come from the thread of the doors.

    Parameters
    ----------
    keeper
        Has what is handed on.
    soon
        Has something called on the thread of the doors.
    """

    def __init__(self, keeper: Keeper, clock: Clock, soon: Callable[[Callable[[], object]], None]) -> None:
        self.tallies = Tallies(clock, SLOTS_MAX)
        self.blocking = NOTHING_BLOCKED
        self._keeper = keeper
        self._soon = soon
        self._taken: dict[str, int] = {}
        for cursor, number in keeper.cursors.items():
            if cursor.startswith(CURSOR) and number.isdecimal():
                self._taken[cursor.removeprefix(CURSOR)] = int(number)
        self._safe = dict(self._taken)
        self._unsafe: dict[str, int] = {}  # merged, and not handed on
        self._lost = 0  # by senders, and not handed on
        self._streams: set[NativeStream] = set()
        keeper.when_blocked(lambda blocking: soon(lambda: self._block(blocking)))

    def join(self, stream: "NativeStream") -> None:
        """Another connection."""
        self._streams.add(stream)

    def leave(self, stream: "NativeStream") -> None:
        """A connection has ended."""
        self._streams.discard(stream)

    def describe(self, names: Sequence[Name]) -> None:
        """Somebody says something of names."""
        self._keeper.describe(names)

    def is_new(self, sender: str, number: int) -> bool:
        """Whether a batch was not taken already; those of no sender always are new."""
        return not sender or number > self._taken.get(sender, 0)

    def has_room(self, batch: Batch) -> bool:
        """Whether a batch finds room, as each does once all is handed on."""
        return self.tallies.has_room(len(batch.slots))

    def take(self, sender: str, batch: Batch, slots: Sequence[Slot], counts: Counts, now_ms: int) -> None:
        """Merge the good slots of a batch, and remember its number."""
        self._lost += max(batch.generated - batch.blocked - len(batch.slots), 0)
        for slot in slots:
            try:
                is_taken = self.tallies.merge(slot)
            except ValueError:  # a sketch that is none
                counts.reject(Reason.VALUE, slot.name.encode(), now_ms)
                continue
            counts.taken += is_taken
            counts.refused += not is_taken
        if sender:
            self._taken.pop(sender, None)  # the latest news last
            self._taken[sender] = self._unsafe[sender] = batch.number
            if len(self._taken) > _SENDERS_MAX:
                del self._taken[next(iter(self._taken))]

    def safe(self, sender: str) -> int:
        """The last number of a sender that is on disk."""
        return self._safe.get(sender, 0)

    def hand_on(self, *, at_end: bool = False) -> None:
        """Hand on all that was merged, with the numbers that are in it; at the end also while the disk refuses.

        Meanwhile it is merged on, and its senders, who are not answered, keep it as well: some end before the disk has
        room again.
        """
        if not (self._keeper.is_writable or at_end):
            return
        slots, numbers, lost = self.tallies.drain(), self._unsafe, self._lost
        if not (slots or numbers or lost):
            return
        self._unsafe, self._lost = {}, 0
        cursors = {CURSOR + sender: str(number) for sender, number in numbers.items()}
        self._keeper.offer(slots, cursors, lambda: self._soon(lambda: self._answer(numbers)), lost)

    def _answer(self, numbers: Mapping[str, int]) -> None:
        self._safe.update(numbers)
        for sender in [sender for sender in self._safe if sender not in self._taken]:
            del self._safe[sender]
        for stream in list(self._streams):
            if stream.sender in numbers:
                stream.tell(messages.taken(numbers[stream.sender]))

    def _block(self, blocking: Blocking) -> None:
        if blocking.patterns == self.blocking.patterns:
            return
        self.blocking = blocking
        for stream in list(self._streams):
            stream.tell_blocked()


class _NoRoomError(Exception):
    """A batch finds no room now; its sender keeps it, and sends it again."""


class NativeStream:
    """One connection; see `tallystick.agent.doors.streams.Stream`.

    Parameters
    ----------
    send
        Sends something on this connection.
    """

    def __init__(self, inbox: Inbox, counts: Counts, send: Callable[[bytes], None]) -> None:
        self.sender = ""
        self._inbox = inbox
        self._counts = counts
        self._send = send
        self._rest = b""
        self._greeted = False
        self._names: list[Name] = []
        self._faults: dict[str, Reason] = {}  # of names that no series can have
        inbox.join(self)

    def feed(self, data: bytes, now_ms: int) -> Answer:
        """See `Stream.feed`. A frame that cannot be read ends the connection: nothing of it is taken."""
        data, at = self._rest + data, 0
        answers: list[bytes] = []
        while len(data) - at >= FRAME_HEAD.size:
            size, checksum = FRAME_HEAD.unpack_from(data, at)
            if not 4 < size <= FRAME_BYTES_MAX:
                return self._broken(Reason.FRAME_LONG if size > 4 else Reason.FRAME, answers, data[at:], now_ms)
            end = at + 4 + size
            if end > len(data):
                break
            message = data[at + FRAME_HEAD.size : end]
            try:
                answers.append(self._take(message, checksum, now_ms))
            except _NoRoomError:
                self._counts.hung_up += 1
                self._rest = b""
                return Answer(b"".join(answers), leaving=True)
            except ValueError:
                return self._broken(Reason.FRAME, answers, message, now_ms)
            at = end
        self._rest = data[at:]
        text = b"".join(answers)
        return Answer(text) if text else NOTHING

    def end(self, now_ms: int) -> None:
        """See `Stream.end`."""
        if self._rest:
            self._counts.reject(Reason.TRUNCATED, self._rest, now_ms)

    def close(self) -> None:
        """See `Stream.close`."""
        self._inbox.leave(self)

    def tell(self, message: bytes) -> None:
        """Send a message."""
        self._send(messages.framed(message))

    def tell_blocked(self) -> None:
        """Say what is not wanted, to a sender who has greeted."""
        if self._greeted:
            self.tell(messages.blocked(self._inbox.blocking.version, self._inbox.blocking.patterns))

    def _broken(self, reason: Reason, answers: list[bytes], text: bytes, now_ms: int) -> Answer:
        self._counts.reject(reason, text, now_ms)
        self._rest = b""
        return Answer(b"".join(answers), leaving=True)

    def _take(self, message: bytes, checksum: int, now_ms: int) -> bytes:
        """Take a message; what it is answered at once.

        Raises
        ------
        ValueError
            If it cannot be read, or is none that is due.
        """
        if zlib.crc32(message) != checksum:
            raise ValueError("cannot read a frame: its checksum is another")
        kind, at = messages.read_long(message, 0)
        if kind == messages.HELLO:
            return self._greet(read_hello(message, at))
        if not self._greeted:
            raise ValueError("cannot take a message before a greeting")
        if kind == messages.NAMES:
            self._learn(*read_names(message, at))
            return b""
        if kind == messages.ORIGIN:
            self._note_origin(*read_origin(message, at, len(self._names)))
            return b""
        if kind != messages.BATCH:
            raise ValueError(f"cannot take message {kind} from a sender")
        return self._merge(read_batch(message, at, self._names), now_ms)

    def _greet(self, hello: Hello | None) -> bytes:
        welcome = messages.framed(messages.welcome(FRAME_BYTES_MAX))
        if hello is None:  # of another version: it is told ours
            self._send(welcome)
            raise ValueError("cannot take what another version of the protocol sends")
        self.sender = hello.sender
        self._greeted = True
        self._names, self._faults = [], {}
        blocking = self._inbox.blocking
        if blocking:
            welcome += messages.framed(messages.blocked(blocking.version, blocking.patterns))
        return welcome

    def _learn(self, first: int, names: list[Name]) -> None:
        if first != len(self._names) or first + len(names) > NAMES_MAX:
            raise ValueError(f"cannot learn names from {first} on: {len(self._names)} are known")
        for name in names:
            stored = stored_name(name.name.encode())
            if isinstance(stored, Reason):
                self._faults[name.name] = stored
                self._names.append(name)
            else:
                self._names.append(name._replace(name=stored))
        described = [name for name in self._names[first:] if name.is_described and name.name not in self._faults]
        if described:
            self._inbox.describe(described)

    def _note_origin(self, protocol: str, numbers: list[int]) -> None:
        for number in numbers:
            self._names[number] = self._names[number]._replace(origin=protocol)

    def _merge(self, batch: Batch, now_ms: int) -> bytes:
        if bool(batch.number) != bool(self.sender):
            raise ValueError(
                f"cannot take batch {batch.number}: numbers begin with 1, and there are none without a run"
            )
        if not self._inbox.is_new(self.sender, batch.number):
            self._counts.reject(Reason.DUPLICATE, self.sender.encode(), now_ms, len(batch.slots))
            safe = self._inbox.safe(self.sender)
            return messages.framed(messages.taken(safe)) if safe >= batch.number else b""
        if not self._inbox.has_room(batch):
            raise _NoRoomError
        usable = [slot for slot in batch.slots if slot is not None]
        if len(usable) < len(batch.slots):
            self._counts.reject(Reason.VALUE, self.sender.encode(), now_ms, len(batch.slots) - len(usable))
        if self._faults:
            for slot in usable:
                if slot.name in self._faults:
                    self._counts.reject(self._faults[slot.name], slot.name.encode(), now_ms)
            usable = [slot for slot in usable if slot.name not in self._faults]
        self._inbox.take(self.sender, batch, usable, self._counts, now_ms)
        return b""
