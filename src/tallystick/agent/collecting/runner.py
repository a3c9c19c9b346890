"""Lets collectors look at the host, each at its own interval, on the beat of the epoch."""

import logging
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tallystick.agent.collecting.aside import Aside
from tallystick.agent.collecting.collector import IncompleteError
from tallystick.agent.collecting.jobs import Finder, Job
from tallystick.agent.collecting.telling import Telling, cause
from tallystick.agent.collecting.tells import Names
from tallystick.model.clock import Clock
from tallystick.model.kind import Kind
from tallystick.model.point import Point, Sink

log = logging.getLogger(__name__)

SEARCH_INTERVAL_S = 60.0
_SPREAD = 0.2
"""The hosts of a fleet look within this part of the interval, each at its own moment."""
_SOON_S = 0.5
_STOP_S = 10.0
_UP = ("1", "1 if it answered as it should, else 0")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look gave.

    Parameters
    ----------
    points
        What there is.
    down
        Why it failed.
    missing
        Why it is not all.
    """

    points: list[Point] = field(default_factory=list)
    down: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something went down or came up again.

    Parameters
    ----------
    name
        ``checks.shop``, ``nginx``.
    down
        Why it is down; empty if it is up.
    time_s
        When that was seen, epoch seconds.
    """

    name: str
    down: str
    time_s: int


