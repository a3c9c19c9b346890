"""Sockets that are bound to ports, and to files that may be left from a process that was killed."""

import contextlib
import errno
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
