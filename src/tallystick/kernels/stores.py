"""Eight bytes at a time into an array: what is written may reach seven bytes behind what was meant."""

import ctypes
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, load_u64


@intrinsic
def _store_u64_compiled(typingctx: Any, address: Any, word: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        builder.store(args[1], pointer, align=1)
        return context.get_dummy_value()

    return types.void(types.intp, types.uint64), codegen


def _store_u64_plain(address: int, word: int) -> None:
    ctypes.memmove(int(address), int(word).to_bytes(8, "little"), 8)


_store_u64 = _store_u64_plain if numba.config.DISABLE_JIT else _store_u64_compiled

_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_BLANKS_UP_TO = np.uint64(0x2121212121212121)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_SEMICOLON, _EQUALS, _EXCLAMATION, _CARET, _BACKSLASH = 0x3B, 0x3D, 0x21, 0x5E, 0x5C


@inlined
def store_u64(array: NDArray[np.uint8], position: int, word: int) -> None:
    """Write a word, little-endian; the caller keeps `position` + 8 within the array."""
    _store_u64(array.ctypes.data + position, word)


@inlined
def copy_words(source: np.ndarray, start: int, stop: int, out: NDArray[np.uint8], at: int) -> int:
    """Copy ``source[start:stop]`` to `at`; returns the position behind.

    Both arrays have seven bytes more than that: those of `out` are overwritten.
    """
    end = at + stop - start
    while start < stop:
        store_u64(out, at, load_u64(source, start))
        start += 8
        at += 8
    return end


@inlined
def _marks(word: int, byte: int) -> int:
    """A word whose highest bits are set, within bytes, where `word` has the byte; they may be set above it as well."""
    different = word ^ (_ONES * np.uint64(byte))
    return (different - _ONES) & ~different


@inlined
def _fits(word: int, key: bool, escaped: bool) -> bool:
    """Whether each of eight bytes can be in a name as it is, and stands for itself in quotes; without branches."""
    unfit = (word - _BLANKS_UP_TO) | (word + _ONES) | word | _marks(word, _SEMICOLON)
    if key:
        unfit |= _marks(word, _EQUALS) | _marks(word, _EXCLAMATION) | _marks(word, _CARET)
    if escaped:
        unfit |= _marks(word, _BACKSLASH)
    return unfit & _HIGH == np.uint64(0)


@inlined
def copy_fitting(
    source: np.ndarray, start: int, stop: int, out: NDArray[np.uint8], at: int, key: bool, escaped: bool
) -> int:
    """Copy ``source[start:stop]`` to `at` up to the first word with a byte that may not be in a name as it is.

    Parameters
    ----------
    key
        Whether it is the key of a tag, which can hold less.
    escaped
        Whether a backslash does not stand for itself.

    Returns
    -------
    int
        How many bytes were copied. Both arrays have room as for `copy_words`.
    """
    i = start
    while i < stop:
        size = min(stop - i, 8)
        word = load_u64(source, i)
        inside = _ALL >> np.uint64(64 - 8 * size)
        if not _fits((word & inside) | (_HIGH >> np.uint64(1) & ~inside), key, escaped):
            break
        store_u64(out, at, word)
        i += size
        at += size
    return i - start
