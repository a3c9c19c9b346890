"""Reading Avro's binary encoding: zigzag numbers, doubles, blocks of arrays.

Whoever reads knows where the message ends and asks for nothing behind it. A position of `BAD` says that what was to be
read is not there, or no such thing; it stays `BAD` whatever is read next.

Notes
-----
https://avro.apache.org/docs/1.11.1/specification/#binary-encoding
"""

import numpy as np

from tallystick.kernels.compile import inlined

BAD = -1
_SHIFT_MAX = 63


@inlined
def read_long(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """A number of up to 64 bits, and the position behind it."""
    value = np.uint64(0)
    shift = 0
    while 0 <= at < stop and shift <= _SHIFT_MAX:
        byte = np.uint64(buffer[at])
        at += 1
        value |= (byte & np.uint64(0x7F)) << np.uint64(shift)
        if byte < np.uint64(0x80):
            if shift == _SHIFT_MAX and byte > np.uint64(1):
                break  # more than 64 bits
            half = np.int64(value >> np.uint64(1))
            return (-half - 1 if value & np.uint64(1) else half), at
        shift += 7
    return 0, BAD


@inlined
def read_size(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """The length of a string or of bytes that follow and lie within the message, and where they begin."""
    size, at = read_long(buffer, at, stop)
    if at == BAD or size < 0 or size > stop - at:
        return 0, BAD
    return size, at


@inlined
def read_block(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int]:
    """How many items the next block of an array holds, and where they begin; 0 items end the array.

    The count is what the sender says: whoever reads the items sees where the message ends.
    """
    count, at = read_long(buffer, at, stop)
    if count < 0:  # then the size of the block in bytes follows, for those who pass it over
        if count < -0x7FFFFFFFFFFFFFFF:
            return 0, BAD
        count = -count
        _, at = read_long(buffer, at, stop)
    return count, at
