"""Sockets of doors: bound with room for bursts, and what the system dropped of theirs."""

import contextlib
import errno
import os
import socket
from pathlib import Path

from tallystick.config.address import Address
from tallystick.model.errors import StartError

RECEIVE_BYTES = 8 << 20
"""Asked of the system for datagrams that wait; it gives what it allows."""
_BACKLOG = 128
_SEND_BYTES = 1 << 16
_FORCED_RECEIVE_BUFFER = 33  # SO_RCVBUFFORCE, which goes beyond what the system allows others
_INODE, _DROPS = 9, -1  # columns of /proc/net/udp


def bind(address: Address, mode: int) -> socket.socket:
    """A socket that does not block, of datagrams or listening.

    Parameters
    ----------
    address
        ``unix`` and ``unixstream`` are streams, ``unixgram`` are datagrams.
    mode
        Permissions of a socket that is a file.

    Raises
    ------
    StartError
        If that cannot be; the text says what is in its way.
    """
    kind = socket.SOCK_DGRAM if address.datagrams else socket.SOCK_STREAM
    try:
        bound = _bound_file(address.path, kind, mode) if address.local else _bound_port(address, kind)
    except OSError as error:
        cause = "another program uses it" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        raise StartError(f"cannot listen on {address}: {cause}; expected a free address (key agent.doors)") from None
    if address.datagrams:
        _make_room(bound)
    else:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)  # of connections, too
        bound.listen(_BACKLOG)
    bound.setblocking(False)
    return bound


def address_of(address: Address, bound: socket.socket) -> Address:
    """The address with the port that the system chose, where 0 was asked for."""
    return address if address.local else Address(address.scheme, address.host, bound.getsockname()[1])


def drops_of(inodes: set[int], proc: Path = Path("/proc")) -> dict[int, int]:
    """How many datagrams the system has dropped of UDP sockets, by the numbers of their inodes."""
    found = {}
    for name in ("udp", "udp6"):
        with contextlib.suppress(OSError):
            for line in (proc / "net" / name).read_text().splitlines()[1:]:
                columns = line.split()
                if int(columns[_INODE]) in inodes:
                    found[int(columns[_INODE])] = int(columns[_DROPS])
    return found


def inode_of(bound: socket.socket) -> int:
    """The number of a socket's inode."""
    return os.fstat(bound.fileno()).st_ino


def _bound_port(address: Address, kind: socket.SocketKind) -> socket.socket:
    family, _, _, _, target = socket.getaddrinfo(address.host, address.port, type=kind, flags=socket.AI_PASSIVE)[0]
    bound = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(target)
    except BaseException:
        bound.close()
        raise
    return bound


def _bound_file(path: str, kind: socket.SocketKind, mode: int) -> socket.socket:
    _remove_stale(path, kind)
    bound = socket.socket(socket.AF_UNIX, kind)
    try:
        bound.bind(path)
        Path(path).chmod(mode)
    except BaseException:
        bound.close()
        raise
    return bound


def _remove_stale(path: str, kind: socket.SocketKind) -> None:
    """Remove a socket's file that nobody listens on any more; a file of another kind is not ours to remove."""
    if not Path(path).is_socket():
        return
    with socket.socket(socket.AF_UNIX, kind) as probe, contextlib.suppress(FileNotFoundError):
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()


def _make_room(bound: socket.socket) -> None:
    try:
        bound.setsockopt(socket.SOL_SOCKET, _FORCED_RECEIVE_BUFFER, RECEIVE_BYTES)
    except OSError:  # for root only
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
