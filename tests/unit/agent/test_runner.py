import logging
import threading
from collections.abc import Iterator

import pytest

from servers import wait_until
from tallystick.agent import Collector, Host, IncompleteError, Job, NoSettings, Point, Runner
from tallystick.model.clock import ManualClock, SystemClock

START_S = 1_700_000_000  # a multiple of ten


class Looking(Collector[NoSettings]):
    """What the tests' collectors have in common."""

    def __init__(self) -> None:
        super().__init__(NoSettings(), Host())
        self.looks = 0
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Counting(Looking):
    """Yields how often it looked."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        self.looks += 1
        yield Point("looks", float(self.looks))


class Failing(Looking):
    """Yields one point, then fails, until it is mended."""

    error: Exception | None = OSError("the disk is on fire")

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        yield Point("before", 1.0)
        if self.error is not None:
            raise self.error


class FailingService(Failing):
    WAITS = TELLS_UP = True


class Hanging(Looking):
    """Stands for a service that takes a connection and answers nothing; yields how often it looked."""

    WAITS = TELLS_UP = True

    def __init__(self) -> None:
        super().__init__()
        self.freed = threading.Event()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        self.looks += 1
        looks = self.looks
        self.freed.wait()
        yield Point("looks", float(looks))


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.points: list[tuple[str, float, int]] = []
        self.arrived = threading.Event()

    def __call__(self, points: list[Point], timestamp_s: int) -> None:
        self.points += [(point.name, point.value, timestamp_s) for point in points]
        self.arrived.set()

    def named(self, name: str) -> list[tuple[float, int]]:
        return [(value, time_s - START_S) for one, value, time_s in self.points if one == name]


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    collector = Hanging()
    yield collector
    collector.freed.set()


def test_it_looks_at_once_and_then_on_the_beat_of_the_epoch() -> None:
    clock, kept = ManualClock(START_S + 3), Kept()
    runner = Runner([Job("counting", Counting())], clock, kept, "hosts.")
    assert runner.tick() == 7
    clock.advance(6.5)
    assert runner.tick() == 0.5
    clock.advance(0.5)
    runner.tick()
    assert kept.points == [("hosts.counting.looks", 1, START_S), ("hosts.counting.looks", 2, START_S + 10)]


def test_each_collector_has_its_own_interval() -> None:
    clock, kept = ManualClock(START_S + 40), Kept()  # a multiple of sixty
    runner = Runner([Job("fast", Counting(), 10), Job("slow", Counting(), 60)], clock, kept, "")
    for _ in range(7):
        clock.advance(runner.tick())
    assert [time_s - START_S - 40 for _, value, time_s in kept.points if value == 2] == [10, 60]


def test_each_host_of_a_fleet_has_a_moment_of_its_own_within_a_fifth_of_the_interval() -> None:
    def moment_s(host: str) -> float:
        clock, kept = ManualClock(START_S + 5), Kept()
        runner = Runner([Job("counting", Counting())], clock, kept, "", host=host)
        clock.advance(runner.tick())
        runner.tick()
        assert kept.named("counting.looks") == [(1, 0), (2, 10)]
        return clock.now() - START_S - 10

    moments = [moment_s(f"web{k}") for k in range(20)]
    assert len(set(moments)) == 20
    assert 0 <= min(moments) < max(moments) < 2


def test_a_late_look_is_not_made_up_for() -> None:
    clock, kept = ManualClock(START_S), Kept()
    runner = Runner([Job("counting", Counting())], clock, kept, "")
    runner.tick()
    clock.advance(1000)
    runner.tick()
    assert [time_s for _, _, time_s in kept.points] == [START_S, START_S + 1000]


def test_a_clock_that_is_set_back_does_not_stop_it() -> None:
    clock, kept = ManualClock(START_S), Kept()
    runner = Runner([Job("counting", Counting())], clock, kept, "")
    runner.tick()
    clock.jump(-3600)
    assert runner.tick() == 10
    assert len(kept.points) == 2


def test_a_failing_collector_costs_only_itself_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    clock, kept, failing = ManualClock(START_S), Kept(), Failing()
    runner = Runner([Job("failing", failing), Job("counting", Counting())], clock, kept, "x.")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            clock.advance(runner.tick())
        assert runner.causes == {"failing": "OSError: the disk is on fire"}
        failing.error = None
        clock.advance(runner.tick())
    assert [name for name, _, _ in kept.points] == ["x.failing.before", "x.counting.looks"] * 4
    assert (runner.looks, runner.failures, runner.causes) == (8, {"failing": 3}, {})
    told = [record.message for record in caplog.records]
    assert told == ["cannot collect failing: OSError: the disk is on fire", "collecting failing again"]


def test_whether_a_service_is_up_is_a_metric() -> None:
    clock, kept, failing = ManualClock(START_S), Kept(), FailingService()
    runner = Runner([Job("nginx.blue", failing)], clock, kept, "")
    runner.look_at_everything()
    failing.error = IncompleteError("it keeps one page to itself")
    clock.advance(10)
    runner.look_at_everything()
    failing.error = None
    clock.advance(10)
    runner.look_at_everything()
    assert kept.named("nginx.blue.up") == [(0, 0), (1, 10), (1, 20)]
    assert kept.named("nginx.blue.before") == [(1, 0), (1, 10), (1, 20)]
    assert runner.failures == {"nginx.blue": 2}


def test_a_look_that_hangs_holds_up_nobody_else_and_is_down(hanging: Hanging) -> None:
    clock, kept = ManualClock(START_S), Kept()
    runner = Runner([Job("hanging", hanging), Job("counting", Counting())], clock, kept, "")
    assert runner.tick() == 5, "until the look's limit"
    assert kept.named("counting.looks") == [(1, 0)]
    clock.advance(5)
    runner.tick()
    assert kept.named("hanging.up") == [(0, 0)]
    for _ in range(2):
        clock.advance(10)
        runner.tick()
    assert kept.named("counting.looks") == [(1, 0), (2, 10), (3, 20)]
    assert kept.named("hanging.up") == [(0, 0), (0, 10), (0, 20)]
    assert hanging.looks == 1, "no further look begins before the first has ended"
    assert runner.failures == {"hanging": 3}


def test_what_came_too_late_is_left_out_and_looks_begin_again(hanging: Hanging) -> None:
    clock, kept = ManualClock(START_S), Kept()
    job = Job("hanging", hanging)
    runner = Runner([job], clock, kept, "")
    runner.tick()
    clock.advance(5)
    runner.tick()
    hanging.freed.set()
    assert job.under_way is not None
    assert job.under_way.wait(10)
    assert kept.named("hanging.looks") == []
    clock.advance(5)
    runner.tick()
    wait_until(lambda: kept.named("hanging.looks") == [(2, 10)], "the second look")
    assert kept.named("hanging.up") == [(0, 0), (1, 10)]


def test_a_failing_sink_does_not_end_the_looks() -> None:
    def full(points: list[Point], timestamp_s: int) -> None:
        raise OSError("no room")

    clock, counting = ManualClock(START_S), Counting()
    runner = Runner([Job("counting", counting)], clock, full, "")
    for _ in range(3):
        clock.advance(runner.tick())
    assert counting.looks == 3
    assert runner.failures == {"sink": 3}


def test_a_thread_runs_it_until_it_is_stopped(hanging: Hanging) -> None:
    kept, counting = Kept(), Counting()
    runner = Runner([Job("counting", counting), Job("hanging", hanging)], SystemClock(), kept, "hosts.web1.")
    runner.start()
    assert kept.arrived.wait(10)
    runner.stop()
    runner.stop()
    assert kept.points[0][0] == "hosts.web1.counting.looks"
    assert counting.closed == 1
    assert hanging.closed == 0, "it is in use until the process ends"


def test_what_hangs_hands_nothing_over_after_the_end(hanging: Hanging) -> None:
    kept = Kept()
    job = Job("hanging", hanging)
    runner = Runner([job], SystemClock(), kept, "")
    runner.tick()
    runner.stop()
    hanging.freed.set()
    assert job.under_way is not None
    assert job.under_way.wait(10)
    assert kept.points == []


def test_what_fails_again_after_an_hour_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock(START_S)
    runner = Runner([Job("failing", Failing())], clock, Kept(), "")
    runner.tick()
    clock.advance(3599)
    runner.tick()
    assert len(caplog.records) == 1
    clock.advance(3601)
    runner.tick()
    assert len(caplog.records) == 2
