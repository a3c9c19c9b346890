"""What runs on this host and what is listened to: what collectors recognise services by."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tallystick.agent.host.host import Host

TRIES_MAX = 10
"""So often, once a minute, somebody is asked who does not answer as it is expected of him."""

_TRIED_MAX = 10_000
_LISTEN = "0A"
_ACCEPTS = 0x10000


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this host.

    Parameters
    ----------
    pid
        Its number.
    name
        The kernel's word for it, at most 15 characters.
    arguments
        How it was started; empty for the kernel's own threads and where that may not be known.
    """

    pid: int
    name: str
    arguments: tuple[str, ...]


class Surroundings:
    """A look at the host at one moment; each side of it is read when it is first asked for.

    Parameters
    ----------
    tries
        How often whom was tried, kept from one look to the next.
    """

    def __init__(self, host: Host, tries: Counter[tuple[object, ...]] | None = None) -> None:
        self.host = host
        self.tries: Counter[tuple[object, ...]] = Counter() if tries is None else tries

    @cached_property
    def processes(self) -> tuple[Process, ...]:
        """All processes that can be seen."""
        return tuple(self._processes())

    @cached_property
    def ports(self) -> frozenset[int]:
        """TCP ports that are listened to, on whatever address."""
        files = [self.host.text_or_none(f"/proc/net/{file}") or "" for file in ("tcp", "tcp6")]
        rows = (line.split() for text in files for line in text.splitlines()[1:])
        return frozenset(int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTEN)

    @cached_property
    def sockets(self) -> dict[str, int]:
        """Paths of Unix sockets that are listened to, sorted; with numbers, which are others after a restart."""
        text = self.host.text_or_none("/proc/net/unix") or ""
        rows = (line.split(None, 7) for line in text.splitlines()[1:])
        listening = (row for row in rows if len(row) == 8 and row[7].startswith("/") and int(row[3], 16) & _ACCEPTS)
        return {row[7]: int(row[6]) for row in sorted(listening, key=lambda row: row[7])}

    def running(self, *names: str) -> list[Process]:
        """Processes whose name, or the file name of whose program, is one of `names`."""
        return [process for process in self.processes if process.name in names or _program(process) in names]

    def leading(self, *names: str) -> list[Process]:
        """Of `running` those that no other one of them has started: of a server that has workers, the master."""
        running = self.running(*names)
        theirs = {process.pid for process in running}
        return [process for process in running if self._parent(process) not in theirs]

    def worth_trying(self, *whom: object) -> bool:
        """Whether to ask once more who may be a service, or may not like us: the first ten minutes of his only."""
        if len(self.tries) >= _TRIED_MAX:
            self.tries.clear()
        self.tries[whom] += 1
        return self.tries[whom] <= TRIES_MAX

    def _processes(self) -> Iterator[Process]:
        for entry in sorted(filter(str.isdigit, self.host.names("/proc")), key=int):
            name = self.host.text_or_none(f"/proc/{entry}/comm")
            arguments = self.host.text_or_none(f"/proc/{entry}/cmdline")
            if name is not None:  # else it has ended meanwhile
                yield Process(int(entry), name.rstrip("\n"), tuple((arguments or "").rstrip("\0").split("\0")))

    def _parent(self, process: Process) -> int:
        text = self.host.text_or_none(f"/proc/{process.pid}/stat") or ""
        told = text[text.rfind(")") + 2 :].split()  # the name before it may hold anything
        return int(told[1]) if len(told) > 1 else 0


def _program(process: Process) -> str:
    return process.arguments[0].rpartition("/")[2].rstrip(":")
