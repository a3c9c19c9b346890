"""Protocol Buffers' wire format in plain Python."""

import struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Field = tuple[int, int, int | bytes]
"""Number, wire type, and the value: an unsigned integer or bytes."""


class BrokenError(Exception):
    """The bytes are no message."""


def fields(data: bytes) -> list[Field]:
    """The fields of a message."""
    found, at = list[Field](), 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if not 0 < number < 1 << 29 or key >> 32:
            raise BrokenError
        if wire == VARINT:
            value: int | bytes
            value, at = varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            value, at = int.from_bytes(data[at : at + size], "little"), at + size
        elif wire == BYTES:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise BrokenError
        if at > len(data):
            raise BrokenError
        found.append((number, wire, value))
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            if value >= 1 << 64:
                raise BrokenError
            return value, at
    raise BrokenError


def varints(data: bytes) -> list[int]:
    """Packed varints."""
    found, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        found.append(value)
    return found


def zigzag32(value: int) -> int:
    low = value & 0xFFFFFFFF
    return (low >> 1) ^ -(low & 1)


def double(bits: int) -> float:
    (value,) = struct.unpack("<d", struct.pack("<Q", bits))
    return float(value)


def signed64(bits: int) -> int:
    return bits - (1 << 64) if bits >= 1 << 63 else bits


def last(found: list[Field], number: int, wire: int, otherwise: int | bytes | None = None) -> int | bytes | None:
    """The value of a field that is there once; of several the last."""
    return next((value for n, w, value in reversed(found) if (n, w) == (number, wire)), otherwise)


def every(found: list[Field], number: int, wire: int = BYTES) -> list[int | bytes]:
    return [value for n, w, value in found if (n, w) == (number, wire)]
