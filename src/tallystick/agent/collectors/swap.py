"""Swap space in bytes and what moves: ``swap.total``, ``used``, ``free``, ``used_percent``.

Hosts without swap have none of it. ``in_bytes`` and ``out_bytes`` are what moves per second.
"""

import os
from collections.abc import Iterator

from tallystick.agent.collector import HostCollector, NoSettings
from tallystick.agent.host import Host
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.agent.registry import collector
from tallystick.agent.tables import counts, sizes

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@collector("swap")
class Swap(HostCollector):
    """All swap areas together."""

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        bytes_of = sizes(self.host.text("/proc/meminfo"))
        total, free = bytes_of.get("SwapTotal", 0), bytes_of.get("SwapFree", 0)
        if not total:
            return
        yield Point("total", float(total))
        yield Point("free", float(free))
        yield Point("used", float(total - free))
        yield Point("used_percent", round(100 * (total - free) / total, 3))
        pages = counts(self.host.text("/proc/vmstat"))
        moved = {"in_bytes": pages["pswpin"] * _PAGE_BYTES, "out_bytes": pages["pswpout"] * _PAGE_BYTES}
        for name, rate in self._rates.since_last({"all": moved}, monotonic_s).get("all", {}).items():
            yield Point(name, rate)
