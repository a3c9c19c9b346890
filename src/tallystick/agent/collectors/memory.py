"""Memory in bytes and percent: ``memory.used``, ``memory.available`` ..., ``memory.swap.used``."""

from collections.abc import Iterator

import psutil

from tallystick.agent.collector import HostCollector
from tallystick.agent.point import Point
from tallystick.agent.registry import collector

_PARTS = ("total", "used", "free", "cached", "buffers", "available")


@collector("memory")
class Memory(HostCollector):
    """``used`` is what neither is free nor can be given back, as ``free(1)`` shows it."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        memory = psutil.virtual_memory()
        for part in _PARTS:
            yield Point(f"{part}", float(getattr(memory, part)))
        yield Point("used_percent", memory.percent)
        swap = psutil.swap_memory()
        if swap.total:
            yield Point("swap.total", float(swap.total))
            yield Point("swap.used", float(swap.used))
            yield Point("swap.free", float(swap.free))
            yield Point("swap.used_percent", swap.percent)
