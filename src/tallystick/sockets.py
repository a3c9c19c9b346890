"""Sockets: bound to ports, and to files that may be left from a process that was killed; and connected to others'."""

import contextlib
import errno
import random
import select
import socket
from pathlib import Path

from tallystick.model.address import Address
from tallystick.model.errors import StartError


def bind(address: Address, kind: socket.SocketKind, key: str = "listeners", *, shared: bool = False) -> socket.socket:
    """A bound socket.

    Parameters
    ----------
    shared
        Whether others may be bound to the same port, as those of a multicast group are.
    key
        Key of the config that the address comes from.

    Raises
    ------
    StartError
        If that cannot be: the text names the address and what is in its way.
    """
    bound: socket.socket | None = None
    try:
        if address.local:
            bound = socket.socket(socket.AF_UNIX, kind)
            remove_stale(address.path, kind)
            bound.bind(address.path)
        else:
            found = socket.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)
            family, _, _, _, target = found[0]
            bound = socket.socket(family, kind)
            if shared or kind == socket.SOCK_STREAM:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(target)
    except OSError as error:
        if bound is not None:
            bound.close()
        cause = "another program uses it" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        raise StartError(f"cannot listen on {address}: {cause}; expected a free address (key {key})") from None
    return bound


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
    """

    def __init__(self, least_s: float = 0.1, most_s: float = 30.0) -> None:
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


def bound_address(address: Address, bound: socket.socket) -> Address:
    """The address with the port that the system chose, where 0 was asked for."""
    if address.local:
        return address
    return Address(address.scheme, address.host, bound.getsockname()[1])


def remove_stale(path: str, kind: socket.SocketKind) -> None:
    """Remove a socket file that nobody listens on any more; a file of another kind is not ours to remove."""
    if not Path(path).is_socket():
        return
    with socket.socket(socket.AF_UNIX, kind) as probe, contextlib.suppress(FileNotFoundError):
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
