"""Connections to others' sockets, and how long to wait before one that failed is tried again."""

import random
import select
import socket

from tallystick.model.address import Address


def connect(address: Address, timeout_s: float) -> socket.socket:
    """A stream to whoever listens there; what it does afterwards has the same patience.

    Raises
    ------
    OSError
        If nobody does, or not in time.
    """
    if not address.local:
        return socket.create_connection((address.host, address.port), timeout_s)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(address.path)
    except OSError:
        connection.close()
        raise
    return connection


def hung_up(connection: socket.socket) -> bool:
    """Whether the other side, which has nothing to say, closed its end; the kernel would take a last piece and lose it.

    Raises
    ------
    OSError
        If the connection was reset.
    """
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0)) and connection.recv(4096) == b""


class Backoff:
    """How long to wait before a server is tried again, in seconds: twice as long each time, up to a most.

    Spread, so that a fleet does not come back to a restarted server in one moment.

    Notes
    -----
    The most is so short that a server which was away for hours is sent to seconds after its return, and long enough
    for a fleet: ten thousand agents make 2,700 attempts a second, which a host without a listener refuses in its
    kernel, and come back over five seconds, not at once.
    """

    def __init__(self, least_s: float = 0.1, most_s: float = 5.0) -> None:
        self._least_s, self._most_s = least_s, most_s
        self._patience_s = least_s

    @property
    def is_fresh(self) -> bool:
        """Whether nobody has waited since it began, or began anew."""
        return self._patience_s == self._least_s

    def next_s(self) -> float:
        """How long to wait now; the next wait is longer."""
        patience_s, self._patience_s = self._patience_s, min(2 * self._patience_s, self._most_s)
        return patience_s * random.uniform(0.5, 1.0)

    def begin_anew(self) -> None:
        """The server was there."""
        self._patience_s = self._least_s
