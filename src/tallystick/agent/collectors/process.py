"""What a program of your choice costs: ``process.shop.count``, ``cpu_percent``, ``memory_bytes``, ``threads``.

Also ``open_files`` and ``read_bytes`` and ``written_bytes`` per second, where the agent may see them (as root, or of
processes of its own user). All processes that match count together; ``started`` tells how many are new since the last
look. With `instance`, several programs can be told apart. ::

    [[collectors]]
    name = "process"
    instance = "shop"
    match = 'python .*shop\\.py'
"""

import re
from collections.abc import Iterator
from typing import Annotated

from tallystick.agent.collecting.collector import Collector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.agent.host.processes import Status, statuses
from tallystick.config.table import Table, expression, key
from tallystick.model.point import Point


class Settings(Table, frozen=True):
    """Which processes."""

    match: Annotated[
        str, key("Regular expression that is searched in the whole command line.", expression, min_length=1)
    ]


METRICS = (
    Told("count", "processes", "Processes that match"),
    Told("threads", "threads", "Their threads"),
    Told("memory_bytes", "bytes", "Their memory"),
    Told("open_files", "files", "Files and sockets that they have open, where that may be seen"),
    Told("started", "processes", "of these: new since the last look"),
    Told("cpu_percent", "percent", "Their processor time, of one core"),
    Told("read_bytes", "bytes/s", "Bytes that they read from disks, where that may be seen"),
    Told("written_bytes", "bytes/s", "Bytes that they wrote to disks, where that may be seen"),
)


@collector("process", Settings)
class Processes(Collector[Settings]):
    """Finds the processes anew at each look."""

    TELLS = METRICS

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._match = re.compile(settings.match)
        self._before: dict[tuple[int, int], dict[str, float]] | None = None
        self._before_s = 0.0

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        found = [status for status in statuses(self.host) if self._match.search(self._command(status))]
        now = {(status.pid, status.started): self._used(status) for status in found}
        before, elapsed_s = self._before, monotonic_s - self._before_s
        self._before, self._before_s = now, monotonic_s
        yield Point("count", float(len(found)))
        yield Point("threads", float(sum(status.threads for status in found)))
        yield Point("memory_bytes", float(sum(status.resident_bytes for status in found)))
        files = [self._open_files(status) for status in found]
        if found and None not in files:
            yield Point("open_files", float(sum(count or 0 for count in files)))
        if before is None or elapsed_s <= 0:
            return
        yield Point("started", float(len(now.keys() - before.keys())))
        grown = {name: 0.0 for used in now.values() for name in used}
        for which, used in now.items():
            # What a process that is new used, it used since the last look; so it is not lost.
            for name, total in used.items():
                grown[name] += max(0.0, total - before.get(which, {}).get(name, 0.0))
        for name, growth in ({"cpu_percent": 0.0} | grown).items():
            yield Point(name, round((100 if name == "cpu_percent" else 1) * growth / elapsed_s, 3))

    def _command(self, status: Status) -> str:
        told = self.host.text_or_none(f"/proc/{status.pid}/cmdline") or ""
        return told.rstrip("\0").replace("\0", " ") or f"[{status.name}]"

    def _used(self, status: Status) -> dict[str, float]:
        used = {"cpu_percent": status.cpu_s}
        for line in (self.host.text_or_none(f"/proc/{status.pid}/io") or "").splitlines():
            name, _, number = line.partition(": ")
            if name in ("read_bytes", "write_bytes"):
                used["read_bytes" if name == "read_bytes" else "written_bytes"] = float(number)
        return used

    def _open_files(self, status: Status) -> int | None:
        try:
            return len(self.host.names(f"/proc/{status.pid}/fd"))
        except OSError:  # of somebody else, or gone
            return None
