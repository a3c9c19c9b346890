"""A real TCP server that goes away, comes back and hangs up."""

import contextlib
import socket
import threading

from tallystick.model.address import Address


class Door:
    """Accepts one connection after the other and keeps the lines it reads; can be closed and opened again."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.arrived = threading.Condition()
        self.port = 0
        self._connections: list[socket.socket] = []
        self.open()

    @property
    def address(self) -> Address:
        return Address("tcp", "127.0.0.1", self.port)

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(self._listener,))
        self._thread.start()

    def close(self) -> None:
        """Refuse connections from now on and end those that are there; may be called twice."""
        if self._listener.fileno() < 0:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        self._thread.join(10)

    def hang_up(self) -> None:
        for connection in self._connections:
            with contextlib.suppress(OSError):  # the other end may have hung up first
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def wait_for(self, count: int) -> list[bytes]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.lines) >= count, 20), self.lines
            return list(self.lines)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            self._connections.append(connection)
            with connection, connection.makefile("rb") as stream:
                for line in stream:
                    with self.arrived:
                        self.lines.append(line)
                        self.arrived.notify_all()
