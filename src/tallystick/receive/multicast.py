"""Joining multicast groups, on the interface that the config names or the one that the system's routes choose."""

import contextlib
import ipaddress
import socket
import struct

from tallystick.model.address import Group
from tallystick.model.errors import StartError

_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29


def join(bound: socket.socket, group: Group) -> None:
    """Have a bound socket receive what is sent to a group, and to no group that only others of this machine joined.

    Raises
    ------
    StartError
        If that cannot be, with the socket closed: the text names the group and what is in its way.
    """
    try:
        if group.version == 4:
            bound.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, _request4(group))
        else:
            with contextlib.suppress(OSError):  # Linux knows it since 4.20
                bound.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, _request6(group))
    except OSError as error:
        bound.close()
        where = f" on {group.interface}" if group.interface else ""
        cause = error.strerror or str(error)
        raise StartError(
            f"cannot join multicast group {group.address}{where}: {cause}; expected an interface that is up and can "
            "multicast (key listeners, multicast = 'group%interface')"
        ) from None


def _request4(group: Group) -> bytes:
    """Linux's ``struct ip_mreqn``: group, address of the interface, its index."""
    address, index = "0.0.0.0", 0
    if _is_address(group.interface):
        address = group.interface
    elif group.interface:
        index = socket.if_nametoindex(group.interface)
    return socket.inet_aton(group.address) + socket.inet_aton(address) + struct.pack("@i", index)


def _request6(group: Group) -> bytes:
    index = socket.if_nametoindex(group.interface) if group.interface else 0
    return socket.inet_pton(socket.AF_INET6, group.address) + struct.pack("@I", index)


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4
    except ValueError:
        return False
