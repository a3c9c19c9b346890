"""Whether bytes of a stranger are a sketch: everything that the library takes for granted when it reads one.

The library follows counts and table sizes that it finds in the bytes, past the end of its memory if they lie. So all
must fit together before it sees them. Only what `tallystick.fold.sketch` makes is let through: 2**12 registers of four
bits, compact.

Notes
-----
Layout: ``PreambleUtil`` of Apache DataSketches (https://datasketches.apache.org/docs/HLL/HLL.html), little-endian.
Byte 0 is the length of the preamble in 4 bytes, then version, family, lg of the registers, lg of a table, flags, the
length of a list or the smallest register, and the mode. A *coupon* is 26 bits of address and 6 bits of value.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.sketch import LG_REGISTERS

_VERSION, _FAMILY = 1, 7
_EMPTY, _COMPACT, _OUT_OF_ORDER = 4, 8, 16
_LIST, _SET, _REGISTERS = 0, 1, 2
_PREAMBLE_INTS = {_LIST: 2, _SET: 3, _REGISTERS: 10}
_LIST_MAX = 8
_LG_SET_MIN, _LG_SET_MAX = 5, LG_REGISTERS - 3
_ADDRESS_BITS = 26
_VALUE_MAX = 63
_EXCEPTION = 15  # a register that is too large for four bits stands in a table behind them
_HEADER_BYTES = 40
_N_REGISTERS = 1 << LG_REGISTERS
_ESTIMATE_MAX = 1e18


def is_sketch(data: bytes) -> bool:
    """Whether the library can read these bytes, and merge what it finds."""
    if len(data) < 8:
        return False
    preamble, version, family, lg_registers, lg_table, flags, extent, mode = data[:8]
    if (version, family, lg_registers) != (_VERSION, _FAMILY, LG_REGISTERS) or preamble != _PREAMBLE_INTS.get(mode):
        return False
    if flags & ~(_EMPTY | _OUT_OF_ORDER) != _COMPACT or bool(flags & _EMPTY) != (mode == _LIST and extent == 0):
        return False
    if mode == _LIST:
        return extent < _LIST_MAX and lg_table == 3 and _are_coupons(data[8:], extent)
    if len(data) < 12:
        return False
    if mode == _SET:
        count = int.from_bytes(data[8:12], "little")
        fits = _LG_SET_MIN <= lg_table <= _LG_SET_MAX and 0 < 4 * count <= 3 << lg_table
        return fits and _are_coupons(data[12:], count)
    return _are_registers(data, extent, lg_table)


def _are_coupons(data: bytes, count: int) -> bool:
    if len(data) != 4 * count:
        return False
    coupons = np.frombuffer(data, "<u4")
    return bool((coupons >> _ADDRESS_BITS > 0).all()) and len(np.unique(coupons)) == count


def _are_registers(data: bytes, smallest: int, lg_table: int) -> bool:
    end = _HEADER_BYTES + _N_REGISTERS // 2
    if len(data) < end:
        return False
    estimate, *powers, n_smallest, n_exceptions = struct.unpack_from("<3d2i", data, 8)
    nibbles = np.frombuffer(data, np.uint8, _N_REGISTERS // 2, _HEADER_BYTES)
    above = np.stack([nibbles & 15, nibbles >> 4], axis=1).ravel()
    if len(data) != end + 4 * n_exceptions or not 0 < n_smallest == int((above == 0).sum()):
        return False
    value = above.astype(np.int64) + smallest
    if not _put_exceptions(value, above, np.frombuffer(data, "<u4", offset=end), lg_table):
        return False
    # Estimates are made of the sum of 2**-register, and of one that was kept up while members came.
    total = float(np.ldexp(1.0, -value).sum())
    return bool(value.max() <= _VALUE_MAX and 0.0 <= estimate <= _ESTIMATE_MAX) and (
        min(powers) >= 0.0 and abs(sum(powers) - total) <= 1e-6 * total
    )


def _put_exceptions(
    value: NDArray[np.int64], above: NDArray[np.uint8], coupons: NDArray[np.uint32], lg_table: int
) -> bool:
    """Put the large registers where they belong; False if they are not those, each once, that have to be there."""
    at = (coupons & (_N_REGISTERS - 1)).astype(np.int64)
    if not np.array_equal(np.sort(at), np.flatnonzero(above == _EXCEPTION)):
        return False
    if len(coupons) and not (lg_table <= LG_REGISTERS and 4 * len(coupons) <= 3 << lg_table):
        return False
    large = (coupons >> _ADDRESS_BITS).astype(np.int64)
    enough = bool((large >= value[at]).all())
    value[at] = large
    return enough
