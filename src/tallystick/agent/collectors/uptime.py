"""Seconds since the host was started: ``uptime.seconds``. Where it falls, it was started anew."""

from collections.abc import Iterator

from tallystick.agent.collector import HostCollector
from tallystick.agent.point import Point
from tallystick.agent.registry import collector


@collector("uptime")
class Uptime(HostCollector):
    """The kernel's own count."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        yield Point("seconds", float(self.host.text("/proc/uptime").split()[0]))
