"""Sockets of doors: bound with room for bursts, and what the system dropped of theirs."""

import contextlib
import os
import socket
from pathlib import Path

from tallystick.model.address import Address
from tallystick.sockets import bind

RECEIVE_BYTES = 8 << 20
"""Asked of the system for datagrams that wait; it gives what it allows."""
_BACKLOG = 128
_SEND_BYTES = 1 << 16
_FORCED_RECEIVE_BUFFER = 33  # SO_RCVBUFFORCE, which goes beyond what the system allows others
_INODE, _DROPS = 9, -1  # columns of /proc/net/udp


def open_socket(address: Address, mode: int) -> socket.socket:
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
    bound = bind(address, socket.SOCK_DGRAM if address.datagrams else socket.SOCK_STREAM, "agent.doors")
    if address.local:
        Path(address.path).chmod(mode)
    if address.datagrams:
        _make_room(bound)
    else:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)  # of connections, too
        bound.listen(_BACKLOG)
    bound.setblocking(False)
    return bound


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


def _make_room(bound: socket.socket) -> None:
    try:
        bound.setsockopt(socket.SOL_SOCKET, _FORCED_RECEIVE_BUFFER, RECEIVE_BYTES)
    except OSError:  # for root only
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
