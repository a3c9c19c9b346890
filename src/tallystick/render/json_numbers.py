"""Values as JSON's encoder takes them."""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

# JSON has no infinity; Graphite's readers take a number that overflows to it.
_INFINITE = {True: msgspec.Raw(b"1e9999"), False: msgspec.Raw(b"-1e9999")}


def shown(values: NDArray[np.float64]) -> list[Any]:
    """The values of a series: the encoder writes NaN as null, and infinite ones must be told to it."""
    listed: list[Any] = values.tolist()
    for i in np.flatnonzero(np.isinf(values)).tolist():
        listed[i] = _INFINITE[bool(values[i] > 0)]
    return listed
