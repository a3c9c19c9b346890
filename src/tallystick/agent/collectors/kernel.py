"""What the kernel has of which there is an end: ``kernel.open_files``, ``open_files_max``, ``open_files_percent``.

Where a firewall tracks connections ``tracked_connections``, ``_max`` and ``_percent``; ``entropy_bits``. Per second
what it does: ``context_switches``, ``interrupts`` and ``forks``.
"""

from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.model.point import Point

_COUNTS = {"ctxt": "context_switches", "intr": "interrupts", "processes": "forks"}
_ENTROPY = "/proc/sys/kernel/random/entropy_avail"
_TRACKED = "/proc/sys/net/netfilter/nf_conntrack_count"
_TRACKED_MAX = "/proc/sys/net/netfilter/nf_conntrack_max"


METRICS = (
    Told("open_files", "files", "Open files and sockets"),
    Told("open_files_max", "files", "Open files that there may be"),
    Told("open_files_percent", "percent", "Open files, of those that there may be"),
    Told("tracked_connections", "connections", "Connections that the firewall tracks"),
    Told("tracked_connections_max", "connections", "Connections that it can track; more are refused"),
    Told("tracked_connections_percent", "percent", "Tracked connections, of those that there may be"),
    Told("entropy_bits", "bits", "Chance that is gathered for random numbers"),
    Told("context_switches", "1/s", "How often a processor went from one task to another"),
    Told("interrupts", "1/s", "Interrupts"),
    Told("forks", "1/s", "Processes and threads that began"),
)


@collector("kernel")
class Kernel(HostCollector):
    """Levels and their limits, and rates."""

    TELLS = METRICS

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        allocated, unused, limit = map(int, self.host.text("/proc/sys/fs/file-nr").split())
        yield from _filled("open_files", allocated - unused, limit)
        words = (line.split(" ", 2) for line in self.host.text("/proc/stat").splitlines())
        totals = {_COUNTS[word]: float(count) for word, count, *_ in words if word in _COUNTS}
        for name, rate in self._rates.since_last({"all": totals}, monotonic_s).get("all", {}).items():
            yield Point(name, rate)
        if (entropy := self.host.text_or_none(_ENTROPY)) is not None:
            yield Point("entropy_bits", float(entropy))
        tracked, most = self.host.text_or_none(_TRACKED), self.host.text_or_none(_TRACKED_MAX)
        if tracked is not None and most is not None:
            yield from _filled("tracked_connections", int(tracked), int(most))


def _filled(name: str, used: int, limit: int) -> Iterator[Point]:
    yield Point(name, float(used))
    yield Point(f"{name}_max", float(limit))
    if limit:
        yield Point(f"{name}_percent", round(100 * used / limit, 3))
