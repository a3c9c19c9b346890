"""Framing of the records in the log and in the series file: magic, length, place in its write, checksum, payload.

A reader that meets damaged bytes goes on at the next whole record, so a flipped bit costs one record and is counted.

A power cut may tear a write anywhere: of records that were written together the first can be missing while the last is
whole. No such write was acknowledged, and that is no damage. So each record says how far it is from the beginning of
its write, which began only when all that was written before was on the disk.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import xxhash

from tallystick.files import Buffer, bytes_of
from tallystick.store.disk.checksum import checksum

MAGIC = b"\xf5TLY"
_HEAD = struct.Struct("<4sIQQ")
_BACK = struct.Struct("<Q")
HEAD_BYTES = _HEAD.size


class Record:
    """A payload, summed up and ready to be written.

    Parameters
    ----------
    parts
        The payload, which is copied.
    """

    def __init__(self, parts: Sequence[Buffer]) -> None:
        self._payload = b"".join(map(bytes_of, parts))
        self._digest = xxhash.xxh3_64(self._payload)

    def __len__(self) -> int:
        """Bytes that the record takes in a file."""
        return HEAD_BYTES + len(self._payload)

    def framed(self, back: int) -> list[Buffer]:
        """Head and payload of a record that begins `back` bytes behind the beginning of its write."""
        digest = self._digest.copy()
        digest.update(_BACK.pack(back))
        return [_HEAD.pack(MAGIC, len(self._payload), back, digest.intdigest()), self._payload]


def frame(*records: Record) -> list[Buffer]:
    """The bytes of records that are written together."""
    framed: list[Buffer] = []
    back = 0
    for record in records:
        framed += record.framed(back)
        back += len(record)
    return framed


class Scanned(Protocol):
    """Bytes that records are in."""

    def __len__(self) -> int: ...

    def __getitem__(self, wanted: slice, /) -> bytes | memoryview: ...

    def find(self, wanted: bytes, at: int, /) -> int:
        """Position of the first occurrence from `at` on, or -1."""
        ...


@dataclass(slots=True)
class Scan:
    """The whole records in some bytes; iterate once, then read what was found.

    Parameters
    ----------
    data
        The content of a file, `FileBytes` or read whole.

    Attributes
    ----------
    end : int
        Position behind the last whole record.
    whole_end : int
        Position behind the last record that has no gap before it within its write: what follows was never on the disk
        whole.
    damaged_bytes : int
        Bytes passed over that had been on the disk: a later write follows them. Gaps in the last write, and what
        follows the last whole record, are a write that was torn.
    """

    data: Scanned
    end: int = 0
    whole_end: int = 0
    damaged_bytes: int = 0
    _write: int = field(default=0, init=False)  # where the write began that the last whole record is of
    _torn: int = field(default=0, init=False)  # bytes passed over in it

    def __iter__(self) -> Iterator[memoryview]:
        at = 0
        while (begin := self.data.find(MAGIC, at)) >= 0:
            found = self._record_at(begin)
            if found is None:
                at = begin + 1
                continue
            back, payload = found
            self._pass_over(begin, begin - back)
            self.end = at = begin + HEAD_BYTES + len(payload)
            if not self._torn:
                self.whole_end = self.end
            yield payload

    def _pass_over(self, begin: int, write: int) -> None:
        """Account for what lies between the last whole record and the one at `begin`, of the write from `write` on."""
        if write > self._write:  # so all of the one before was on the disk
            self.damaged_bytes += self._torn + max(0, write - self.end)
            self._write, self._torn = write, 0
        self._torn += begin - max(self.end, self._write)

    def _record_at(self, begin: int) -> tuple[int, memoryview] | None:
        if begin + HEAD_BYTES > len(self.data):
            return None
        _, length, back, expected = _HEAD.unpack(self.data[begin : begin + HEAD_BYTES])
        end = begin + HEAD_BYTES + length
        if end > len(self.data) or back > begin:
            return None
        payload = memoryview(self.data[begin + HEAD_BYTES : end])
        return (back, payload) if checksum(payload, _BACK.pack(back)) == expected else None
