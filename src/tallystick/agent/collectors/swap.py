"""Swap space in bytes and what moves: ``swap.total``, ``used``, ``free``, ``used_percent``.

Hosts without swap have none of it. ``in_bytes`` and ``out_bytes`` are what moves per second.
"""

import os
from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.agent.host.tables import counts, sizes
from tallystick.model.point import Point

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


METRICS = (
    Told("total", "bytes", "Swap space"),
    Told("free", "bytes", "Swap space that is not used"),
    Told("used", "bytes", "Swap space that is used"),
    Told("used_percent", "percent", "Used swap space, of all"),
    Told("in_bytes", "bytes/s", "Memory brought back from swap space"),
    Told("out_bytes", "bytes/s", "Memory put into swap space"),
)


@collector("swap")
class Swap(HostCollector):
    """All swap areas together."""

    TELLS = METRICS

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
