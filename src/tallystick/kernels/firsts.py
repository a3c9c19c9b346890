"""Where numbers stand first in a column, in their order there: without sorting."""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import kernel


@kernel
def _find_firsts(
    numbers: NDArray[np.int32], wanted: NDArray[np.bool_], seen: NDArray[np.bool_], out: NDArray[np.intp]
) -> int:
    found = 0
    for place in range(len(numbers)):
        if wanted[place] and not seen[numbers[place]]:
            seen[numbers[place]] = True
            out[found] = place
            found += 1
    return found


def first_places(numbers: NDArray[np.int32], wanted: NDArray[np.bool_], end: int) -> NDArray[np.intp]:
    """The first of the wanted places of each different number, ascending.

    Parameters
    ----------
    numbers : int32[n]
        From 0 up to below `end`.
    wanted : bool[n]
        Which places are looked at.
    """
    out = np.empty(len(numbers), np.intp)
    return out[: _find_firsts(numbers, wanted, np.zeros(end, np.bool_), out)]
