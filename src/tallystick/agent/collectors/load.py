"""Processes that run or wait, averaged: ``load.1m``, ``load.5m``, ``load.15m``."""

from collections.abc import Iterator

import psutil

from tallystick.agent.point import Point
from tallystick.agent.registry import collector


@collector("load")
class Load:
    """The kernel's own averages."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        for span, value in zip(("1m", "5m", "15m"), psutil.getloadavg(), strict=True):
            yield Point(f"load.{span}", round(value, 2))
