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
