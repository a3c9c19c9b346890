"""Messages of the native protocol as bytes: what is published as ``docs/reference/native.avsc``, written by hand.

A frame is the length of what follows (32 bits, big-endian), the CRC-32 of the message and the message, in Avro's binary
encoding. ``docs/internals/native.md`` tells the rest.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tallystick.model.kind import Kind

VERSION = 1
FINGERPRINT = bytes.fromhex("0bfddc642137a7ae")
"""Of the schema: CRC-64-AVRO of its canonical form, little-endian."""
HELLO, NAMES, BATCH, WELCOME, TAKEN = range(5)
"""Position of each message in the union."""
FRAME_HEAD = struct.Struct(">II")
"""Length of what follows, and CRC-32 of the message."""
_DOUBLE = struct.Struct("<d")
_SPREAD = struct.Struct("<5d")
_NULL, _THERE = b"\x00", b"\x02"
_END = b"\x00"


class Slot(NamedTuple):
    """The statistics of the samples of one series in one slot; a tuple, as there are thousands of them.

    Parameters
    ----------
    name
        Dotted, tags as ``;key=value``.
    at_ms
        Any moment in the slot, milliseconds since the epoch.
    last
        The latest sample; of a set the number of its members.
    spread
        Count, sum, M2, minimum and maximum; None where there was one sample of weight 1, and for sets.
    buckets
        Of a timing: numbers of buckets, ascending, and their weights.
    sketch
        Of a set.
    """

    name: str
    kind: Kind
    at_ms: int
    last: float
    spread: tuple[float, float, float, float, float] | None = None
    buckets: Sequence[tuple[int, float]] = ()
    sketch: bytes = b""


def framed(message: bytes) -> bytes:
    """A message as a frame."""
    return FRAME_HEAD.pack(4 + len(message), zlib.crc32(message)) + message


def hello(agent: str, run: str) -> bytes:
    """The first message of a connection."""
    return _long(HELLO) + _long(VERSION) + FINGERPRINT + _text(agent) + _text(run)


def names(first: int, named: Sequence[tuple[str, Kind]]) -> bytes:
    """Names whose first one has number `first`."""
    items = b"".join(_text(name) + _long(kind) for name, kind in named)
    return _long(NAMES) + _long(first) + (_long(len(named)) + items if named else b"") + _END


def batch(number: int, generated: int, base_ms: int, slots: Iterable[tuple[int, Slot]]) -> bytes:
    """Slots, each with the number of its name; see `Slot` for what they hold."""
    items = [_slot(series, slot, base_ms) for series, slot in slots]
    head = _long(BATCH) + _long(number) + _long(generated) + _long(base_ms)
    return head + (_long(len(items)) + b"".join(items) if items else b"") + _END


def welcome(frame_bytes_max: int) -> bytes:
    """A server's answer to `hello`."""
    return _long(WELCOME) + _long(VERSION) + _long(frame_bytes_max)


def taken(number: int) -> bytes:
    """That all batches up to this one are on disk."""
    return _long(TAKEN) + _long(number)


def read_long(message: bytes, at: int) -> tuple[int, int]:
    """A zigzag number, and the position behind it.

    Raises
    ------
    ValueError
        If there is none.
    """
    value = shift = 0
    for k in range(at, min(at + 10, len(message))):
        value |= (message[k] & 0x7F) << shift
        if message[k] < 0x80:
            return (value >> 1) ^ -(value & 1), k + 1
        shift += 7
    raise ValueError(f"cannot read a number at byte {at} of a message: expected one of up to ten bytes")


def read_text(message: bytes, at: int) -> tuple[str, int]:
    """A string, and the position behind it.

    Raises
    ------
    ValueError
        If there is none.
    """
    size, at = read_long(message, at)
    if not 0 <= size <= len(message) - at:
        raise ValueError(f"cannot read a string at byte {at} of a message: it ends behind it")
    return message[at : at + size].decode(), at + size


def _slot(series: int, slot: Slot, base_ms: int) -> bytes:
    parts = [_long(series), _long(slot.at_ms - base_ms), _DOUBLE.pack(slot.last)]
    parts += [_NULL] if slot.spread is None else [_THERE, _SPREAD.pack(*slot.spread)]
    if slot.buckets:
        parts.append(_long(len(slot.buckets)))
        parts += [_long(bucket) + _DOUBLE.pack(weight) for bucket, weight in slot.buckets]
    parts += [_END, _long(len(slot.sketch)), slot.sketch]
    return b"".join(parts)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _long(len(encoded)) + encoded


def _long(value: int) -> bytes:
    """Avro's int and long: zigzag, seven bits a byte, the lowest first."""
    value = (value << 1) ^ (value >> 63)
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
