"""Our own protocol: slots that senders tallied, in numbered batches that are answered once they are on disk.

Frames: a length of four bytes, big-endian, the CRC-32 of the message, and the message in Avro
(``docs/reference/native.avsc``; ``docs/internals/native.md`` tells the whole exchange)::

    Hello   agent, run, token              Welcome, Blocked
    Names   numbers for names        ->
    Origin  which came by StatsD     ->
    Batch   number, generated, slots       Taken, once all up to that number is safe

- **Counting.** A slot is one sample, and is accepted or rejected by itself. A frame that cannot be read counts as one,
  and the connection is closed: its sender sends again what was not taken.
- **Once.** A batch whose number was taken already is rejected as `DUPLICATE`, and answered again. The number is as safe
  as the batch, so this holds when the server is killed.
- **Without numbers.** Who has no run numbers no batches (all are 0) and gets no answer.
- **Admitted.** Where a token is asked for, a greeting without it costs itself (`UNAUTHORIZED`) and its connection. What
  comes before that is nowhere shown: it may be a secret.
- **State.** A connection remembers its names, and nothing else; another Hello, after the first was answered, begins
  anew.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar, Self
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Listener
from tallystick.kernels import rows as at
from tallystick.kernels.names import NameTable
from tallystick.kernels.native import (
    NAME_BYTES_MIN,
    NAMES_FULL,
    TOLD,
    UNREADABLE,
    read_batch,
    read_names,
    read_origin,
)
from tallystick.kernels.packed import padded
from tallystick.kernels.tally_rows import ROWS, TallyRows
from tallystick.model.kind import Kind
from tallystick.model.numbered import NumberedBatches
from tallystick.model.reason import Reason
from tallystick.native import messages
from tallystick.native.messages import Name
from tallystick.native.reading import RUN, WORD
from tallystick.parse.contract import Parsed
from tallystick.parse.frames import FRAME_BYTES_MAX, FrameParser
from tallystick.parse.native_connection import Connection, Greeting
from tallystick.parse.registry import protocol

NAMES_BYTES_MAX = 256 << 20
"""Memory for the names of all connections of a listener; who says more is not heard."""

_SLOT_BYTES_MIN, _BUCKET_BYTES_MIN = 13, 9
_CRC_BYTES = 4
_SHOWN_BYTES = 14  # of a greeting: checksum, what message it is, version and fingerprint
_NAMES_AT_ONCE, _NAME_BYTES_AT_ONCE = 4096, 1 << 18
_ORIGIN_BYTES = 2 + 64  # of the length and the letters of its protocol


@protocol("native")
class NativeParser(FrameParser):
    """Numbered batches of tallied slots."""

    sample_bytes_min = 1
    plain = True

    def __init__(self, line_bytes_max: int = FRAME_BYTES_MAX) -> None:
        super().__init__(line_bytes_max)
        self.greeting = Greeting()
        self._tallies = TallyRows.of(0, 0, 0)
        self._told = np.zeros(TOLD, np.int64)
        self._described = np.empty(0, np.int64)
        self._connection = Connection()
        self._connections = WeakSet([self._connection])
        self._reply = b""
        self._broken = False
        self._batches: list[tuple[int, int, int, int]] = []

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """A parser for a listener, which may ask for a token."""
        parser = super().configured(listener)
        parser.greeting.token = listener.token
        return parser

    @classmethod
    def prepare(cls) -> None:
        """See `tallystick.parse.contract.Parser.prepare`: a name, its origin and a batch without slots are read."""
        named = messages.names(0, [Name("a", Kind.GAUGE)]), messages.origin(messages.STATSD, [0])
        said = *named, messages.batch(0, 0, 0, [])
        frames = b"".join(map(messages.framed, (messages.hello("a", ""), *said)))
        cls().parse(padded(frames), len(frames), NameTable(), 0)

    def connected(self, host: str = "") -> "NativeConnection":
        """A parser that knows what came on one connection; it works with the memory of this one."""
        return NativeConnection(self.line_bytes_max, self, host)

    def add_connection(self, host: str) -> Connection:
        """Another connection, whose names count as long as somebody holds it."""
        connection = Connection(host)
        self._connections.add(connection)
        return connection

    @contextmanager
    def serving(self, connection: Connection) -> Iterator[None]:
        """Parse what comes on one of several connections."""
        own, self._connection = self._connection, connection
        try:
            yield
        finally:
            self._connection = own

    def _call(
        self,
        buffer: NDArray[np.uint8],
        starts: NDArray[np.int64],
        sizes: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> int:
        total = int(sizes.sum())
        if total > len(self._tallies.sketch):
            self._tallies = TallyRows.of(total // _SLOT_BYTES_MIN + 1, total // _BUCKET_BYTES_MIN + 1, total)
        self._tallies.used[:] = 0
        self._reply, self._broken, self._batches = b"", False, []
        for k, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
            self._rows.began[k] = 0, self._rows.progress[at.SEEN]
            if self._broken:
                continue
            fault = self._read_frame(buffer, start, start + size, names)
            if fault:
                self._note(fault, start, size if self._connection.greeted else min(size, _SHOWN_BYTES))
                self._rows.progress[at.SEEN] += 1
                self._broken = True
        return at.DONE

    def _finished(self, parsed: Parsed, buffer: NDArray[np.uint8]) -> Parsed:
        parsed = replace(parsed, reply=self._reply, broken=parsed.broken or self._broken)
        if not self._batches:
            return parsed
        tallies = self._tallies.batch()
        if not self._connection.sender:
            return replace(parsed, tallies=tallies)
        number, began, generated, blocked = (np.array(column, np.int64) for column in zip(*self._batches, strict=True))
        return replace(
            parsed,
            tallies=tallies,
            numbered=NumberedBatches(self._connection.sender, number, began, generated, blocked),
            receipt=messages.framed(messages.taken(int(number[-1]))),
        )

    def _read_frame(self, buffer: NDArray[np.uint8], start: int, stop: int, names: NameTable) -> Reason:
        """Take a frame; or say why it cannot be taken."""
        connection = self._connection
        begin = start + _CRC_BYTES
        if stop <= begin or zlib.crc32(buffer[begin:stop].data) != int.from_bytes(buffer[start:begin].tobytes(), "big"):
            return Reason.FRAME
        kind, begin = int(buffer[begin]), begin + 1
        if kind == 2 * messages.HELLO:
            return self._greet(buffer[begin:stop].tobytes())
        understood = False
        if connection.greeted and kind == 2 * messages.NAMES:
            understood = self._learn(buffer, begin, stop)
        elif connection.greeted and kind == 2 * messages.ORIGIN:
            understood = self._note_origin(buffer, begin, stop)
        elif connection.greeted and kind == 2 * messages.BATCH:
            understood = self._take(buffer, begin, stop, names)
        return Reason.NONE if understood else Reason.FRAME

    def _greet(self, message: bytes) -> Reason:
        if self._batches or self._reply:
            return Reason.FRAME
        self._connection.begin("", "")
        try:
            version, position = messages.read_long(message, 0)
            fingerprint, position = message[position : position + 8], position + 8
            if version != messages.VERSION or fingerprint not in messages.FINGERPRINTS:
                self._reply += messages.framed(messages.welcome(self.line_bytes_max))  # it may know ours
                return Reason.FRAME
            agent, position = messages.read_text(message, position)
            run, position = messages.read_text(message, position)
            token, position = messages.read_text(message, position)
        except ValueError:
            return Reason.FRAME
        if position != len(message) or not (WORD.fullmatch(agent) and RUN.fullmatch(run)):
            return Reason.FRAME
        if not self.greeting.admits(token):
            return Reason.UNAUTHORIZED
        self._reply += messages.framed(messages.welcome(self.line_bytes_max)) + self.greeting.blocked(
            self._connection.host
        )
        self._connection.begin(agent, run)
        if self.greeting.neighbour is not None:
            self.greeting.neighbour.meet(self._connection)
        return Reason.NONE

    def _learn(self, buffer: NDArray[np.uint8], begin: int, stop: int) -> bool:
        connection = self._connection
        try:
            first, position = messages.read_long(buffer[begin : min(begin + 10, stop)].tobytes(), 0)
        except ValueError:
            return False
        if first != connection.said.known[0]:
            return False
        names_max = (stop - begin) // NAME_BYTES_MIN + 1
        has_grown = connection.make_room(names_max, stop - begin)
        # Not for each frame: a thousand connections and many small frames would take half a minute.
        if has_grown and sum(one.size_bytes for one in self._connections) > NAMES_BYTES_MAX:
            return False
        if names_max > len(self._described):
            self._described = np.empty(names_max, np.int64)
        told = read_names(buffer, begin + position, stop, connection.said, self._described)
        if told > 0 and self.greeting.when_described is not None:
            self.greeting.when_described(_names_at(buffer, begin, stop, self._described[:told]))
        return told != UNREADABLE

    def _note_origin(self, buffer: NDArray[np.uint8], begin: int, stop: int) -> bool:
        head = buffer[begin : min(begin + _ORIGIN_BYTES, stop)].tobytes()
        try:
            protocol, position = messages.read_text(head, 0)
        except ValueError:
            return False
        if not WORD.fullmatch(protocol):
            return False
        said = self._connection.said
        return read_origin(buffer, begin + position, stop, said, protocol == messages.STATSD) != UNREADABLE

    def _take(self, buffer: NDArray[np.uint8], begin: int, stop: int, names: NameTable) -> bool:
        connection, tallies, noted = self._connection, self._tallies, self._rows
        used, rejects, counts = tallies.used.copy(), int(noted.progress[at.REJECTS]), noted.reject_counts.copy()
        connection.follow(names.arrays.key)
        while True:
            seen = read_batch(buffer, begin, stop, connection.said, names.arrays, tallies, noted, self._told)
            number, generated, blocked = self._told.tolist()
            in_order = number > connection.last if connection.sender else number == 0
            if seen >= 0 and in_order and 0 <= blocked <= generated:
                break
            tallies.used[:] = used
            noted.progress[at.REJECTS], noted.reject_counts[:] = rejects, counts
            if seen != NAMES_FULL:
                return False
            names.reserve(_NAMES_AT_ONCE, _NAME_BYTES_AT_ONCE)
        connection.last = number
        noted.progress[at.SEEN] += seen
        self._batches.append((number, int(used[ROWS]), generated, blocked))
        return True


def _names_at(buffer: NDArray[np.uint8], begin: int, stop: int, positions: NDArray[np.int64]) -> list[Name]:
    """The names at some positions of a message that was read, with what is said of them."""
    message = buffer[begin:stop].tobytes()
    return [messages.read_name(message, at - begin) for at in positions.tolist()]


class NativeConnection:
    """A `NativeParser` for one connection; see `tallystick.parse.contract.Parser`."""

    protocol: ClassVar[str] = "native"

    def __init__(
        self, line_bytes_max: int = FRAME_BYTES_MAX, parser: NativeParser | None = None, host: str = ""
    ) -> None:
        self.line_bytes_max = line_bytes_max
        self._parser = parser or NativeParser(line_bytes_max)
        self._connection = self._parser.add_connection(host)

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """A parser for a listener with a single connection."""
        return cls(listener.line_bytes_max or FRAME_BYTES_MAX)

    @classmethod
    def prepare(cls) -> None:
        """See `tallystick.parse.contract.Parser.prepare`."""
        NativeParser.prepare()

    def connected(self, host: str = "") -> "NativeConnection":
        """A parser for another connection."""
        return self._parser.connected(host)

    def parse(
        self,
        buffer: NDArray[np.uint8],
        length: int,
        names: NameTable,
        now_ms: int,
        *,
        final: bool = False,
        skipping: bool = False,
    ) -> Parsed:
        """See `tallystick.parse.contract.Parser.parse`."""
        with self._parser.serving(self._connection):
            return self._parser.parse(buffer, length, names, now_ms, final=final, skipping=skipping)

    def parse_datagrams(
        self,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> Parsed:
        """See `tallystick.parse.contract.Parser.parse_datagrams`."""
        with self._parser.serving(self._connection):
            return self._parser.parse_datagrams(buffer, offsets, lengths, names, now_ms)
