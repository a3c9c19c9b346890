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
FINGERPRINT = bytes.fromhex("ce8814aece056ce0")
"""Of the schema: CRC-64-AVRO of its canonical form, little-endian."""
FINGERPRINT_WITHOUT_ORIGIN = bytes.fromhex("4910503e075faaeb")
"""Of the schema as it was before there was `origin`: who tells none says this one, which older receivers know too."""
FINGERPRINTS = (FINGERPRINT, FINGERPRINT_WITHOUT_ORIGIN)
"""All that are understood: each schema has all messages of those before it."""
HELLO, NAMES, BATCH, WELCOME, TAKEN, BLOCKED, ORIGIN = range(7)
"""Position of each message in the union."""
FRAME_HEAD = struct.Struct(">II")
"""Length of what follows, and CRC-32 of the message."""
TEXTS_SAID = 4
"""So many texts are said of a name."""
TOLD_BYTES_MAX = 1024
"""What is said of a name is cut here: each of unit, owner, description and alert."""
STATSD = "statsd"
"""The one origin that says something to a server: it shows such series by the names that StatsD emits, too."""
BLOCKED_BYTES_MAX = 48 << 10
"""Patterns of a `blocked` message together; a server that has more tells the first of them, and applies all."""
SLOTS_AT_ONCE = 2000
"""In a batch."""
FRAME_BYTES = 256 << 10
"""Of a batch; one that is longer is parted, unless it is a single slot."""
_NAMES_AT_ONCE = 40  # at most 200 KiB of them and what is said of them
_NUMBERS_AT_ONCE = 20_000
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
    origin
        See `Name`.
    """

    name: str
    kind: Kind
    at_ms: int
    last: float
    spread: tuple[float, float, float, float, float] | None = None
    buckets: Sequence[tuple[int, float]] = ()
    sketch: bytes = b""
    origin: str = ""


class Name(NamedTuple):
    """A name as it is sent, with what its sender says of it.

    Parameters
    ----------
    unit
        As ``bytes`` or ``ms``; empty where it is not said.
    owner
        Whose it is: a team or a person.
    description
        A sentence for people.
    alert
        When somebody is to be told, in the words of whoever reads it.
    origin
        The protocol by which its samples came to who tallied them, as `STATSD`; empty where that says nothing.
    """

    name: str
    kind: Kind
    unit: str = ""
    owner: str = ""
    description: str = ""
    alert: str = ""
    origin: str = ""

    @property
    def said(self) -> tuple[str, str, str, str]:
        """What is said of it, in the order of the schema."""
        return self.unit, self.owner, self.description, self.alert

    @property
    def is_described(self) -> bool:
        """Whether anything is said of it."""
        return any(self.said)


def framed(message: bytes) -> bytes:
    """A message as a frame."""
    return FRAME_HEAD.pack(4 + len(message), zlib.crc32(message)) + message


def hello(agent: str, run: str, token: str = "", fingerprint: bytes = FINGERPRINT) -> bytes:
    """The first message of a connection."""
    return _long(HELLO) + _long(VERSION) + fingerprint + _text(agent) + _text(run) + _text(token)


def names(first: int, named: Sequence[Name]) -> bytes:
    """Names whose first one has number `first`, with what is said of them; `origin` tells where they come from."""
    items = b"".join(map(_name, named))
    return _long(NAMES) + _long(first) + (_long(len(named)) + items if named else b"") + _END


def origin(protocol: str, numbers: Sequence[int]) -> bytes:
    """By which protocol the samples of names came to who tallied them.

    Parameters
    ----------
    numbers
        Of names that were sent before.
    """
    items = b"".join(map(_long, numbers))
    return _long(ORIGIN) + _text(protocol) + (_long(len(numbers)) + items if numbers else b"") + _END


def framed_names(first: int, named: Sequence[Name]) -> bytes:
    """Names and their origins as frames, as many as are needed; none for no names."""
    parts = range(0, len(named), _NAMES_AT_ONCE)
    frames = [framed(names(first + at, named[at : at + _NAMES_AT_ONCE])) for at in parts]
    by_origin: dict[str, list[int]] = {}
    for number, name in enumerate(named, first):
        if name.origin:
            by_origin.setdefault(name.origin, []).append(number)
    for protocol, numbers in by_origin.items():
        parts = range(0, len(numbers), _NUMBERS_AT_ONCE)
        frames += [framed(origin(protocol, numbers[at : at + _NUMBERS_AT_ONCE])) for at in parts]
    return b"".join(frames)


def batch(number: int, generated: int, base_ms: int, slots: Iterable[tuple[int, Slot]], blocked: int = 0) -> bytes:
    """Slots, each with the number of its name; see `Slot` for what they hold.

    Parameters
    ----------
    generated
        Slots that were made since the batch before, sent or not.
    blocked
        Those of them that the server asked not to be sent.
    """
    items = [_slot(series, slot, base_ms) for series, slot in slots]
    head = _long(BATCH) + _long(number) + _long(generated) + _long(blocked) + _long(base_ms)
    return head + (_long(len(items)) + b"".join(items) if items else b"") + _END


def welcome(frame_bytes_max: int) -> bytes:
    """A server's answer to `hello`."""
    return _long(WELCOME) + _long(VERSION) + _long(frame_bytes_max)


