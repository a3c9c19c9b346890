"""Eight bytes at a time: searches in a machine word, and the integer instructions that Numba has no name for.

What reads words may read up to seven bytes behind the last byte it was asked about: arrays need `PADDING`.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tallystick.kernels.compile import inlined, load_u64

PADDING = 16
"""Bytes that must exist (and may hold anything) behind the used part of a buffer that a kernel reads."""

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_BLANKS_UP_TO = np.uint64(0x2121212121212121)
_NEWLINES = np.uint64(0x0A0A0A0A0A0A0A0A)


@intrinsic
def _trailing_zeros_compiled(typingctx: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic
def _leading_zeros_compiled(typingctx: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


@intrinsic
def _multiply_high_compiled(typingctx: Any, a: Any, b: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


def _trailing_zeros_plain(word: int) -> Any:
    return np.int64((int(word) & -int(word)).bit_length() - 1 if word else 64)


def _leading_zeros_plain(word: int) -> Any:
    return np.int64(64 - int(word).bit_length())


def _multiply_high_plain(a: int, b: int) -> Any:
    return np.uint64(int(a) * int(b) >> 64)


# With NUMBA_DISABLE_JIT kernels are plain Python, where intrinsics cannot be called.
trailing_zeros = _trailing_zeros_plain if numba.config.DISABLE_JIT else _trailing_zeros_compiled
"""Number of zero bits below the lowest one of a uint64; 64 for zero."""
leading_zeros = _leading_zeros_plain if numba.config.DISABLE_JIT else _leading_zeros_compiled
"""Number of zero bits above the highest one of a uint64; 64 for zero."""
multiply_high = _multiply_high_plain if numba.config.DISABLE_JIT else _multiply_high_compiled
"""The upper 64 bits of the 128-bit product of two uint64."""


@inlined
def find_newline(buffer: np.ndarray, position: int) -> int:
    """Position of the first ``\\n`` at or after `position`; the caller knows that there is one."""
    while True:
        word = load_u64(buffer, position) ^ _NEWLINES
        # The lowest byte marked is truly zero; borrows can only mark bytes above it.
        marks = (word - _ONES) & ~word & _HIGH
        if marks:
            return position + (trailing_zeros(marks) >> 3)
        position += 8


@inlined
def find_unplain(buffer: np.ndarray, position: int) -> int:
    """Position of the first byte that is not printable ASCII (0x21 to 0x7e); the caller knows that there is one."""
    while True:
        word = load_u64(buffer, position)
        marks = ((word - _BLANKS_UP_TO) | (word + _ONES) | word) & _HIGH
        if marks:
            return position + (trailing_zeros(marks) >> 3)
        position += 8


@inlined
def find_unplain_before(buffer: np.ndarray, position: int, stop: int) -> int:
    """Like `find_unplain`, where there may be none before `stop`: then `stop`."""
    while position < stop:
        word = load_u64(buffer, position)
        marks = ((word - _BLANKS_UP_TO) | (word + _ONES) | word) & _HIGH
        if marks:
            return min(position + (trailing_zeros(marks) >> 3), stop)
        position += 8
    return stop


@inlined
def same_bytes(a: np.ndarray, a_start: int, b: np.ndarray, b_start: int, length: int) -> bool:
    """Whether `length` bytes of `a` and `b` are equal."""
    done = 0
    while done + 8 <= length:
        if load_u64(a, a_start + done) != load_u64(b, b_start + done):
            return False
        done += 8
    rest = length - done
    if rest == 0:
        return True
    different = load_u64(a, a_start + done) ^ load_u64(b, b_start + done)
    return (different << np.uint64(64 - 8 * rest)) == np.uint64(0)


@inlined
def utf8_valid(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether the bytes are UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF (RFC 3629)."""
    i = start
    while i < stop:
        lead = np.int64(buffer[i])
        i += 1
        if lead < 0x80:
            continue
        lower, upper = 0x80, 0xBF
        if 0xC2 <= lead <= 0xDF:
            following = 1
        elif 0xE0 <= lead <= 0xEF:
            following = 2
            if lead == 0xE0:
                lower = 0xA0
            elif lead == 0xED:
                upper = 0x9F
        elif 0xF0 <= lead <= 0xF4:
            following = 3
            if lead == 0xF0:
                lower = 0x90
            elif lead == 0xF4:
                upper = 0x8F
        else:
            return False
        if i + following > stop:
            return False
        for _ in range(following):
            if not lower <= np.int64(buffer[i]) <= upper:
                return False
            lower, upper = 0x80, 0xBF
            i += 1
    return True
