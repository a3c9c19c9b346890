"""Memory in bytes: ``memory.total``, ``used``, ``available``, ``free``, ``cached``, ``buffers`` ...; ``used_percent``.

``used`` is what cannot be given to somebody else, ``shared`` what lies in memory filesystems, ``dirty`` what is still
to be written to disks, ``committed`` what programs were promised.
"""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host.tables import sizes
from tallystick.model.point import Point

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


METRICS = (
    Told("total", "bytes", "Memory that the kernel manages"),
    Told("available", "bytes", "Memory that programs could have without swapping"),
    Told("used", "bytes", "Memory that cannot be given to somebody else: what is not available"),
    Told("used_percent", "percent", "Used memory, of all"),
    Told("cached", "bytes", "Files that are kept, and what the kernel could give back"),
    Told("free", "bytes", "Memory that nobody uses, not even for files"),
    Told("buffers", "bytes", "Blocks of devices that are kept"),
    Told("shared", "bytes", "What lies in memory filesystems and is shared by programs"),
    Told("slab", "bytes", "What the kernel has for itself"),
    Told("dirty", "bytes", "What is still to be written to disks"),
    Told("writeback", "bytes", "What is being written to disks"),
    Told("committed", "bytes", "What programs were promised"),
    Told("page_tables", "bytes", "Where the kernel notes whose memory is where"),
)


@collector("memory")
class Memory(HostCollector):
    """As ``free(1)`` shows it."""

    TELLS = METRICS

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
