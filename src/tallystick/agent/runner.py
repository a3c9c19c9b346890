"""Lets collectors look at the host, each at its own interval, on the beat of the epoch."""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tallystick.agent.point import Collector, Point, Sink
from tallystick.agent.registry import registered
from tallystick.config import Collector as CollectorConfig
from tallystick.model.clock import Clock

log = logging.getLogger(__name__)

_CAUSES_MAX = 1000


@dataclass(slots=True)
class Job:
    """A collector and when it looks.

    Parameters
    ----------
    name
        Of the collector.
    collector
        Belongs to this job alone.
    interval_s
        Looks happen when the epoch is a multiple of it.
    slot
        Number of the interval that was looked at last; None before the first.
    """

    name: str
    collector: Collector
    interval_s: int
    slot: int | None = None


def jobs(configured: Iterable[CollectorConfig]) -> list[Job]:
    """Jobs for what the config names."""
    known = registered()
    return [Job(item.name, known[item.name](), item.interval_s) for item in configured]


class Runner:
    """Runs jobs and hands what they yield to a sink.

    The first look is at once, so that levels are there at once; rates follow at the next beat. Points carry the start
    of their interval as time. A look that comes too late (a suspended machine) is not made up for: gaps are gaps. A
    collector that fails costs only itself: it is counted in `failures` and logged once for each cause.

    Parameters
    ----------
    jobs
        What is run.
    clock
        Where time comes from.
    sink
        Takes the points of one interval; if it fails, they are lost, counted under ``sink`` and logged.
    prefix
        Stands before each name, with its dot.
    """

    def __init__(self, jobs: Sequence[Job], clock: Clock, sink: Sink, prefix: str) -> None:
        self.failures: dict[str, int] = {}
        self._jobs = jobs
        self._clock = clock
        self._sink = sink
        self._prefix = prefix
        self._causes: set[tuple[str, str]] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look at once and then on the beat, in a thread of its own, until `stop`."""
        self._thread = threading.Thread(target=self._run, name="collectors", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait for a look that is under way; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def tick(self) -> float:
        """Run the jobs that are due; returns the seconds until the next one is."""
        now_s = self._clock.now()
        looked: defaultdict[int, list[Point]] = defaultdict(list)
        for job in self._jobs:
            slot = int(now_s // job.interval_s)
            if slot != job.slot:  # not "greater": the clock may have been set back
                job.slot = slot
                looked[slot * job.interval_s].extend(self._look(job))
        for timestamp_s, points in looked.items():
            self._hand_over(points, timestamp_s)
        return self._wait_s(self._clock.now())

    def _run(self) -> None:
        while not self._stop.wait(self.tick()):
            pass

    def _wait_s(self, now_s: float) -> float:
        return max(0.001, min((job.interval_s - now_s % job.interval_s for job in self._jobs), default=60.0))

    def _look(self, job: Job) -> Iterator[Point]:
        """What the collector yields, up to where it fails."""
        try:
            for point in job.collector.collect(self._clock.monotonic()):
                yield replace(point, name=self._prefix + point.name)
        except Exception as error:
            self._failed(job.name, f"cannot collect {job.name}: {type(error).__name__}: {error}")

    def _hand_over(self, points: list[Point], timestamp_s: int) -> None:
        if not points:
            return
        try:
            self._sink(points, timestamp_s)
        except Exception as error:
            self._failed("sink", f"cannot hand over collected points: {type(error).__name__}: {error}")

    def _failed(self, who: str, text: str) -> None:
        self.failures[who] = self.failures.get(who, 0) + 1
        if (who, text) not in self._causes:
            if len(self._causes) >= _CAUSES_MAX:  # causes that differ each time must not grow without bound
                self._causes.clear()
            self._causes.add((who, text))
            log.warning("%s", text)
