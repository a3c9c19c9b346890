"""Taking points that this process makes itself: the built-in host collectors and the ledger's own counts."""

from collections.abc import Iterable

import numpy as np

from tallystick.ledger import Account
from tallystick.model.point import Point
from tallystick.model.sample import SampleBatch
from tallystick.receive.intake import Intake


def take_points(intake: Intake, points: Iterable[Point], timestamp_s: int, account: Account) -> None:
    """Have points of one moment stored, by the same way as everything that is received."""
    points = list(points)
    if not points:
        return
    batch = SampleBatch(
        np.arange(len(points), dtype=np.int32),
        np.full(len(points), timestamp_s * 1000, np.int64),
        np.array([point.value for point in points], np.float64),
        np.ones(len(points)),
        np.array([point.kind for point in points], np.uint8),
    )
    intake.take([point.name.encode() for point in points], batch, account, own=True)
