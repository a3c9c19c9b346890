"""Processes that run or wait, averaged: ``load.1m``, ``load.5m``, ``load.15m``."""

from collections.abc import Iterator

from tallystick.agent.collector import HostCollector
from tallystick.agent.point import Point
from tallystick.agent.registry import collector


@collector("load")
class Load(HostCollector):
    """The kernel's own averages."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        for span, value in zip(("1m", "5m", "15m"), self.host.text("/proc/loadavg").split(), strict=False):
            yield Point(span, float(value))
