"""What senders of each protocol send: a module each, named as the protocol, with a function

``payloads(series: int, samples: int, seed: int) -> list[bytes]``

which gives so many samples over so many series, in the order in which a fleet sends them, as what the protocol carries:
datagrams, bodies, or pieces of a stream that end where a line or a frame ends. Timestamps are of the last minutes.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

Payloads = Callable[[int, int, int], list[bytes]]

DATAGRAM_BYTES = 1400
"""What an Ethernet frame has room for."""
PIECE_BYTES = 1 << 16
"""What a stream's sender writes at once."""


def payloads_of(protocol: str) -> Payloads | None:
    """The generator of a protocol; None if there is none."""
    module = f"{__name__}.{protocol.replace('-', '_')}"
    if find_spec(module) is None:
        return None
    generator: Payloads = import_module(module).payloads
    return generator


def pack(lines: list[bytes], bytes_max: int) -> list[bytes]:
    """Lines joined, as many as have room in so many bytes each."""
    packed, size, part = [], 0, list[bytes]()
    for line in lines:
        if part and size + len(line) > bytes_max:
            packed.append(b"".join(part))
            size, part = 0, []
        part.append(line)
        size += len(line)
    return [*packed, b"".join(part)]
