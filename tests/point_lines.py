"""Points as lines, for tests that compare what a collector tells with a file."""

from collections.abc import Iterable

from tallystick.agent.delivery.repeats import number
from tallystick.model.point import Point


def lines(points: Iterable[Point], timestamp_s: int) -> bytes:
    """``name value timestamp`` for each point, with its newline."""
    return "".join(f"{point.name} {number(point.value)} {timestamp_s}\n" for point in points).encode()
