"""What history must be to be taken: slots of a length that is somebody's, statistics that samples can have had.

Files and requests say what they like, and what is in a block is believed: reading and merging look at none of this
again.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.usable import usable_statistics
from tallystick.store.history import History

STEP_S_MAX = 366 * 86_400
"""Slots longer than a year are nobody's measurement."""


def usable_rows(history: History) -> NDArray[np.bool_]:
    """Which rows of a history a store can take as they are; bool[n]. See `tallystick.fold.usable`."""
    tally = history.tally
    if tally.step_s > STEP_S_MAX or not len(tally):
        return np.zeros(len(tally), np.bool_)
    return usable_statistics(tally, np.array(history.kinds, np.uint8)[tally.series])
