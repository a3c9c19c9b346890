"""Sockets that are read: datagrams, and connections with what they are answered."""

import selectors
import socket
from collections.abc import Callable

from tallystick.agent.doors.faults import Counts
from tallystick.agent.doors.lines import Lines
from tallystick.agent.doors.loop import Loop
from tallystick.agent.doors.streams import Stream
from tallystick.agent.tallies import Tallies
from tallystick.model.clock import Clock
from tallystick.model.reason import Reason

CONNECTIONS_MAX = 500
"""Of one door; further ones are turned away."""
_DATAGRAMS_AT_ONCE = 128
_DATAGRAM_BYTES_MAX = 1 << 18
_READ_BYTES = 1 << 16
_UNSENT_BYTES_MAX = 1 << 16
_PAUSE_S = 1.0
_TURNS_AT_END = 1000  # who goes on sending is not waited for


class Datagrams:
    """A socket of datagrams, each of which holds lines."""

    def __init__(self, bound: socket.socket, lines: Lines, counts: Counts, tallies: Tallies, clock: Clock) -> None:
        self._bound = bound
        self._lines = lines
        self._counts = counts
        self._tallies = tallies
        self._clock = clock
        self._buffer = memoryview(bytearray(_DATAGRAM_BYTES_MAX + 1))

    def fileno(self) -> int:
        """See `Watched`."""
        return self._bound.fileno()

    def ready(self, events: int) -> None:
        """Take some of what came."""
        self._take_some()

    def finish(self) -> None:
        """Take what is there already, and close."""
        for _ in range(_TURNS_AT_END):
            if not self._take_some():
                break
        self._bound.close()

    def fail(self) -> None:
        """A datagram that we fail at is gone, and the next one may be read."""

    def _take_some(self) -> bool:
        receive, buffer = self._bound.recv_into, self._buffer
        texts: list[bytes] = []
        try:
            for _ in range(_DATAGRAMS_AT_ONCE):
                size = receive(buffer)
                if size > _DATAGRAM_BYTES_MAX:  # its end is lost
                    self._counts.reject(Reason.TRUNCATED, bytes(buffer[:200]), int(self._clock.now() * 1000))
                    size = bytes(buffer).rfind(b"\n") + 1
                texts.append(bytes(buffer[:size]))
        except BlockingIOError:
            pass
        if texts:
            self._counts.datagrams += len(texts)
            with self._tallies.lock:
                self._lines.take(b"\n".join(texts).split(b"\n"), int(self._clock.now() * 1000))
        return bool(texts)


class Connections:
    """A listening socket, and the connections that were made to it.

    Parameters
    ----------
    bound
        Listening.
    made
        What reads one connection.
    """

    def __init__(
        self,
        bound: socket.socket,
        made: Callable[["Connection"], Stream],
        counts: Counts,
        tallies: Tallies,
        clock: Clock,
        loop: Loop,
    ) -> None:
        self.counts = counts
        self.tallies = tallies
        self.clock = clock
        self.loop = loop
        self._bound = bound
        self._made = made
        self._open: set[Connection] = set()
        self._resumes_s: float | None = None

    def fileno(self) -> int:
        """See `Watched`."""
        return self._bound.fileno()

    def ready(self, events: int) -> None:
        """Accept whoever is there."""
        try:
            connected, _ = self._bound.accept()
        except BlockingIOError:
            return
        except OSError:  # no file is left for it, and whoever waits would be reported again at once
            self.loop.forget(self)
            self._resumes_s = self.clock.monotonic() + _PAUSE_S
            return
        if len(self._open) >= CONNECTIONS_MAX:
            self.counts.hung_up += 1
            connected.close()
            return
        self.counts.connections += 1
        connected.setblocking(False)
        connection = Connection(connected, self)
        connection.stream = self._made(connection)
        self._open.add(connection)
        self.loop.watch(connection)

    def resume(self) -> None:
        """Accept again, some time after that was not possible."""
        if self._resumes_s is not None and self.clock.monotonic() >= self._resumes_s:
            self._resumes_s = None
            self.loop.watch(self)

    def fail(self) -> None:
        """Nothing is to be given up: the next one may be accepted."""

    def gone(self, connection: "Connection") -> None:
        """Forget a connection that is closed."""
        self._open.discard(connection)

    def finish(self) -> None:
        """Close all sockets, after what was sent to them is read."""
        for connection in list(self._open):
            connection.finish()
        self._bound.close()


class Connection:
    """One connection; `stream` takes what is sent on it."""

    stream: Stream

    def __init__(self, connected: socket.socket, door: Connections) -> None:
        self._connected = connected
        self._door = door
        self._unsent = b""
        self._leaving = False
        self._awaited = selectors.EVENT_READ

    def fileno(self) -> int:
        """See `Watched`; -1 when it is closed."""
        return self._connected.fileno()

    def ready(self, events: int) -> None:
        """Read and write what can be."""
        if events & selectors.EVENT_WRITE:
            self._flush()
        if events & selectors.EVENT_READ and self.fileno() >= 0:
            self._read()

    def send(self, text: bytes) -> None:
        """Send something, now or when there is room; who does not read what he is told is hung up on."""
        if self.fileno() < 0:
            return
        self._unsent += text
        self._flush()
        if len(self._unsent) > _UNSENT_BYTES_MAX:
            self._hang_up()

    def finish(self) -> None:
        """Read what is there already, and close."""
        for _ in range(_TURNS_AT_END):
            if self.fileno() < 0 or not self._read():
                break
        if self.fileno() >= 0:
            self._end()

    def fail(self) -> None:
        """Close it."""
        if self.fileno() >= 0:
            self._hang_up()

    def _read(self) -> bool:
        """Take a piece; False if there was none."""
        try:
            data = self._connected.recv(_READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # reset
            data = b""
        if not data:
            self._end()
            return False
        with self._door.tallies.lock:
            answer = self.stream.feed(data, int(self._door.clock.now() * 1000))
        if answer.text:
            self.send(answer.text)
        if answer.leaving and self.fileno() >= 0:
            self._leaving = True
            self._flush()
        return True

    def _flush(self) -> None:
        try:
            sent = self._connected.send(self._unsent) if self._unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self._end()
            return
        self._unsent = self._unsent[sent:]
        if self._leaving and not self._unsent:
            self._close()
            return
        awaited = 0 if self._leaving else selectors.EVENT_READ
        awaited |= selectors.EVENT_WRITE if self._unsent else 0
        if awaited != self._awaited:
            self._awaited = awaited
            self._door.loop.watch(self, awaited)

    def _end(self) -> None:
        with self._door.tallies.lock:
            self.stream.end(int(self._door.clock.now() * 1000))
        self._close()

    def _hang_up(self) -> None:
        self._door.counts.hung_up += 1
        self._close()

    def _close(self) -> None:
        self._door.loop.forget(self)
        self._door.gone(self)
        self._connected.close()
        self.stream.close()
