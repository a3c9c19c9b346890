"""The one way to compile a kernel, and where compiled code is kept.

Numba's cache knows that a kernel changed by the date of the kernel's own file; it does not see a change in a helper
of another file that was inlined into it. So the cache is a folder named by a digest of all that goes into kernels.
"""

import ctypes
import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_PACKAGE = Path(__file__).parent.parent


def _digest() -> str:
    digest = hashlib.blake2b(f"{numba.__version__} {platform.python_version()}".encode(), digest_size=8)
    for folder in ("kernels", "model"):
        for source in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()


CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tallystick" / f"kernels-{_digest()}"
"""Where compiled kernels are kept, unless ``NUMBA_CACHE_DIR`` says otherwise."""

if not numba.config.CACHE_DIR:
    numba.config.CACHE_DIR = str(CACHE)

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on first use, without the GIL, cached on disk; type checkers see its Python signature."""
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True, error_model="numpy", boundscheck=None)(function))


def scanner(function: Callable[P, R]) -> Callable[P, R]:
    """Like `kernel`, for loops over bytes that allocate no array; to allocate one is a compile error.

    Without Numba's runtime there are no reference counts. Their atomic additions, at each use of an array by a helper,
    took three quarters of the carbon parser's time (200 ns a line, now 50) and nine tenths of its compilation.
    """
    options = {"cache": True, "nogil": True, "error_model": "numpy", "boundscheck": None, "_nrt": False}
    return cast(Callable[P, R], numba.njit(**options)(function))


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
    return np.uint64(int.from_bytes(ctypes.string_at(address, 8), "little"))


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
