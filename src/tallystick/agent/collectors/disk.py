"""What block devices do, per second: ``disk.sda.read_bytes``, ``written_bytes``, ``reads``, ``writes``.

``busy_percent`` is the share of the time in which something was under way, ``read_ms`` and ``write_ms`` what one took
with its wait, on average; ``in_flight`` is how many are under way now.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.model.point import Point
from tallystick.native.names import component

_NOT_DISKS = re.compile(r"(loop|ram|zram|sr|fd)\d+")
_SECTOR_BYTES = 512
"""The unit of the kernel's counts, whatever the device's own sectors are."""


METRICS = (
    Told("<disk>.read_bytes", "bytes/s", "Bytes read"),
    Told("<disk>.written_bytes", "bytes/s", "Bytes written"),
    Told("<disk>.reads", "operations/s", "Reads that were done"),
    Told("<disk>.writes", "operations/s", "Writes that were done"),
    Told("<disk>.busy_percent", "percent", "Time in which something was under way"),
    Told("<disk>.read_ms", "ms", "What a read took with its wait, on average"),
    Told("<disk>.write_ms", "ms", "What a write took with its wait, on average"),
    Told("<disk>.in_flight", "operations", "Reads and writes that are under way now"),
)


@collector("disk")
class Disk(HostCollector):
    """Whole devices; their partitions, loop devices and memory disks are left out."""

    TELLS = METRICS

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        counters, in_flight = {}, {}
        for line in self.host.text("/proc/diskstats").splitlines():
            _, _, device, *told = line.split()
            if len(told) < 11 or not self._is_disk(device):
                continue
            reads, _, read, read_ms, writes, _, written, write_ms, flying, busy_ms, *_ = map(float, told)
            in_flight[device] = flying
            counters[device] = {
                "read_bytes": read * _SECTOR_BYTES,
                "written_bytes": written * _SECTOR_BYTES,
                "reads": reads,
                "writes": writes,
                "read_ms": read_ms,
                "write_ms": write_ms,
                "busy_ms": busy_ms,
            }
        for device, rates in self._rates.since_last(counters, monotonic_s).items():
            name = component(device)
            busy_ms, read_ms, write_ms = rates.pop("busy_ms"), rates.pop("read_ms"), rates.pop("write_ms")
            for what, value in rates.items():
                yield Point(f"{name}.{what}", value)
            # The kernel counts in whole jiffies, so that a busy second can be a little more than a second.
            yield Point(f"{name}.busy_percent", min(100.0, round(busy_ms / 10, 3)))
            for what, spent_ms, done in (("read_ms", read_ms, rates["reads"]), ("write_ms", write_ms, rates["writes"])):
                if done:
                    yield Point(f"{name}.{what}", round(spent_ms / done, 3))
            yield Point(f"{name}.in_flight", in_flight[device])

    def _is_disk(self, device: str) -> bool:
        # The kernel lists whole devices here, and partitions below them.
        listed = self.host.path(f"/sys/block/{device.replace('/', '!')}")
        return not _NOT_DISKS.fullmatch(device) and Path(listed).exists()
