"""Many names as a list of texts: cut apart by Python itself, which is several times as fast as slicing each."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import scanner
from tallystick.kernels.packed import pieces

_BETWEEN = "\0"


@scanner
def _part(arena: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """The pieces ``arena[begin[i]:end[i]]``, a zero between them, from the begin of `out` on, which is zero."""
    at = 0
    for i in range(len(begin)):
        for k in range(begin[i], end[i]):
            out[at] = arena[k]
            at += 1
        at += 1


def texts_of(arena: NDArray[np.uint8], begin: NDArray[np.int64], end: NDArray[np.int64]) -> list[str]:
    """The texts ``arena[begin[i]:end[i]]``, which are UTF-8."""
    if not len(begin):
        return []
    parted = np.zeros(int((end - begin).sum()) + len(begin) - 1, np.uint8)
    _part(arena, begin, end, parted)
    found = parted.tobytes().decode().split(_BETWEEN)
    # A text that holds what is put between them would be two.
    return found if len(found) == len(begin) else pieces(arena, begin, end).texts()
