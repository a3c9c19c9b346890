"""What paging does, per second: ``vmstat.page_faults``, ``major_faults``, ``paged_in_bytes``, ``paged_out_bytes`` ...

``scanned`` and ``stolen`` are pages that were looked for when memory was short; ``oom_kills`` are processes that the
kernel ended for want of memory, ``allocation_stalls`` how often a program had to wait for a page.
"""

from collections.abc import Iterator

from tallystick.agent.collector import HostCollector, NoSettings
from tallystick.agent.host import Host
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.agent.registry import collector
from tallystick.agent.tables import counts

_COUNTED = {
    "pgfault": "page_faults",
    "pgmajfault": "major_faults",
    "oom_kill": "oom_kills",
    "pgscan_direct": "scanned",
    "pgsteal_direct": "stolen",
}
_KILOBYTES = {"pgpgin": "paged_in_bytes", "pgpgout": "paged_out_bytes"}
_STALLS = "allocstall"


@collector("vmstat")
class Vmstat(HostCollector):
    """Of the whole host."""

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        told = counts(self.host.text("/proc/vmstat"))
        totals = {name: float(told[word]) for word, name in _COUNTED.items() if word in told}
        totals |= {name: 1024.0 * told[word] for word, name in _KILOBYTES.items() if word in told}
        totals["allocation_stalls"] = float(sum(count for word, count in told.items() if word.startswith(_STALLS)))
        for name, rate in self._rates.since_last({"all": totals}, monotonic_s).get("all", {}).items():
            yield Point(name, rate)
