"""Memory in bytes and percent: ``memory.used``, ``memory.available`` ..., ``memory.swap.used``."""

from collections.abc import Iterator

import psutil

from tallystick.agent.point import Point
from tallystick.agent.registry import collector

_PARTS = ("total", "used", "free", "cached", "buffers", "available")


@collector("memory")
class Memory:
    """``used`` is what neither is free nor can be given back, as ``free(1)`` shows it."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        memory = psutil.virtual_memory()
        for part in _PARTS:
            yield Point(f"memory.{part}", float(getattr(memory, part)))
        yield Point("memory.used_percent", memory.percent)
        swap = psutil.swap_memory()
        if swap.total:
            yield Point("memory.swap.total", float(swap.total))
            yield Point("memory.swap.used", float(swap.used))
            yield Point("memory.swap.free", float(swap.free))
            yield Point("memory.swap.used_percent", swap.percent)
