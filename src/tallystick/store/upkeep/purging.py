"""Purging: a block much of which is of series that are no more is written anew without them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.upkeep.compaction import Job

_DEAD_SHARE_MAX = 0.25


def plan(blocks: Sequence[OpenBlock], living: NDArray[np.bool_]) -> list[Job]:
    """The blocks to write anew, each by itself.

    Parameters
    ----------
    living : bool[ids]
        Whether there is a series of each id.
    """
    if living.all():
        return []
    return [
        Job((block.entry,), Retention.parse(block.entry.retention), block.entry.step_s)
        for block in blocks
        if np.count_nonzero(~living[block.block.series]) > _DEAD_SHARE_MAX * len(block.block.series)
    ]
