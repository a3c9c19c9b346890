"""Protocol Buffers' wire format for kernels: keys, varints, fixed numbers, and the bounds of what has a length.

A message is a run of fields, each a key (field number and wire type) and a value. Kernels that read one know its schema
and descend by calling themselves by another name, so nesting goes as deep as their code and no deeper; what a schema
does not know is passed over by its length and never looked into. Every reader is told where the enclosing message
stops: nothing is read behind it, and no length reaches beyond it, so a message of *n* bytes takes time in proportion.

Readers return the position behind what they read, or `BAD`. Groups (wire types 3 and 4), which no schema of today has,
are bad, and so are field number 0, varints of more than ten bytes and those above 64 bits.

Source: https://protobuf.dev/programming-guides/encoding/
"""

import numpy as np

from tallystick.kernels.compile import inlined, load_u64

BAD = -1
"""The position that a reader returns where the bytes are not as the format has it."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types."""

_MORE = 0x80
_SHIFT_LAST = 63  # of the tenth byte, of which one bit is left
_FIELD_BITS = np.uint64(32)


@inlined
def read_varint(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """A varint as uint64, and the position behind it."""
    if at < stop and buffer[at] < _MORE:
        return np.uint64(buffer[at]), at + 1
    value = np.uint64(0)
    shift = 0
    while at < stop and shift <= _SHIFT_LAST:
        byte = buffer[at]
        if shift == _SHIFT_LAST and byte > 1:
            return np.uint64(0), BAD
        value |= np.uint64(byte & 0x7F) << np.uint64(shift)
        at += 1
        if byte < _MORE:
            return value, at
        shift += 7
    return np.uint64(0), BAD


@inlined
def read_key(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int, int]:
    """Number and wire type of a field, and where its value begins."""
    value, at = read_varint(buffer, at, stop)
    wire = np.int64(value & np.uint64(7))
    known = wire in (VARINT, FIXED64, BYTES, FIXED32)
    if at < 0 or not known or value < np.uint64(8) or value >> _FIELD_BITS != np.uint64(0):
        return 0, 0, BAD
    return np.int64(value >> np.uint64(3)), wire, at


@inlined
def read_bounds(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """Begin and end of bytes, text, a message or packed numbers; the end is `BAD` where that is beyond `stop`."""
    length, at = read_varint(buffer, at, stop)
    if at < 0 or length > np.uint64(stop - at):
        return at, BAD
    return at, at + np.int64(length)


@inlined
def read_fixed64(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """Eight bytes as uint64, little-endian: fixed64, sfixed64, or the bits of a double."""
    if at + 8 > stop:
        return np.uint64(0), BAD
    return load_u64(buffer, at), at + 8


@inlined
def read_fixed32(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """Four bytes as uint64, little-endian: fixed32, sfixed32, or the bits of a float."""
    if at + 4 > stop:
        return np.uint64(0), BAD
    return load_u64(buffer, at) & np.uint64(0xFFFFFFFF), at + 4


@inlined
def skip_field(buffer: np.ndarray, wire: int, at: int, stop: int) -> int:
    """The position behind a value that nobody asked for."""
    if wire == VARINT:
        _, at = read_varint(buffer, at, stop)
    elif wire == BYTES:
        _, at = read_bounds(buffer, at, stop)
    else:
        at += 8 if wire == FIXED64 else 4
    return at if at <= stop else BAD


@inlined
def unzigzag(value: int) -> int:
    """The signed number that a sint32 or sint64 stands for."""
    return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))
