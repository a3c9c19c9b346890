"""Lines for StatsD, packed into datagrams."""

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
