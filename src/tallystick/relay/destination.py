"""`Destination`: a server that lines are sent to, by a thread of its own, from a queue that is bounded in bytes.

Whoever receives never waits for it: where the queue is full the oldest lines give way and are counted. While the server
is away it is tried again after a time that doubles up to half a minute. Carbon answers nothing, so what the system had
taken when a connection broke may be lost; the piece that was being sent is sent again, which carbon takes as the same.
"""

import logging
import socket
import threading
from collections import deque
from dataclasses import dataclass

from tallystick.ledger import Account
from tallystick.model.address import Address
from tallystick.sockets import Backoff, connect, hung_up

logger = logging.getLogger(__name__)

TIMEOUT_S = 10.0
_DRAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a destination is.

    Parameters
    ----------
    server
        ``host:port``.
    connected
        Whether there is a connection now.
    sent, dropped
        Lines that the system took for it, and that gave way in its queue.
    waiting, waiting_bytes
        What is in the queue.
    error
        Why there is no connection; empty if there is one, or none was needed yet.
    """

    server: str
    connected: bool
    sent: int
    dropped: int
    waiting: int
    waiting_bytes: int
    error: str


class Destination:
    """A server; `start`, then `stop`. Any thread may `offer`.

    Parameters
    ----------
    account
        Where the ledger counts what gave way.
    """

    def __init__(self, host: str, port: int, queue_bytes_max: int, account: Account) -> None:
        self.server = f"{host}:{port}"
        self._address = Address("tcp", host, port)
        self._bytes_max = queue_bytes_max
        self._account = account
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._bytes = self._lines = 0
        self._sent = self._dropped = 0
        self._connected = False
        self._error = ""
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=f"relay {self.server}", daemon=True)

    @property
    def is_away(self) -> bool:
        """Whether it was tried in vain: others may take what is for it, where that is allowed."""
        return bool(self._error)

    def offer(self, text: bytes, lines: int) -> None:
        """Have lines sent; never waits."""
        dropped = 0
        with self._changed:
            self._waiting.append((text, lines))
            self._bytes, self._lines = self._bytes + len(text), self._lines + lines
            while self._bytes > self._bytes_max:
                oldest, count = self._waiting.popleft()
                self._bytes, self._lines = self._bytes - len(oldest), self._lines - count
                dropped += count
            self._dropped += dropped
            self._changed.notify()
        if dropped:
            self._account.turned_away(dropped)

    def standing(self) -> Standing:
        """How it is."""
        with self._changed:
            return Standing(
                self.server, self._connected, self._sent, self._dropped, self._lines, self._bytes, self._error
            )

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send what waits if the server takes it within two seconds; what is left is counted as dropped."""
        with self._changed:
            if self._thread.is_alive():
                self._changed.wait_for(lambda: not self._waiting or bool(self._error), _DRAIN_S)
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(TIMEOUT_S)
        with self._changed:
            left, self._lines, self._bytes = self._lines, 0, 0
            self._waiting.clear()
            self._dropped += left
        if left:
            self._account.turned_away(left)

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._stopping)
            if self._stopping:
                return
            try:
                with connect(self._address, TIMEOUT_S) as connection:
                    self._told("", connected=True)
                    backoff.begin_anew()
                    self._send(connection)
            except OSError as error:
                self._told(error.strerror or str(error), connected=False)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, backoff.next_s())

    def _send(self, connection: socket.socket) -> None:
        """Send what waits, as it comes; raises OSError where the connection breaks."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._stopping)
                if not self._waiting:
                    return
                piece = self._waiting[0]
            if hung_up(connection):
                raise ConnectionResetError("the server closed the connection")
            connection.sendall(piece[0])
            with self._changed:
                # It may have given way meanwhile: then it was counted as dropped, and is sent all the same.
                if self._waiting and self._waiting[0] is piece:
                    self._waiting.popleft()
                    self._bytes, self._lines = self._bytes - len(piece[0]), self._lines - piece[1]
                    self._sent += piece[1]
                self._changed.notify_all()

    def _told(self, error: str, *, connected: bool) -> None:
        if error and error != self._error:
            logger.warning("cannot relay to %s: %s", self.server, error)
        with self._changed:
            self._error, self._connected = error, connected
            self._changed.notify_all()
