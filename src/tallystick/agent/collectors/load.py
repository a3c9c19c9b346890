"""Processes that run or wait, averaged: ``load.1m``, ``load.5m``, ``load.15m``."""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.model.point import Point

METRICS = tuple(
    Told(span, "processes", f"Processes that run, or wait for a processor or a disk, averaged over {said}")
    for span, said in (("1m", "a minute"), ("5m", "5 minutes"), ("15m", "15 minutes"))
)


@collector("load")
class Load(HostCollector):
    """The kernel's own averages."""

    TELLS = METRICS

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        for span, value in zip(("1m", "5m", "15m"), self.host.text("/proc/loadavg").split(), strict=False):
            yield Point(span, float(value))
