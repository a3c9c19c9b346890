"""The way out of the process: StatsD datagrams over UDP to the agent or server on this host."""

import socket
from collections.abc import Iterable, Iterator

DATAGRAM_BYTES_MAX = 1432
"""Fits the payload of a frame on any Ethernet; loopback would take more, a container's bridge may not."""


def datagrams(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines packed, with newlines between them, into as few datagrams as they fit in."""
    packed = b""
    for line in lines:
        encoded = line.encode()
        if packed and len(packed) + 1 + len(encoded) > DATAGRAM_BYTES_MAX:
            yield packed
            packed = b""
        packed = packed + b"\n" + encoded if packed else encoded
    if packed:
        yield packed


class Door:
    """Sends without ever waiting.

    Parameters
    ----------
    address
        ``udp://host:port`` or ``host:port``.
    """

    def __init__(self, address: str) -> None:
        host, colon, port = address.removeprefix("udp://").rpartition(":")
        if not colon or not port.isdigit():
            raise ValueError(f"cannot send to {address!r}: no port in it; expected udp://host:port")
        self._target = (host.strip("[]"), int(port))
        self.datagrams_dropped = 0

    def send(self, lines: Iterable[str]) -> None:
        """Send lines; what the kernel refuses is counted in `datagrams_dropped`.

        UDP tells little: a datagram that nobody listens for is known to be lost only when the next is sent, and one
        that a full buffer drops is never known. The agent's own protocol will close this gap.
        """
        with self._connected() as connection:
            for datagram in datagrams(lines):
                try:
                    connection.send(datagram)
                except OSError:
                    self.datagrams_dropped += 1

    def _connected(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_DGRAM)
        connection.setblocking(False)
        try:
            connection.connect(self._target)
        except OSError:  # each send will say so again, and is counted
            self.datagrams_dropped += 1
        return connection