class Runner:
    """Runs jobs and hands what they yield to a sink.

    The first look is at once, so that levels are there at once; rates follow at the next beat. Points carry the start
    of their interval as time. A look that comes too late (a suspended machine) is not made up for: gaps are gaps.

    A collector that fails costs only itself: it is counted in `failures` and told in the log. One that waits for
    others has a thread for each look; if that has no end within its limit, it has failed, what it may still yield is
    left out, and no further look begins before it has ended. So there is at most one thread for each job. `causes` has
    the reason of those that failed at their last look.

    Parameters
    ----------
    jobs
        What is run from the start.
    clock
        Where time comes from.
    sink
        Takes the points of one interval; if it fails, they are lost, counted under ``sink`` and logged.
    prefix
        Stands before each name, with its dot.
    finder
        Is asked once a minute, in a thread of its own, what else is there.
    host
        Spreads the looks of a fleet: each host has its own moment. Empty is the beat itself.
    when_changed
        Called, by the thread that looked, when something goes down or comes up again; it must not wait.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        clock: Clock,
        sink: Sink,
        prefix: str,
        *,
        finder: Finder | None = None,
        host: str = "",
        when_changed: Callable[[Change], None] | None = None,
    ) -> None:
        self.looks = 0
        self.failures: dict[str, int] = {}
        self.causes: dict[str, str] = {}
        self._jobs = list(jobs)
        self._clock = clock
        self._sink = sink
        self._prefix = prefix
        self._finder = finder
        self._host = host
        self._when_changed = when_changed
        self._up: dict[str, bool] = {}
        self._search: Aside[list[Job]] | None = None
        self._searched_s: float | None = None
        self._telling = Telling(log, clock)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def jobs(self) -> list[Job]:
        """What is looked at now."""
        return list(self._jobs)

    def add(self, job: Job) -> None:
        """Look at something else, too."""
        self._jobs.append(job)

    def start(self) -> None:
        """Look at once and then on the beat, in a thread of its own, until `stop`."""
        self._thread = threading.Thread(target=self._run, name="collectors", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait for a look of this host that is under way; may be called twice."""
        if self._stop.is_set():
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)
        with self._lock:
            for job in self._jobs:
                job.awaited = None
        for job in self._jobs:
            if job.under_way is None or job.under_way.ended:  # what hangs is left to the end of the process
                job.collector.close()

    def tick(self) -> float:
        """Run the jobs that are due; returns the seconds until there is something to do again."""
        self._take_found()
        now_s = self._clock.now()
        due = []
        for job in self._jobs:
            slot = int((now_s - self._phase_s(job)) // job.interval_s)
            if slot != job.slot:  # not "greater": the clock may have been set back
                job.slot = slot
                due.append(job)
        self._look(due)
        self._give_up_on_overdue()
        return self._wait_s(self._clock.now())

    def look_at_everything(self) -> None:
        """Look once at all there is, whether it is due or not, and wait for the end; of hanging looks for their limit.

        The first time, services are searched for, too.
        """
        if self._finder is not None and self._searched_s is None:
            self._searched_s = self._clock.monotonic()
            self._jobs += self._finder.search()
        for job in self._jobs:
            job.slot = int(self._clock.now() // job.interval_s)
        self._look(self._jobs)
        for job in self._jobs:
            if job.under_way is not None and not job.under_way.wait(job.limit_s):
                self._give_up_on(job)

    def _run(self) -> None:
        while not self._stop.wait(self.tick()):
            pass

    def _wait_s(self, now_s: float) -> float:
        ends = [job.interval_s - (now_s - self._phase_s(job)) % job.interval_s for job in self._jobs]
        overdue = [job.deadline_s - self._clock.monotonic() for job in self._jobs if job.is_awaited]
        searching = [_SOON_S] if self._search is not None else []
        return max(0.001, min(ends + overdue + searching, default=SEARCH_INTERVAL_S))

    def _phase_s(self, job: Job) -> float:
        if not self._host:
            return 0.0
        # What is quick is done in one go; those who wait for others do so at different moments.
        seed = f"{self._host}/{job.name}" if job.waits else self._host
        return job.interval_s * _SPREAD * (zlib.crc32(seed.encode()) / 2**32)

    def _take_found(self) -> None:
        """Search from time to time, and begin to look at what was found."""
        if self._finder is None:
            return
        if self._search is not None and self._search.ended:
            self._jobs += self._search.result or []
            if self._search.error is not None:
                self._failed("search", f"cannot search for services: {cause(self._search.error)}")
            self._search = None
        now_s = self._clock.monotonic()
        if self._search is None and (self._searched_s is None or now_s - self._searched_s >= SEARCH_INTERVAL_S):
            self._searched_s = now_s
            self._search = Aside(self._finder.search, "search for services")

    def _look(self, due: Iterable[Job]) -> None:
        looked: defaultdict[int, list[Point]] = defaultdict(list)
        for job in due:
            if not job.waits:
                looked[job.timestamp_s] += self._counted(job, self._seen(job))
            elif job.under_way is None or job.under_way.ended:
                self._look_aside(job)
            else:
                looked[job.timestamp_s] += self._counted(job, Seen(down="the look before has no end yet"))
        for timestamp_s, points in looked.items():
            self._hand_over(points, timestamp_s)

    def _look_aside(self, job: Job) -> None:
        timestamp_s = job.timestamp_s
        job.awaited = awaited = object()
        job.deadline_s = self._clock.monotonic() + job.limit_s

        def look() -> None:
            seen = self._seen(job)
            with self._lock:
                if job.awaited is awaited:  # else it was given up
                    job.awaited = None
                    self._hand_over(self._counted(job, seen), timestamp_s)

        job.under_way = Aside(look, f"look at {job.name}")

    def _give_up_on_overdue(self) -> None:
        for job in self._jobs:
            if job.is_awaited and self._clock.monotonic() >= job.deadline_s:
                self._give_up_on(job)

    def _give_up_on(self, job: Job) -> None:
        with self._lock:
            if job.is_awaited:  # it may have ended just now
                job.awaited = None
                points = self._counted(job, Seen(down=f"no end within {job.limit_s:g} s"))
                self._hand_over(points, job.timestamp_s)

    def _seen(self, job: Job) -> Seen:
        """What the collector yields, up to where it fails."""
        points: list[Point] = []
        if job.named is None:
            job.named = Names(f"{self._prefix}{job.name}.", job.collector.tells)
        try:
            points.extend(map(job.named.whole, job.collector.collect(self._clock.monotonic())))
        except IncompleteError as error:
            return Seen(points, missing=str(error))
        except Exception as error:
            return Seen(points, down=cause(error))
        return Seen(points)

    def _counted(self, job: Job, seen: Seen) -> list[Point]:
        """What is handed over of a look, which is counted."""
        with self._lock:
            self.looks += 1
            if why := seen.down or seen.missing:
                self.causes[job.name] = why
                self._failed(job.name, job.collector.FAILED.format(name=job.name, why=why))
            else:
                self.causes.pop(job.name, None)
                self._telling.better(job.name, job.collector.WELL_AGAIN.format(name=job.name))
            if not job.collector.TELLS_UP:
                return seen.points
            self._tell_change(job.name, seen.down)
        return [*seen.points, Point(f"{self._prefix}{job.name}.up", float(not seen.down), Kind.GAUGE, *_UP)]

    def _tell_change(self, name: str, down: str) -> None:
        # What is up at the first look is nothing new, what is down then is.
        if self._up.get(name, True) == bool(down) and self._when_changed is not None:
            self._when_changed(Change(name, down, int(self._clock.now())))
        self._up[name] = not down

    def _hand_over(self, points: list[Point], timestamp_s: int) -> None:
        if not points:
            return
        with self._lock:
            try:
                self._sink(points, timestamp_s)
            except Exception as error:
                self._failed("sink", f"cannot hand over collected points: {cause(error)}")

    def _failed(self, who: str, text: str) -> None:
        self.failures[who] = self.failures.get(who, 0) + 1
        self._telling.worse(who, text)
