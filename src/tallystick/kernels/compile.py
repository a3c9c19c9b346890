"""The one way to compile a kernel; `tallystick.kernels.cache` says where compiled code is kept."""

import ctypes
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from tallystick.kernels.cache import kept_by_digest

_KERNEL = {"cache": True, "nogil": True, "error_model": "numpy", "boundscheck": None}

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first use, without the GIL, cached on disk; type checkers see its Python signature."""
    return cast(Callable[P, R], kept_by_digest(numba.njit(**_KERNEL), function))


def scanner(function: Callable[P, R]) -> Callable[P, R]:
    """Like `kernel`, for loops over bytes that allocate no array; to allocate one is a compile error.

    Without Numba's runtime there are no reference counts. Their atomic additions, at each use of an array by a helper,
    took three quarters of the carbon parser's time (200 ns a line, now 50) and nine tenths of its compilation.
    """
    return cast(Callable[P, R], kept_by_digest(numba.njit(**_KERNEL, _nrt=False), function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Like `scanner`, for small helpers of kernels: always inlined by LLVM into their callers."""
    return cast(Callable[P, R], numba.njit(nogil=True, error_model="numpy", forceinline=True, _nrt=False)(function))


@intrinsic
def _load_u64_compiled(typingctx: Any, address: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = builder.inttoptr(args[0], ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(types.intp), codegen


@intrinsic
def _multiply_fold_compiled(typingctx: Any, a: Any, b: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))
        return builder.xor(builder.trunc(product, ir.IntType(64)), high)

    return types.uint64(types.uint64, types.uint64), codegen


def _load_u64_plain(address: int) -> Any:
    return np.uint64(int.from_bytes(ctypes.string_at(int(address), 8), "little"))


def _multiply_fold_plain(a: int, b: int) -> Any:
    product = int(a) * int(b)
    return np.uint64((product >> 64) ^ (product & 0xFFFFFFFFFFFFFFFF))


# With NUMBA_DISABLE_JIT kernels are plain Python, where intrinsics cannot be called.
_load_u64 = _load_u64_plain if numba.config.DISABLE_JIT else _load_u64_compiled
_multiply_fold = _multiply_fold_plain if numba.config.DISABLE_JIT else _multiply_fold_compiled


@inlined
def load_u64(array: np.ndarray, position: int) -> int:
    """Eight bytes of a uint8 array as a little-endian integer; the caller keeps `position` + 8 within the array."""
    return _load_u64(array.ctypes.data + position)


@inlined
def multiply_fold(a: int, b: int) -> int:
    """High half xor low half of the 128-bit product: one round of the wyhash and rapidhash family."""
    return _multiply_fold(a, b)
