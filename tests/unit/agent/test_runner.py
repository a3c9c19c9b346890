import logging
import threading
from collections.abc import Iterator

import pytest

from tallystick.agent import Job, Point, Runner, jobs, registered
from tallystick.config import COLLECTORS
from tallystick.config import Collector as CollectorConfig
from tallystick.model.clock import ManualClock, SystemClock

START_S = 1_700_000_000  # a multiple of ten


class Counting:
    """Yields how often it looked."""

    def __init__(self) -> None:
        self.looks = 0

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        self.looks += 1
        yield Point("looks", float(self.looks))


class Failing:
    """Yields one point, then fails."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        yield Point("before", 1.0)
        raise OSError("the disk is on fire")


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.points: list[tuple[str, float, int]] = []
        self.arrived = threading.Event()

    def __call__(self, points: list[Point], timestamp_s: int) -> None:
        self.points += [(point.name, point.value, timestamp_s) for point in points]
        self.arrived.set()


def test_it_looks_at_once_and_then_on_the_beat_of_the_epoch() -> None:
    clock, kept = ManualClock(START_S + 3), Kept()
    runner = Runner([Job("counting", Counting(), 10)], clock, kept, "hosts.")
    assert runner.tick() == 7
    clock.advance(6.5)
    assert runner.tick() == 0.5
    clock.advance(0.5)
    runner.tick()
    assert kept.points == [("hosts.looks", 1, START_S), ("hosts.looks", 2, START_S + 10)]


def test_each_collector_has_its_own_interval() -> None:
    clock, kept = ManualClock(START_S + 40), Kept()  # a multiple of sixty
    runner = Runner([Job("fast", Counting(), 10), Job("slow", Counting(), 60)], clock, kept, "x.")
    for _ in range(7):
        clock.advance(runner.tick())
    assert [time_s - START_S - 40 for _, value, time_s in kept.points if value == 2] == [10, 60]


def test_a_late_look_is_not_made_up_for() -> None:
    clock, kept = ManualClock(START_S), Kept()
    runner = Runner([Job("counting", Counting(), 10)], clock, kept, "x.")
    runner.tick()
    clock.advance(1000)
    runner.tick()
    assert [time_s for _, _, time_s in kept.points] == [START_S, START_S + 1000]


def test_a_clock_that_is_set_back_does_not_stop_it() -> None:
    clock, kept = ManualClock(START_S), Kept()
    runner = Runner([Job("counting", Counting(), 10)], clock, kept, "x.")
    runner.tick()
    clock.jump(-3600)
    assert runner.tick() == 10
    assert len(kept.points) == 2


def test_a_failing_collector_costs_only_itself_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, kept = ManualClock(START_S), Kept()
    runner = Runner([Job("failing", Failing(), 10), Job("counting", Counting(), 10)], clock, kept, "x.")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            clock.advance(runner.tick())
    assert [name for name, _, _ in kept.points] == ["x.before", "x.looks"] * 3
    assert runner.failures == {"failing": 3}
    assert [record.message for record in caplog.records] == ["cannot collect failing: OSError: the disk is on fire"]


def test_a_failing_sink_does_not_end_the_looks() -> None:
    def full(points: list[Point], timestamp_s: int) -> None:
        raise OSError("no room")

    clock, counting = ManualClock(START_S), Counting()
    runner = Runner([Job("counting", counting, 10)], clock, full, "x.")
    for _ in range(3):
        clock.advance(runner.tick())
    assert counting.looks == 3
    assert runner.failures == {"sink": 3}


def test_a_thread_runs_it_until_it_is_stopped() -> None:
    kept = Kept()
    runner = Runner([Job("counting", Counting(), 3600)], SystemClock(), kept, "hosts.web1.")
    runner.start()
    assert kept.arrived.wait(10)
    runner.stop()
    runner.stop()
    assert kept.points[0][0].startswith("hosts.web1.")


def test_the_config_knows_exactly_the_collectors_that_there_are() -> None:
    assert tuple(registered()) == COLLECTORS
    assert [job.name for job in jobs([CollectorConfig(name=name) for name in COLLECTORS])] == list(COLLECTORS)
