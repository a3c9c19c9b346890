"""What paging does, per second: ``vmstat.page_faults``, ``major_faults``, ``paged_in_bytes``, ``paged_out_bytes`` ...

``scanned`` and ``stolen`` are pages that were looked for when memory was short; ``oom_kills`` are processes that the
kernel ended for want of memory, ``allocation_stalls`` how often a program had to wait for a page.
"""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.agent.host.tables import counts
from tallystick.model.point import Point

_COUNTED = {
    "pgfault": "page_faults",
    "pgmajfault": "major_faults",
    "oom_kill": "oom_kills",
    "pgscan_direct": "scanned",
    "pgsteal_direct": "stolen",
}
_KILOBYTES = {"pgpgin": "paged_in_bytes", "pgpgout": "paged_out_bytes"}
_STALLS = "allocstall"


METRICS = (
    Told("page_faults", "1/s", "Accesses to memory that the kernel had to find first"),
    Told("major_faults", "1/s", "of these: on a disk"),
    Told("paged_in_bytes", "bytes/s", "Bytes read from disks"),
    Told("paged_out_bytes", "bytes/s", "Bytes written to disks"),
    Told("scanned", "pages/s", "Pages looked at for room by programs that had to wait for it"),
    Told("stolen", "pages/s", "Pages that were found so"),
    Told("oom_kills", "1/s", "Processes that the kernel ended for want of memory"),
    Told("allocation_stalls", "1/s", "How often a program had to wait for memory"),
)


@collector("vmstat")
class Vmstat(HostCollector):
    """Of the whole host."""

    TELLS = METRICS

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
