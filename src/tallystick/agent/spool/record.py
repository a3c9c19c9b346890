"""Records of the spool as bytes: ``docs/internals/spool.md``.

A record holds frames of the native protocol as they go over the wire, so that sending one is copying its bytes, and the
positions of whoever gave what is in it.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from tallystick.native import messages

MARK = b"\xabTSr"
"""Begins each record: behind a damaged one the next is found by it."""
RECORD_BYTES_MAX = 256 << 20
_CRC = struct.Struct(">4sI")
_REST = struct.Struct(">IQQQQQIIII")
HEAD_BYTES = _CRC.size + _REST.size


class Head(NamedTuple):
    """What a record begins with.

    Parameters
    ----------
    crc
        CRC-32 of its body.
    number
        Of its last batch; of a record without batches that of the one before.
    generated
        Slots that were made for it, sent or not.
    blocked
        Those of them that no server wants.
    at_ms
        When it was written, milliseconds since the epoch.
    safe_bytes
        So much of its file was safe on disk before it was written: what is wrong in there was not torn with it.
    slots
        How many it holds.
    names_bytes, batches_bytes, cursors_bytes
        Its body: frames of names, frames of batches, positions.
    """

    crc: int
    number: int
    generated: int
    blocked: int
    at_ms: int
    safe_bytes: int
    slots: int
    names_bytes: int
    batches_bytes: int
    cursors_bytes: int

    @property
    def body_bytes(self) -> int:
        """Length of what follows."""
        return self.names_bytes + self.batches_bytes + self.cursors_bytes

    @property
    def size_bytes(self) -> int:
        """Length of the record."""
        return HEAD_BYTES + self.body_bytes

    @classmethod
    def read(cls, data: bytes, at: int = 0) -> "Head | None":
        """The head at a position; None if there is none, or a damaged one."""
        if at + HEAD_BYTES > len(data):
            return None
        mark, crc = _CRC.unpack_from(data, at)
        if mark != MARK or zlib.crc32(data[at + _CRC.size : at + HEAD_BYTES]) != crc:
            return None
        head = cls(*_REST.unpack_from(data, at + _CRC.size))
        return head if head.body_bytes <= RECORD_BYTES_MAX else None


class Record(NamedTuple):
    """See `Head`.

    Parameters
    ----------
    names
        Frames of names, which the connection has to know before the batches.
    batches
        Frames of batches; the last one tells what was generated for all.
    cursors
        Positions as JSON.
    """

    number: int
    generated: int
    blocked: int
    at_ms: int
    slots: int
    names: bytes = b""
    batches: bytes = b""
    cursors: bytes = b""

    @property
    def size_bytes(self) -> int:
        """Length as it is packed."""
        return HEAD_BYTES + len(self.names) + len(self.batches) + len(self.cursors)

    def parts(self, safe_bytes: int) -> tuple[bytes, ...]:
        """The record as it is on disk, in parts; see `Head.safe_bytes`."""
        body = self.names, self.batches, self.cursors
        crc = 0
        for part in body:
            crc = zlib.crc32(part, crc)
        sizes = len(self.names), len(self.batches), len(self.cursors)
        numbers = self.number, self.generated, self.blocked, self.at_ms, safe_bytes, self.slots
        rest = _REST.pack(crc, *numbers, *sizes)
        return _CRC.pack(MARK, zlib.crc32(rest)) + rest, *body

    @classmethod
    def of(cls, head: Head, body: bytes) -> "Record":
        """A record that was read."""
        names, batches = head.names_bytes, head.names_bytes + head.batches_bytes
        numbers = head.number, head.generated, head.blocked, head.at_ms, head.slots
        return cls(*numbers, body[:names], body[names:batches], body[batches:])


def thinned(head: Head) -> Record:
    """What is left of a record whose slots are given up: that they were made, under the same number."""
    batches = b""
    if head.batches_bytes:
        batches = messages.framed(messages.batch(head.number, head.generated, head.at_ms, [], head.blocked))
    return Record(head.number, head.generated, head.blocked, head.at_ms, 0, b"", batches)


def told(records: Sequence[Record]) -> Record:
    """What later records of the segment need of some whose batches all destinations have, as one."""
    cursors: dict[str, str] = {}
    for record in records:
        cursors.update(read_cursors(record.cursors))
    names = b"".join(record.names for record in records)
    return Record(records[-1].number, 0, 0, records[-1].at_ms, 0, names, b"", packed_cursors(cursors))


def together(heads: Sequence[Head]) -> list[Head]:
    """Several records, of which nobody has anything, as one."""
    if not heads:
        return []
    generated, blocked = sum(head.generated for head in heads), sum(head.blocked for head in heads)
    batches_bytes = sum(head.batches_bytes for head in heads)
    return [heads[-1]._replace(generated=generated, blocked=blocked, batches_bytes=batches_bytes)]


def packed_cursors(cursors: Mapping[str, str]) -> bytes:
    """Positions as they stand in a record; nothing for none."""
    return msgspec.json.encode(dict(cursors)) if cursors else b""


def read_cursors(text: bytes) -> dict[str, str]:
    """Positions of a record.

    Raises
    ------
    ValueError
        If they are none.
    """
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}
