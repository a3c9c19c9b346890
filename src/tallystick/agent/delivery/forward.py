"""Sends lines to another system over TCP, and keeps them in memory while it is away.

The protocols of these systems have no answer: what the kernel had taken when a connection broke may be lost without our
knowing, and a chunk that was under way is sent again in full. A stop loses what the buffer still holds, and says how
much. Our own servers are sent to by a `tallystick.agent.delivery.Destination`, which knows.
"""

import logging
import socket
import threading
from collections import deque
from dataclasses import dataclass

from tallystick.model.address import Address
from tallystick.sockets import Backoff, connect, hung_up

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 10.0


@dataclass(slots=True)
class Counts:
    """What became of the lines that a forwarder was given; given = sent + dropped + what is buffered."""

    given: int = 0
    sent: int = 0
    dropped: int = 0
    connects: int = 0


class Forwarder:
    """A thread that sends to one server.

    Parameters
    ----------
    server
        A ``tcp`` address.
    buffer_bytes_max
        When more than this waits, the oldest chunks are dropped and their lines counted in `counts.dropped`.
    """

    def __init__(self, server: Address, buffer_bytes_max: int) -> None:
        self.counts = Counts()
        self._server = server
        self._buffer_bytes_max = buffer_bytes_max
        self._chunks: deque[bytes] = deque()
        self._buffered_bytes = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"forward to {server}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, chunk: bytes) -> None:
        """Take lines, each with its newline; never waits."""
        with self._changed:
            self.counts.given += chunk.count(b"\n")
            self._chunks.append(chunk)
            self._buffered_bytes += len(chunk)
            while self._buffered_bytes > self._buffer_bytes_max:
                self._drop_oldest()
            self._changed.notify()

    def stop(self, drain_s: float = 2.0) -> None:
        """Send what is buffered if that takes no longer than `drain_s`, then end; drops and counts the rest."""
        self._stopping.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(drain_s)
        with self._changed:
            left = self.counts.given - self.counts.sent - self.counts.dropped
            if left:
                log.warning("cannot send %d lines to %s: stopped while the server was away", left, self._server)
            while self._chunks:
                self._drop_oldest()

    def _run(self) -> None:
        backoff = Backoff()
        while (chunk := self._next()) is not None:
            last_try = self._stopping.is_set()
            try:
                self._send(chunk)
            except OSError as error:
                self._close()
                if last_try:
                    break
                if backoff.is_fresh:  # once for each time the server goes away
                    log.warning("cannot send to %s: %s; keeping lines and trying again", self._server, error)
                self._stopping.wait(backoff.next_s())
            else:
                self._sent(chunk)
                backoff.begin_anew()
        self._close()

    def _next(self) -> bytes | None:
        """The oldest chunk, which stays where it is until it is sent; None at the end."""
        with self._changed:
            while not self._chunks and not self._stopping.is_set():
                self._changed.wait()
            return self._chunks[0] if self._chunks else None

    def _sent(self, chunk: bytes) -> None:
        with self._changed:
            # It may have been dropped for a newer one while it was under way; then it was both, and counts as sent.
            if self._chunks and self._chunks[0] is chunk:
                self._chunks.popleft()
                self._buffered_bytes -= len(chunk)
            else:
                self.counts.dropped -= chunk.count(b"\n")
            self.counts.sent += chunk.count(b"\n")

    def _drop_oldest(self) -> None:
        chunk = self._chunks.popleft()
        self._buffered_bytes -= len(chunk)
        self.counts.dropped += chunk.count(b"\n")

    def _send(self, chunk: bytes) -> None:
        if self._socket is not None and hung_up(self._socket):
            self._close()
        if self._socket is None:
            self._socket = connect(self._server, CONNECT_TIMEOUT_S)
            self._socket.settimeout(SEND_TIMEOUT_S)
            self.counts.connects += 1
        self._socket.sendall(chunk)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
