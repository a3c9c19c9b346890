"""Purging: a block much of which is of series that are no more is written anew without them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention
from tallystick.store.blocks import OpenBlock
from tallystick.store.compaction import Job

_DEAD_SHARE_MAX = 0.25


def plan(blocks: Sequence[OpenBlock], living: NDArray[np.bool_]) -> Job | None:
    """The next block to write anew, if there is one.

    Parameters
    ----------
    living : bool[ids]
        Whether there is a series of each id.
    """
    if living.all():
        return None
    for block in blocks:
        dead = int(np.count_nonzero(~living[block.block.series]))
        if dead > _DEAD_SHARE_MAX * len(block.block.series):
            return Job((block.entry,), Retention.parse(block.entry.retention), block.entry.step_s)
    return None
