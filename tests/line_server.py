"""A real server of lines over TCP that goes away, comes back and hangs up."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tallystick.model.address import Address


class LineServer:
    """Keeps the lines that it reads, with their newlines; can be closed and opened again on its port."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.accepted = 0
        self._arrived = threading.Condition()
        self.port = 0
        self._connections: list[socket.socket] = []
        self._reserve()
        self.open()

    @property
    def address(self) -> Address:
        return Address("tcp", "127.0.0.1", self.port)

    def open(self) -> None:
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, args=(self._listener,))
        self._thread.start()

    def close(self) -> None:
        """Refuse connections from now on and end those that are there; the port stays ours."""
        self.end()
        self._reserve()

    def end(self) -> None:
        """As `close`, and give the port away."""
        with contextlib.suppress(OSError):  # it does not listen
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        self.hang_up()

    def _reserve(self) -> None:
        """Have a port that nobody else gets; connections are refused while nobody listens."""
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]

    def hang_up(self) -> None:
        for connection in self._connections:
            with contextlib.suppress(OSError):  # the other end may have hung up first
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def wait_for(self, count: int) -> list[bytes]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.lines) >= count, 20), self.lines
            return list(self.lines)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            self.accepted += 1
            self._connections.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            for line in stream:
                with self._arrived:
                    self.lines.append(line)
                    self._arrived.notify_all()


@contextmanager
def line_server() -> Iterator[LineServer]:
    """One that is open for a while."""
    server = LineServer()
    try:
        yield server
    finally:
        server.end()
