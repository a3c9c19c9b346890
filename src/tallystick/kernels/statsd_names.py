"""Keys and tags as StatsD cleans them, written piece by piece into a name under construction.

Each function appends to `out` from `length` on and returns the new length, which is more than `NAME_BYTES_MAX` where
the name has become too long.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner
from tallystick.model.name import NAME_BYTES_MAX

_COLON, _COMMA, _SEMICOLON, _EQUALS, _UNDERSCORE = 0x3A, 0x2C, 0x3B, 0x3D, 0x5F
_DROP, _WHITE = 256, 257  # no byte is one of these


def _classes() -> NDArray[np.int16]:
    """What becomes of each byte of a key: itself, another byte, `_DROP`, or `_WHITE`: runs become an underscore."""
    table = np.full(256, _DROP, np.int16)
    for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.;=":
        table[byte] = byte
    table[list(b" \t\n\v\f\r")] = _WHITE
    table[ord("/")] = ord("-")
    return table


CLASS = _classes()
"""Bytes that this maps to themselves are clean."""


@inlined
def until(buffer: np.ndarray, i: int, stop: int, a: int, b: int) -> int:
    """Position of the first byte that is `a` or `b`, or `stop`."""
    while i < stop and buffer[i] != a and buffer[i] != b:
        i += 1
    return i


@scanner
def write_key(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int) -> int:
    """Append a key."""
    white = False
    for i in range(start, stop):
        byte = CLASS[buffer[i]]
        if byte == _WHITE:
            if white:
                continue
            byte = np.int16(_UNDERSCORE)
            white = True
        else:
            white = False
        if byte != _DROP:
            out[length] = byte
            length += 1
            if length > NAME_BYTES_MAX:
                break
    return length


@scanner
def write_tags(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int) -> int:
    """Append tags, which commas part, as ``;key=value``; returns -1 for a bad tag."""
    i = start
    while i < stop and length <= NAME_BYTES_MAX:
        end = until(buffer, i, stop, _COMMA, _COMMA)
        if end > i:
            out[length] = _SEMICOLON
            length += 1
            key = length
            equals = -1
            colon = False
            white = False
            for k in range(i, end):
                byte = CLASS[buffer[k]]
                if buffer[k] == _COLON and not colon:
                    colon = True
                    byte = np.int16(_EQUALS)
                elif byte == _SEMICOLON:
                    byte = np.int16(_UNDERSCORE)
                elif byte == _WHITE:
                    byte = np.int16(_DROP) if white else np.int16(_UNDERSCORE)
                white = CLASS[buffer[k]] == _WHITE
                if byte == _DROP:
                    continue
                if byte == _EQUALS and equals < 0:
                    equals = length
                out[length] = byte
                length += 1
                if length > NAME_BYTES_MAX:
                    return length
            if equals < 0:
                equals = length
                for byte in (0x3D, 0x74, 0x72, 0x75, 0x65):
                    out[length] = byte
                    length += 1
            if equals == key or equals == length - 1:
                return -1
        i = end + 1
    return length


@scanner
def write_bytes(text: np.ndarray, out: np.ndarray, length: int) -> int:
    """Append a few bytes as they are."""
    if length <= NAME_BYTES_MAX:
        for byte in text:
            out[length] = byte
            length += 1
    return length


@scanner
def write_tag(key: np.ndarray, buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int) -> int:
    """Append ``key`` (``;host=``) and a value, cleaned as that of any tag; nothing where nothing is left of that."""
    if length > NAME_BYTES_MAX:
        return length
    begin = write_bytes(key, out, length)
    end = write_key(buffer, start, stop, out, begin)
    for i in range(begin, end):
        if out[i] == _SEMICOLON:
            out[i] = _UNDERSCORE
    return length if end == begin else end
