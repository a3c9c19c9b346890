"""`Forwarder`: sends lines to a server over TCP from a queue, bounded in bytes, that keeps them while it is away.

For servers that answer nothing, as carbon's: what the system had taken when a connection broke may be lost without our
knowing, and the piece that was under way is sent again in full, which carbon takes as the same. Servers that answer are
sent to by those who know their protocol.
"""

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tallystick.model.address import Address
from tallystick.sockets.connecting import Backoff, connect, hung_up

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 10.0

Piece = tuple[bytes, int]
"""Whole lines, and how many they are."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a forwarder is; what was offered to it = sent + dropped + waiting.

    Parameters
    ----------
    server
        ``host:port``.
    connected
        Whether there is a connection now.
    sent, dropped
        Lines that the system took for it, and that gave way in its queue.
    waiting, waiting_bytes
        What is in the queue, the piece that is under way included.
    error
        Why it cannot be reached; empty if it can, or nobody tried yet.
    """

    server: str
    connected: bool
    sent: int
    dropped: int
    waiting: int
    waiting_bytes: int
    error: str


class Forwarder:
    """A thread that sends to one server; `start`, then `stop`. Any thread may `offer`.

    Parameters
    ----------
    server
        A ``tcp`` address.
    queue_bytes_max
        When more than this waits, the oldest pieces give way.
    when_dropped
        Told how many lines gave way, each time; called by who offers or stops.
    """

    def __init__(
        self, server: Address, queue_bytes_max: int, when_dropped: Callable[[int], None] | None = None
    ) -> None:
        self._server = server
        self._bytes_max = queue_bytes_max
        self._when_dropped = when_dropped
        self._waiting: deque[Piece] = deque()
        self._is_under_way = False  # the first of them: it stays in the queue until it is sent, and gives way to none
        self._bytes = self._lines = 0
        self._sent = self._dropped = 0
        self._error = ""
        self._changed = threading.Condition()
        self._stopping = False
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name=f"forward to {server}", daemon=True)

    @property
    def is_away(self) -> bool:
        """Whether the server was tried in vain: others may take what is for it, where that is allowed."""
        return bool(self._error)

    def offer(self, text: bytes, lines: int) -> None:
        """Have lines sent, each with its newline; never waits."""
        dropped = 0
        with self._changed:
            self._waiting.append((text, lines))
            self._bytes, self._lines = self._bytes + len(text), self._lines + lines
            while self._bytes > self._bytes_max and len(self._waiting) > self._is_under_way:
                dropped += self._remove(int(self._is_under_way))
            self._dropped += dropped
            self._changed.notify()
        self._tell(dropped)

    def standing(self) -> Standing:
        """How it is."""
        server = str(self._server).removeprefix("tcp://")
        with self._changed:
            connected = self._connection is not None
            return Standing(server, connected, self._sent, self._dropped, self._lines, self._bytes, self._error)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, drain_s: float = 2.0) -> None:
        """Send what waits if the server takes it within `drain_s`, then end; what is left is counted as dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(drain_s)
        with self._changed:
            left, self._lines, self._bytes = self._lines, 0, 0
            self._waiting.clear()
            self._dropped += left
        if left:
            logger.warning("cannot send %d lines to %s: stopped before it took them", left, self._server)
        self._tell(left)

    def _run(self) -> None:
        backoff = Backoff()
        try:
            while (piece := self._next()) is not None:
                is_last_try = self._stopping
                try:
                    self._send(piece[0])
                except OSError as error:
                    self._failed(error)
                    if is_last_try:
                        return
                    with self._changed:
                        self._changed.wait_for(lambda: self._stopping, backoff.next_s())
                else:
                    self._took(piece)
                    backoff.begin_anew()
        finally:
            self._close()

    def _next(self) -> Piece | None:
        """The oldest piece, which is under way from now on; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._stopping)
            self._is_under_way = bool(self._waiting)
            return self._waiting[0] if self._waiting else None

    def _took(self, piece: Piece) -> None:
        """The system took a piece; unless a stop that could not wait has counted it as dropped already."""
        with self._changed:
            self._is_under_way = False
            if self._waiting and self._waiting[0] is piece:
                self._sent += self._remove(0)
            self._error = ""

    def _failed(self, error: OSError) -> None:
        self._close()
        cause = error.strerror or str(error)
        if cause != self._error:
            logger.warning("cannot send to %s: %s; lines wait, and it is tried again", self._server, cause)
        with self._changed:
            self._is_under_way = False
            self._error = cause

    def _remove(self, place: int) -> int:
        """Take a piece out of the queue; returns its lines."""
        text, lines = self._waiting[place]
        del self._waiting[place]
        self._bytes, self._lines = self._bytes - len(text), self._lines - lines
        return lines

    def _tell(self, dropped: int) -> None:
        if dropped and self._when_dropped is not None:
            self._when_dropped(dropped)

    def _send(self, text: bytes) -> None:
        """Send lines, on the connection that there is or on a new one.

        Raises
        ------
        OSError
            If nobody listens, or the connection breaks.
        """
        if self._connection is not None and hung_up(self._connection):
            self._close()
        if self._connection is None:
            self._connection = connect(self._server, CONNECT_TIMEOUT_S)
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection.settimeout(SEND_TIMEOUT_S)
        self._connection.sendall(text)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
