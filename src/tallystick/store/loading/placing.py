"""Where imported slots are kept: by their step and their age, at one of the resolutions of their series."""

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention

TOO_OLD = -1
"""Place of what no resolution keeps any more."""


def places(retention: Retention, step_s: int, age_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """For slots of `step_s` that ended `age_s` ago, the index of the resolution that they are kept at.

    That is the first one that still keeps what is so old and whose slots hold whole ones of `step_s`. Where none is,
    a slot counts as a sample at its beginning, in the first resolution that is not finer, else in the coarsest.

    Returns
    -------
    int64[n]
        `TOO_OLD` where nothing is kept that long.
    """
    resolutions = retention.resolutions
    oldest = np.searchsorted([r.keep_s for r in resolutions], age_s, side="left")
    place_from = [_place(retention, step_s, k) for k in range(len(resolutions))]
    return np.array([*place_from, TOO_OLD], np.int64)[oldest]


def _place(retention: Retention, step_s: int, first: int) -> int:
    """The place among the resolutions from number `first` on."""
    steps = [r.step_s for r in retention.resolutions]
    fitting = [k for k in range(first, len(steps)) if steps[k] % step_s == 0]
    coarser = [k for k in range(first, len(steps)) if steps[k] >= step_s]
    return (fitting or coarser or [len(steps) - 1])[0]
