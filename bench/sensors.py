"""What a line costs that counts, beside what it costs with others' libraries, in one run."""

import importlib
import timeit
from collections.abc import Callable, Iterator
from time import process_time

from bench.figure import Figure, benchmark, load
from tallystick.sensors import Sensors
from tallystick.sensors.settings import from_environment

_CALLS = 200_000
_REPEATS = 7
_NOBODY = "127.0.0.1"
_OURS_AT_MOST_NS = {"increment": 1000.0, "increment, labels, in a variable": 1000.0}
_PORT = 9  # discard: nobody listens, and what is sent goes to the kernel all the same

Call = Callable[[], object]


@benchmark("sensors")
def sensors() -> Iterator[Figure]:
    """Nanoseconds of counters and timings in one thread, beside statsd, prometheus_client and OpenTelemetry."""
    own = Sensors(lambda: from_environment({"TALLYSTICK_AGENT": "none", "TALLYSTICK_RUNTIME": "off"}, "bench"))
    yield from _figures("tallystick", _ours(own))
    for name, calls in (("statsd", _statsd), ("prometheus_client", _prometheus), ("OpenTelemetry", _opentelemetry)):
        yield from _figures(name, calls())
    own.close()


def _figures(who: str, calls: dict[str, Call]) -> Iterator[Figure]:
    for what, call in calls.items():
        call()
        at_most = _OURS_AT_MOST_NS.get(what) if who == "tallystick" else None
        yield Figure(f"{who}, {what}", _nanoseconds(call), "ns", at_most=at_most, note=load())


def _nanoseconds(call: Call) -> float:
    """CPU of one call, the least of some runs; what a call does not itself is in none of them."""
    timer = timeit.Timer(call, timer=process_time)
    return min(timer.repeat(_REPEATS, _CALLS)) / _CALLS * 1e9


def _ours(own: Sensors) -> dict[str, Call]:
    counter, labelled = own.counter("requests"), own.counter("requests", view="home", status=200)
    timing = own.timing("render")

    def timed() -> None:
        with timing:
            pass

    return {
        "increment": counter.increment,
        "increment, labels, in a variable": labelled.increment,
        "increment, labels, looked up": lambda: own.counter("requests", view="home", status=200).increment(),
        "observe a time": lambda: timing.observe(0.0123),
        "with timing": timed,
    }


def _statsd() -> dict[str, Call]:
    client = importlib.import_module("statsd").StatsClient(_NOBODY, _PORT)
    return {"increment": lambda: client.incr("requests"), "observe a time": lambda: client.timing("render", 12.3)}


def _prometheus() -> dict[str, Call]:
    client = importlib.import_module("prometheus_client")
    registry = client.CollectorRegistry()
    counter = client.Counter("requests", "x", registry=registry)
    family = client.Counter("views", "x", ["view", "status"], registry=registry)
    labelled = family.labels(view="home", status=200)
    histogram = client.Histogram("render", "x", registry=registry)
    return {
        "increment": counter.inc,
        "increment, labels, in a variable": labelled.inc,
        "increment, labels, looked up": lambda: family.labels(view="home", status=200).inc(),
        "observe a time": lambda: histogram.observe(0.0123),
    }


def _opentelemetry() -> dict[str, Call]:
    metrics = importlib.import_module("opentelemetry.sdk.metrics")
    export = importlib.import_module("opentelemetry.sdk.metrics.export")
    meter = metrics.MeterProvider([export.InMemoryMetricReader()]).get_meter("bench")
    counter, histogram = meter.create_counter("requests"), meter.create_histogram("render")
    labels = {"view": "home", "status": 200}
    return {
        "increment": lambda: counter.add(1),
        "increment, labels, looked up": lambda: counter.add(1, labels),
        "observe a time": lambda: histogram.record(0.0123),
    }
