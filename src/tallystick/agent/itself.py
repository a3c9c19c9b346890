"""What the agent costs and does: ``agent.cpu_percent``, ``memory_bytes``, ``threads``, ``open_files``, ``looks`` ..."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from tallystick.agent.collector import Collector, NoSettings
from tallystick.agent.host import Host
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.agent.runner import Runner
from tallystick.model.kind import Kind

Source = Callable[[], Iterable[Point]]
"""Tells something about the agent; names are below ``agent.``."""


class Itself(Collector[NoSettings]):
    """Looks at its own process, and asks those who work in it.

    Parameters
    ----------
    sources
        Whoever has something to tell.
    """

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
