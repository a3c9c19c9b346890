"""Memory in bytes: ``memory.total``, ``used``, ``available``, ``free``, ``cached``, ``buffers`` ...; ``used_percent``.

``used`` is what cannot be given to somebody else, ``shared`` what lies in memory filesystems, ``dirty`` what is still
to be written to disks, ``committed`` what programs were promised.
"""

from collections.abc import Iterator

from tallystick.agent.collector import HostCollector
from tallystick.agent.point import Point
from tallystick.agent.registry import collector
from tallystick.agent.tables import sizes

_PARTS = {
    "MemFree": "free",
    "Buffers": "buffers",
    "Shmem": "shared",
    "Slab": "slab",
    "Dirty": "dirty",
    "Writeback": "writeback",
    "Committed_AS": "committed",
    "PageTables": "page_tables",
}


@collector("memory")
class Memory(HostCollector):
    """As ``free(1)`` shows it."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        bytes_of = sizes(self.host.text("/proc/meminfo"))
        total = bytes_of["MemTotal"]
        # Kernels before 3.14 and some containers do not say what is available.
        available = min(total, bytes_of.get("MemAvailable", bytes_of["MemFree"] + bytes_of.get("Cached", 0)))
        yield Point("total", float(total))
        yield Point("available", float(available))
        yield Point("used", float(total - available))
        if total:
            yield Point("used_percent", round(100 * (total - available) / total, 3))
        # What the kernel keeps of files and could give back, as free(1) adds it up.
        yield Point("cached", float(bytes_of.get("Cached", 0) + bytes_of.get("SReclaimable", 0)))
        for name, part in _PARTS.items():
            if name in bytes_of:
                yield Point(part, float(bytes_of[name]))
