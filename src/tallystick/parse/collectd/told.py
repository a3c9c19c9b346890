"""What is told of rejects, between the kernels and who shows it."""

import numpy as np

from tallystick.kernels.collectd_values import TOLD_BYTES, Told
from tallystick.parse.contract import REJECTS_NOTED_MAX


def told_room() -> Told:
    """Room for what is told of all that are noted."""
    return Told(np.zeros((REJECTS_NOTED_MAX, TOLD_BYTES), np.uint8), np.zeros(REJECTS_NOTED_MAX, np.int32))


def texts_of(told: Told, count: int) -> tuple[bytes, ...]:
    """What is told of the first `count`."""
    return tuple(told.text[k, :size].tobytes() for k, size in enumerate(told.size[:count].tolist()))
