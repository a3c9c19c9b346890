"""Seconds since the host was started: ``uptime.seconds``. Where it falls, it was started anew."""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.model.point import Point

METRICS = (Told("seconds", "seconds", "Since the host was started"),)


@collector("uptime")
class Uptime(HostCollector):
    """The kernel's own count."""

    TELLS = METRICS

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        yield Point("seconds", float(self.host.text("/proc/uptime").split()[0]))