def taken(number: int) -> bytes:
    """That all batches up to this one are on disk."""
    return _long(TAKEN) + _long(number)


def blocked(version: int, patterns: Sequence[str]) -> bytes:
    """Which names a server does not want; see `tallystick.native.blocking.Blocking`.

    Of patterns that are longer than `BLOCKED_BYTES_MAX` together the first are told.
    """
    items: list[bytes] = []
    size = 0
    for pattern in patterns:
        item = _text(pattern)
        size += len(item)
        if size > BLOCKED_BYTES_MAX:
            break
        items.append(item)
    return _long(BLOCKED) + _long(version) + (_long(len(items)) + b"".join(items) if items else b"") + _END


def read_blocked(message: bytes, at: int) -> tuple[int, list[str]]:
    """Version and patterns of a `blocked` message, behind its position in the union.

    Raises
    ------
    ValueError
        If it is none.
    """
    version, at = read_long(message, at)
    patterns: list[str] = []
    while True:
        count, at = read_long(message, at)
        if count == 0:
            return version, patterns
        if count < 0:  # then the size of the block in bytes follows
            count = -count
            _, at = read_long(message, at)
        for _ in range(count):
            pattern, at = read_text(message, at)
            patterns.append(pattern)


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


def read_name(message: bytes, at: int) -> Name:
    """A name with what is said of it, which is cut at `TOLD_BYTES_MAX` and made readable where it is no UTF-8.

    Raises
    ------
    ValueError
        If there is none.
    """
    name, at = read_text(message, at)
    kind, at = read_long(message, at)
    said = []
    for _ in range(TEXTS_SAID):
        size, at = read_long(message, at)
        said.append(message[at : at + min(size, TOLD_BYTES_MAX)].decode(errors="replace"))
        at += size
    return Name(name, Kind(kind), *said)


def _slot(series: int, slot: Slot, base_ms: int) -> bytes:
    parts = [_long(series), _long(slot.at_ms - base_ms), _DOUBLE.pack(slot.last)]
    parts += [_NULL] if slot.spread is None else [_THERE, _SPREAD.pack(*slot.spread)]
    if slot.buckets:
        parts.append(_long(len(slot.buckets)))
        parts += [_long(bucket) + _DOUBLE.pack(weight) for bucket, weight in slot.buckets]
    parts += [_END, _long(len(slot.sketch)), slot.sketch]
    return b"".join(parts)


def _name(name: Name) -> bytes:
    told = b"".join(_text(_cut(text)) for text in name.said) if name.is_described else b"\0\0\0\0"
    return _text(name.name) + _long(name.kind) + told


def _cut(text: str) -> str:
    """The beginning of a text, at most `TOLD_BYTES_MAX` of it."""
    return text if len(text) < TOLD_BYTES_MAX // 4 else text.encode()[:TOLD_BYTES_MAX].decode(errors="ignore")


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
