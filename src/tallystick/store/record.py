"""Framing of the records in the log and in the series file: magic, length, checksum, payload.

A reader that meets damaged bytes goes on at the next whole record, so a flipped bit costs one record and is counted.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tallystick.store.files import Buffer, bytes_of, checksum

MAGIC = b"\xf5TLY"
_HEAD = struct.Struct("<4sIQ")
HEAD_BYTES = _HEAD.size


def frame(parts: list[Buffer]) -> list[Buffer]:
    """The parts of a record, its head first."""
    length = sum(bytes_of(p).nbytes for p in parts)
    return [_HEAD.pack(MAGIC, length, checksum(*parts)), *parts]


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
    damaged_bytes : int
        Bytes passed over between whole records. What follows the last whole record is a torn write, not damage.
    """

    data: Scanned
    end: int = 0
    damaged_bytes: int = 0

    def __iter__(self) -> Iterator[memoryview]:
        at = 0
        while (begin := self.data.find(MAGIC, at)) >= 0:
            payload = self._payload_at(begin)
            if payload is None:
                at = begin + 1
                continue
            self.damaged_bytes += begin - self.end
            self.end = at = begin + HEAD_BYTES + len(payload)
            yield payload

    def _payload_at(self, begin: int) -> memoryview | None:
        if begin + HEAD_BYTES > len(self.data):
            return None
        _, length, expected = _HEAD.unpack(self.data[begin : begin + HEAD_BYTES])
        end = begin + HEAD_BYTES + length
        if end > len(self.data):
            return None
        payload = memoryview(self.data[begin + HEAD_BYTES : end])
        return payload if checksum(payload) == expected else None
