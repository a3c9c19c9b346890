"""Carbon's lines of samples: ``name value time``, written for some rows of a batch without the GIL.

A value is written in as few digits as come to mind that read back as the same number: whole numbers as they are,
decimals of up to fifteen digits as such, and what needs more by libc's ``gcvt`` with seventeen, which suffice always.
"""

import ctypes
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core import types
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel

VALUE_BYTES = 32
"""More than any number takes, with the zero that ``gcvt`` writes behind it."""
TIME_BYTES = 20
_DIGITS = 17
_WHOLE_MAX = 9007199254740992.0  # 2**53: up to here all whole numbers are floats
_DECIMALS_MAX = 15
_TENS = np.array([10.0**i for i in range(_DECIMALS_MAX + 1)])
_SPACE, _NEWLINE, _MINUS, _DOT, _ZERO = 0x20, 0x0A, 0x2D, 0x2E, 0x30


def _gcvt_plain(value: float, digits: int, address: int) -> int:
    text = f"{value:.{digits}g}".encode() + b"\0"
    ctypes.memmove(address, text, len(text))
    return address


_gcvt_compiled: Any = types.ExternalFunction("gcvt", types.uintp(types.float64, types.int32, types.uintp))
# With NUMBA_DISABLE_JIT kernels are plain Python, where symbols of libc cannot be called.
_gcvt = _gcvt_plain if numba.config.DISABLE_JIT else _gcvt_compiled


@inlined
def _write_whole(out: np.ndarray, at: int, number: int, digits_min: int) -> int:
    """Write a number that is not negative, with zeros before it up to so many digits; returns the end."""
    digits, rest = 1, number // 10
    while rest > 0:
        digits += 1
        rest //= 10
    digits = max(digits, digits_min)
    for k in range(digits):
        out[at + digits - 1 - k] = _ZERO + number % 10
        number //= 10
    return at + digits


@inlined
def _write_value(out: np.ndarray, at: int, value: float) -> int:
    size = abs(value)
    if size < _WHOLE_MAX:
        for decimals in range(_DECIMALS_MAX + 1):
            scaled = size * _TENS[decimals]
            whole = np.int64(scaled + 0.5) if scaled < _WHOLE_MAX else np.int64(-1)
            if whole < 0:
                break
            if np.float64(whole) / _TENS[decimals] == size:  # one exact division, rounded once
                if value < 0:
                    out[at] = _MINUS
                    at += 1
                unit = np.int64(_TENS[decimals])
                at = _write_whole(out, at, whole // unit, 1)
                if decimals:
                    out[at] = _DOT
                    at = _write_whole(out, at + 1, whole % unit, decimals)
                return at
    _gcvt(value, np.int32(_DIGITS), np.uintp(out.ctypes.data + at))
    while out[at] != 0:
        at += 1
    return at


class Lines(NamedTuple):
    """What lines are made of.

    Parameters
    ----------
    ids : int32[n]
        Entries of a table of names.
    begins : uint8[entries]
        Behind how many bytes of an entry its name begins.
    arena, offsets
        The table's, see `tallystick.kernels.names.NameArrays`.
    timestamp : int64[n]
        Milliseconds since the epoch.
    value : float64[n]
    """

    ids: NDArray[np.int32]
    begins: NDArray[np.uint8]
    arena: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    timestamp: NDArray[np.int64]
    value: NDArray[np.float64]


@kernel
def _write_lines(lines: Lines, members_of: np.ndarray, member: int, out: np.ndarray) -> tuple[int, int]:
    at = count = 0
    bit = np.uint64(1) << np.uint64(member)
    offsets = lines.offsets
    for row in range(len(lines.ids)):
        entry = lines.ids[row]
        if members_of[entry] & bit == np.uint64(0):
            continue
        for i in range(offsets[entry] + lines.begins[entry], offsets[entry + 1]):
            out[at] = lines.arena[i]
            at += 1
        out[at] = _SPACE
        at = _write_value(out, at + 1, lines.value[row])
        out[at] = _SPACE
        at += 1
        seconds = lines.timestamp[row] // 1000
        if seconds < 0:
            out[at] = _MINUS
            at += 1
        at = _write_whole(out, at, abs(seconds), 1)
        out[at] = _NEWLINE
        at += 1
        count += 1
    return at, count


@kernel
def _measure(ids: np.ndarray, members_of: np.ndarray, offsets: np.ndarray, rows: np.ndarray, sizes: np.ndarray) -> None:
    for row in range(len(ids)):
        entry = ids[row]
        members = members_of[entry]
        member = 0
        while members != np.uint64(0):
            if members & np.uint64(1) != np.uint64(0):
                rows[member] += 1
                sizes[member] += offsets[entry + 1] - offsets[entry]
            members >>= np.uint64(1)
            member += 1


def measured(
    ids: NDArray[np.int32], members_of: NDArray[np.uint64], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many rows each of 64 members has, and the bytes of their names: int64[64] each.

    Parameters
    ----------
    ids : int32[n]
        Entries of a table of names.
    members_of : uint64[entries]
        A bit for each member that a name goes to.
    """
    rows, sizes = np.zeros(64, np.int64), np.zeros(64, np.int64)
    _measure(ids, members_of, offsets, rows, sizes)
    return rows, sizes


def written(lines: Lines, members_of: NDArray[np.uint64], member: int, size_bytes: int) -> tuple[bytes, int]:
    """The lines of the rows of a member, and how many they are.

    Parameters
    ----------
    members_of : uint64[entries]
        See `measured`.
    size_bytes
        What the lines take at most.
    """
    out = np.empty(size_bytes, np.uint8)
    end, count = _write_lines(lines, members_of, member, out)
    return out[:end].tobytes(), count
