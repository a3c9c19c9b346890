"""Sensors against a real UDP socket that plays the StatsD door."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.errors import TallystickError
from tallystick.sensors import Sensors
from tallystick.sensors.door import DATAGRAM_BYTES_MAX, datagrams
from tallystick.sensors.instruments import TIMINGS_MAX, Timing
from tallystick.sensors.sensors import prefix


class Statsd:
    """Receives datagrams and gives their lines."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(20)
        self.address = f"udp://127.0.0.1:{self.socket.getsockname()[1]}"

    def lines(self) -> list[str]:
        """Lines of the next datagram."""
        return self.socket.recv(65536).decode().split("\n")


@pytest.fixture
def statsd() -> Iterator[Statsd]:
    door = Statsd()
    yield door
    door.socket.close()


@pytest.fixture
def own(statsd: Statsd) -> Sensors:
    # A clock that stands still just after a flush: the thread is there and does not interfere.
    return Sensors("dev.apps.shop.", statsd.address, ManualClock(os.getpid() % 97 / 97 * 10))


def test_increments_leave_as_one_sum(own: Sensors, statsd: Statsd) -> None:
    own.counter("requests").increment()
    own.counter("requests").increment(41)
    own.flush()
    assert statsd.lines() == ["dev.apps.shop.requests:42|c"]
    own.counter("requests").increment(0.5)
    own.flush()
    assert statsd.lines() == ["dev.apps.shop.requests:0.5|c"]


def test_a_gauge_keeps_its_level_and_a_negative_one_is_no_change(own: Sensors, statsd: Statsd) -> None:
    level = own.gauge("queue")
    level.set(7)
    level.set(3)
    own.flush()
    own.flush()
    assert statsd.lines() == statsd.lines() == ["dev.apps.shop.queue:3|g"]
    level.set(-2)
    own.flush()
    assert statsd.lines() == ["dev.apps.shop.queue:0|g", "dev.apps.shop.queue:-2|g"]


def test_timings_leave_one_by_one(own: Sensors, statsd: Statsd) -> None:
    own.timing("render").observe(0.25)
    own.timing("render").observe(1)
    own.timing("render").observe(-1)
    own.flush()
    assert statsd.lines() == ["dev.apps.shop.render:250.0|ms", "dev.apps.shop.render:1000|ms"]


def test_beyond_the_bound_timings_are_sampled_and_their_rate_is_sent() -> None:
    timing = Timing()
    for number in range(4 * TIMINGS_MAX):
        timing.observe(number)
    fields = list(timing.take())
    assert len(fields) == TIMINGS_MAX
    assert all(field.endswith("|ms|@0.25") for field in fields)
    sampled = [float(field.partition("|")[0]) / 1000 for field in fields]
    assert sum(number >= 2 * TIMINGS_MAX for number in sampled) == pytest.approx(TIMINGS_MAX / 2, abs=TIMINGS_MAX / 5)
    assert list(timing.take()) == []


def test_a_timing_times_blocks_functions_and_coroutines_and_what_they_hold(own: Sensors) -> None:
    timing = own.timing("work")

    @timing
    def work(depth: int) -> int:
        with timing:
            return work(depth - 1) if depth else 5

    @timing
    async def task() -> str:
        await asyncio.sleep(0)
        return "done"

    async def tasks() -> list[str]:
        return await asyncio.gather(task(), task(), task())

    assert work(1) == 5
    assert asyncio.run(tasks()) == ["done"] * 3
    with pytest.raises(KeyError), timing:
        raise KeyError("what fails is timed, too")
    assert len(list(timing.take())) == 8
    assert work.__name__ == "work"


def test_no_increment_is_lost_between_threads_and_flushes(own: Sensors, statsd: Statsd) -> None:
    counter = own.counter("hits")

    def hit() -> None:
        for _ in range(20_000):
            counter.increment()

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    own.flush()
    for thread in threads:
        thread.join()
    counter.increment()
    own.flush()
    total = 0
    while total < 80_001:
        total += sum(int(line.split(":")[1].split("|")[0]) for line in statsd.lines())
    assert total == 80_001


def test_a_forked_child_sends_its_own_counts_only(own: Sensors, statsd: Statsd) -> None:
    counter = own.counter("hits")
    counter.increment(100)
    child = os.fork()
    if child == 0:
        counter.increment(7)
        own.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert statsd.lines() == ["dev.apps.shop.hits:7|c"]
    own.flush()
    assert statsd.lines() == ["dev.apps.shop.hits:100|c"]


def test_a_program_sends_at_exit_what_it_counted(statsd: Statsd) -> None:
    program = "from tallystick import sensors; sensors.counter('runs').increment()"
    environment = {"TALLYSTICK_STATSD": statsd.address, "TALLYSTICK_APP": "job", "TALLYSTICK_ENVIRONMENT": "prod"}
    subprocess.run([sys.executable, "-c", program], env=os.environ | environment, check=True, timeout=60)
    assert statsd.lines() == ["prod.apps.job.runs:1|c"]


def test_the_sensors_bring_nothing_heavy_into_a_program() -> None:
    program = "import sys; from tallystick import sensors; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "numba", "msgspec", "psutil", "click", "rich"} & set(loaded)


def test_the_thread_flushes_on_the_beat(statsd: Statsd) -> None:
    almost = ManualClock(os.getpid() % 97 / 97 * 10 - 0.02)
    own = Sensors("x.", statsd.address, almost)
    own.counter("beat").increment()
    assert statsd.lines() == ["x.beat:1|c"]
    own.close()


def test_without_a_listener_nothing_happens_but_a_count() -> None:
    closed = Statsd()
    closed.socket.close()
    own = Sensors("x.", closed.address)
    for _ in range(3):
        own.counter("a").increment()
        own.timing("t").observe(1)
        own.gauge("g" * 1000).set(1)
        own.gauge("h" * 1000).set(1)
        own.flush()
    assert own.datagrams_dropped > 0


def test_a_name_has_one_kind_and_its_odd_characters_are_replaced(own: Sensors, statsd: Statsd) -> None:
    own.counter("a:b|c.d e").increment()
    with pytest.raises(TallystickError, match=r"cannot make gauge .* it is a counter already"):
        own.gauge("a:b|c.d e")
    own.flush()
    assert statsd.lines() == ["dev.apps.shop.a_b_c.d_e:1|c"]


@pytest.mark.parametrize("by", [-1, float("nan"), float("inf")])
def test_a_counter_counts_up_only(own: Sensors, by: float) -> None:
    with pytest.raises(ValueError, match="cannot increment by"):
        own.counter("a").increment(by)


def test_a_process_is_named_by_its_environment_or_its_program() -> None:
    assert prefix({}, "/usr/bin/shop.py") == "dev.apps.shop."
    assert prefix({"TALLYSTICK_APP": "my shop", "TALLYSTICK_ENVIRONMENT": "prod"}, "x") == "prod.apps.my_shop."


def test_lines_are_packed_into_datagrams_that_fit_a_frame() -> None:
    lines = [f"name{number}:1|c" for number in range(1000)]
    packed = list(datagrams(lines))
    assert all(len(datagram) <= DATAGRAM_BYTES_MAX for datagram in packed)
    assert b"\n".join(packed).decode().split("\n") == lines
    assert len(packed) == -(-sum(len(line) + 1 for line in lines) // DATAGRAM_BYTES_MAX)
