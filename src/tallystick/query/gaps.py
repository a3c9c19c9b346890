"""Where the known values around each slot are."""

import numpy as np
from numpy.typing import NDArray

from tallystick.query.reduce import Values


def neighbours(values: Values) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each slot the last known one at or before it (-1 if none) and the first at or after it (m if none)."""
    slots = values.shape[1]
    known = ~np.isnan(values)
    index = np.arange(slots)
    before = np.maximum.accumulate(np.where(known, index, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, index, slots)[:, ::-1], axis=1)[:, ::-1]
    return before, after


def last_before(values: Values) -> NDArray[np.int64]:
    """For each slot the last known one before it, -1 if none; int64[n, m]."""
    before, _ = neighbours(values)
    return np.concatenate([np.full((len(values), 1), -1), before[:, :-1]], axis=1)
