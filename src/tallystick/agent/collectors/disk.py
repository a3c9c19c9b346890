"""What block devices do, per second: ``disk.sda.read_bytes``, ``reads``, ``busy_percent`` ..."""

import re
from collections.abc import Iterator
from pathlib import Path

import psutil

from tallystick.agent.collector import HostCollector, NoSettings
from tallystick.agent.host import Host
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.agent.registry import collector
from tallystick.native.names import component

_NOT_DISKS = re.compile(r"(loop|ram|zram|sr|fd)\d+")


@collector("disk")
class Disk(HostCollector):
    """Whole devices; their partitions, loop devices and memory disks are left out."""

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()
        self._block_devices = Path(host.path("/sys/block"))  # whole devices; partitions are below them

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        counters = {
            device: {
                "read_bytes": float(io.read_bytes),
                "written_bytes": float(io.write_bytes),
                "reads": float(io.read_count),
                "writes": float(io.write_count),
                "busy_ms": float(io.busy_time),
            }
            for device, io in (psutil.disk_io_counters(perdisk=True, nowrap=False) or {}).items()
            if self._is_disk(device)
        }
        for device, rates in self._rates.since_last(counters, monotonic_s).items():
            busy_ms = rates.pop("busy_ms")
            for name, value in rates.items():
                yield Point(f"{component(device)}.{name}", value)
            # The kernel counts in whole jiffies, so that a busy second can be a little more than a second.
            yield Point(f"{component(device)}.busy_percent", min(100.0, round(busy_ms / 10, 3)))

    def _is_disk(self, device: str) -> bool:
        return not _NOT_DISKS.fullmatch(device) and (self._block_devices / device.replace("/", "!")).exists()
