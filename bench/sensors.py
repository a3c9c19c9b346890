"""What a line costs that counts, beside what it costs with others' libraries, in one run.

All of them take turns in short runs, and the least of each counts: the clock of a shared processor halves for seconds
at a time, and whoever is measured then would be called slow. The first figure is the machine's own: a method that
appends to a list.
"""

import importlib
import random
import timeit
from collections.abc import Callable, Iterator
from itertools import cycle
from time import process_time

from bench.figure import Figure, benchmark, load
from tallystick.sensors import Sensors
from tallystick.sensors.settings import from_environment

_CALLS = 10_000
_REPEATS = 40
_NOBODY = "127.0.0.1"
_OURS_AT_MOST_NS = {
    "increment": 200.0,
    "increment, labels, in a variable": 200.0,
    "increment, labels, looked up": 1000.0,
    "observe a time": 600.0,
    "with timing": 1000.0,
}
_PORT = 9  # discard: nobody listens, and what is sent goes to the kernel all the same

Call = Callable[[], object]


@benchmark("sensors")
def sensors() -> Iterator[Figure]:
    """Nanoseconds of counters and timings in one thread, beside statsd, prometheus_client and OpenTelemetry."""
    own = Sensors(lambda: from_environment({"TALLYSTICK_AGENT": "none", "TALLYSTICK_RUNTIME": "off"}, "bench"))
    makers = {"tallystick": lambda: _ours(own), "statsd": _statsd, "prometheus_client": _prometheus}
    makers |= {"OpenTelemetry": _opentelemetry}
    calls = {("a list", "append"): _List().append}
    calls |= {(who, what): call for who, make in makers.items() for what, call in make().items()}
    for (who, what), least_ns in zip(calls, _nanoseconds(*calls.values()), strict=True):
        at_most = _OURS_AT_MOST_NS.get(what) if who == "tallystick" else None
        yield Figure(f"{who}, {what}", least_ns, "ns", at_most=at_most, note=load())
    own.close()


class _List:
    """The least that a method can do which keeps what it is given."""

    def __init__(self) -> None:
        self._kept: list[int] = []

    def append(self, by: int = 1) -> None:
        self._kept.append(by)
        if len(self._kept) >= 1024:
            self._kept.clear()


def _nanoseconds(*calls: Call) -> list[float]:
    """CPU of one call of each, the least of some runs, which take turns."""
    timers = [timeit.Timer(call, timer=process_time) for call in calls]
    least = [float("inf") for _ in timers]
    for _ in range(_REPEATS):
        for at, timer in enumerate(timers):
            least[at] = min(least[at], timer.timeit(_CALLS) / _CALLS * 1e9)
    return least


def _times() -> Callable[[], float]:
    """Times as they come: all different, most of them some milliseconds."""
    generator = random.Random(7)
    return cycle([generator.lognormvariate(-5, 1) for _ in range(997)]).__next__


def _ours(own: Sensors) -> dict[str, Call]:
    counter, labelled = own.counter("requests"), own.counter("requests", view="home", status=200)
    timing, next_time = own.timing("render"), _times()

    def timed() -> None:
        with timing:
            pass

    @timing
    def decorated() -> None: ...

    return {
        "increment": counter.increment,
        "increment, labels, in a variable": labelled.increment,
        "increment, labels, looked up": lambda: own.counter("requests", view="home", status=200).increment(),
        "increment, labels and unit, looked up": lambda: own.counter("sold", unit="pieces", country="se").increment(),
        "observe a time": lambda: timing.observe(next_time()),
        "with timing": timed,
        "a timed function": decorated,
    }


def _statsd() -> dict[str, Call]:
    client, next_time = importlib.import_module("statsd").StatsClient(_NOBODY, _PORT), _times()
    return {
        "increment": lambda: client.incr("requests"),
        "observe a time": lambda: client.timing("render", 1000 * next_time()),
    }


def _prometheus() -> dict[str, Call]:
    client = importlib.import_module("prometheus_client")
    registry = client.CollectorRegistry()
    counter = client.Counter("requests", "x", registry=registry)
    family = client.Counter("views", "x", ["view", "status"], registry=registry)
    labelled = family.labels(view="home", status=200)
    histogram, next_time = client.Histogram("render", "x", registry=registry), _times()
    return {
        "increment": counter.inc,
        "increment, labels, in a variable": labelled.inc,
        "increment, labels, looked up": lambda: family.labels(view="home", status=200).inc(),
        "observe a time": lambda: histogram.observe(next_time()),
    }


def _opentelemetry() -> dict[str, Call]:
    metrics = importlib.import_module("opentelemetry.sdk.metrics")
    export = importlib.import_module("opentelemetry.sdk.metrics.export")
    meter = metrics.MeterProvider([export.InMemoryMetricReader()]).get_meter("bench")
    counter, histogram = meter.create_counter("requests"), meter.create_histogram("render")
    labels, next_time = {"view": "home", "status": 200}, _times()
    return {
        "increment": lambda: counter.add(1),
        "increment, labels, looked up": lambda: counter.add(1, labels),
        "observe a time": lambda: histogram.record(next_time()),
    }
