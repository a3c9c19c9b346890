"""For counting series: by the beginnings of their names and by who sends them; and by what a name is known again."""

import numpy as np

from tallystick.kernels.beginnings import beginning_end
from tallystick.kernels.compile import scanner
from tallystick.kernels.hashing import hash_bytes

_KEY_0, _KEY_1 = np.uint64(0xA0761D6478BD642F), np.uint64(0xD1B54A32D192ED03)


@scanner
def prefix_ends(arena: np.ndarray, offsets: np.ndarray, depth: int, host_depth: int, out: np.ndarray) -> None:
    """Write where the first `depth` components of each name end, its last one and its tags never with them.

    Parameters
    ----------
    arena : uint8[bytes], offsets : int64[n + 1]
        Names, back to back.
    host_depth
        See `beginning_end`.
    out : int64[n]
        Positions in the arena; a name that is one component begins with that.
    """
    for k in range(len(out)):
        out[k] = beginning_end(arena, offsets[k], offsets[k + 1], depth, host_depth)


@scanner
def fingerprints(arena: np.ndarray, offsets: np.ndarray, out: np.ndarray) -> None:
    """Write a number for each name by which another one is told from it, nearly always: uint32[n].

    It is the same in each run, so that it can be kept in a file; it protects from nobody.
    """
    for k in range(len(out)):
        hashed = hash_bytes(arena, offsets[k], offsets[k + 1] - offsets[k], _KEY_0, _KEY_1)
        out[k] = hashed >> np.uint64(32)


@scanner
def first_unknown(ids: np.ndarray, known: np.ndarray) -> int:
    """The first row whose series is beyond `known` or 0 there; the number of rows where there is none.

    Parameters
    ----------
    ids : int32[n]
        Series.
    known : int[m]
    """
    for row in range(len(ids)):
        if ids[row] >= len(known) or known[ids[row]] == 0:
            return row
    return len(ids)
