"""What the agent costs and does: ``agent.cpu_percent``, ``memory_bytes``, ``threads``, ``open_files``, ``looks`` ..."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from tallystick.agent.collecting.collector import Collector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.runner import Runner
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.model.kind import Kind
from tallystick.model.point import Point

Source = Callable[[], Iterable[Point]]
"""Tells something about the agent; names are below ``agent.``."""


METRICS = (
    Told("cpu_percent", "percent", "Processor time of the agent, of one core"),
    Told("memory_bytes", "bytes", "Memory of the agent"),
    Told("threads", "threads", "Threads of the agent"),
    Told("open_files", "files", "Files and sockets that the agent has open"),
    Told("looks", "looks", "Looks of collectors and checks"),
    Told("looks_failed", "looks", "of these: failed, or did not give all"),
    Told("failed.<collector>", "looks", "of these: of one collector"),
    Told("slots_given", "slots", "Slots to be sent, in all"),
    Told("slots_blocked", "slots", "of these: not sent as the server wants none of that name"),
    Told("slots_dropped", "slots", "of these: lost as there was no room"),
    Told("spool.bytes", "bytes", "What the spool takes on disk"),
    Told("spool.slots_waiting", "slots", "Slots that wait for a server"),
    Told("spool.damaged_files", "files", "Files of the spool that could not be read, in all"),
    Told("spool.writable", "1", "1 if the spool can be written, else 0"),
    Told("servers.connects", "connections", "Connections made to servers, in all"),
    Told("servers.away", "servers", "Servers that cannot be reached now"),
    Told("repeats.dropped", "lines", "Lines to other systems that were not sent, in all"),
    Told("doors.<door>.taken", "samples", "Samples that came in at a door"),
    Told("doors.<door>.refused", "samples", "Good samples that found no room"),
    Told("doors.<door>.rejected", "samples", "Bad samples; the last of them are kept beside the spool"),
    Told("doors.<door>.dropped", "datagrams", "Datagrams that the system dropped as nobody read them in time"),
    Told("doors.<door>.connections", "connections", "Connections that were made to a door"),
    Told("doors.<door>.hung_up", "connections", "of these: ended for what they sent, or turned away"),
    Told("events.posted", "events", "Events that a server has taken"),
    Told("events.dropped", "events", "Events that were lost as there was no room"),
    Told("events.waiting", "events", "Events that wait for a server"),
    Told("logs.files", "files", "Log files that are followed"),
    Told("logs.lines", "lines", "Lines that were read, in all"),
    Told("logs.long", "lines", "Lines that were longer than allowed, and left out"),
    Told("logs.rotations", "files", "New files under a name that was followed"),
    Told("logs.truncations", "files", "Files that were emptied"),
    Told("logs.missed", "1", "How often what was written last could not be found: it was deleted, or copied away"),
    Told("logs.unread", "lines", "Lines that were not understood, in all"),
)


class Itself(Collector[NoSettings]):
    """Looks at its own process, and asks those who work in it.

    Parameters
    ----------
    sources
        Whoever has something to tell.
    """

    TELLS = METRICS

    def __init__(self, sources: Sequence[Source]) -> None:
        super().__init__(NoSettings(), Host())
        self._sources = sources
        self._rates = Rates()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        worked = self._rates.since_last({"all": {"s": time.process_time()}}, monotonic_s)
        if worked:
            yield Point("cpu_percent", round(100 * worked["all"]["s"], 3))
        resident_pages = int(self.host.text("/proc/self/statm").split()[1])
        yield Point("memory_bytes", float(resident_pages * os.sysconf("SC_PAGE_SIZE")))
        yield Point("threads", float(len(self.host.names("/proc/self/task"))))
        yield Point("open_files", float(len(self.host.names("/proc/self/fd"))))
        for source in self._sources:
            yield from source()


def looks_of(runner: Runner) -> Source:
    """How often collectors looked and failed since the last time, in all and those that failed by name."""
    before = {"looks": 0, "looks_failed": 0}

    def tell() -> Iterator[Point]:
        now = {"looks": runner.looks, "looks_failed": sum(runner.failures.values())}
        now |= {f"failed.{name}": count for name, count in runner.failures.copy().items()}
        for name, count in now.items():
            yield Point(name, float(count - before.get(name, 0)), Kind.COUNTER)
        before.update(now)

    return tell
