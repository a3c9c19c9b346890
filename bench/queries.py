"""What dashboards ask, over HTTP, from compacted blocks: aggregates, windows, a year, forty graphs, all names."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.client import latency
from bench.figure import Figure, benchmark, load
from bench.fleet import names_of, slot_now
from bench.prepared import Prepared, times, walks
from bench.reading import DAY_SLOTS, ONE, SERIES, SIX_HOURS_SLOTS, THOUSAND, told
from bench.server import Server, running, temporary
from tallystick.model.kind import Kind
from tallystick.model.tally import Tally
from tallystick.store.history import History

YEAR = "prod.shop.year.orders"
YEAR_HOURS = 8760
EVERY_NAME = "prod.app.*.cpu.*.*"


@dataclass(frozen=True, slots=True)
class Query:
    """Targets that are asked for together.

    Parameters
    ----------
    series, points
        Of the answer: how many, and how many known values each has at least.
    read
        Values that are read for it.
    times
        How often it is asked; the slowest peer a twentieth of that.
    """

    what: str
    targets: tuple[str, ...]
    start: str
    series: int
    points: int
    read: int
    times: int
    p50_ms_max: float | None = None


def _dashboard() -> tuple[str, ...]:
    """Forty graphs of ten groups of ten hosts: the hosts, their sum, a moving average of it, and the five highest."""
    found = []
    for k in range(10):
        hosts = f"prod.app.host01{k}*.cpu.core03.metric07"
        found += [hosts, f"alias(sumSeries({hosts}),'all')", f"movingAverage(averageSeries({hosts}),30)"]
        found += [f"highestMax(scale({hosts},0.001),5)"]
    return tuple(found)


_MILLION = 1000 * SIX_HOURS_SLOTS
QUERIES = (
    Query("one series, 24 h", (ONE,), "-24h", 1, DAY_SLOTS - 10, DAY_SLOTS, 100, 2.0),
    Query("average of 1,000, 6 h", (f"averageSeries({THOUSAND})",), "-6h", 1, SIX_HOURS_SLOTS - 10, _MILLION, 40, 15.0),
    Query("sum of 1,000, 6 h", (f"sumSeries({THOUSAND})",), "-6h", 1, SIX_HOURS_SLOTS - 10, _MILLION, 40),
    Query(
        "sum of movingAverage of 1,000, 6 h",
        (f"sumSeries(movingAverage({THOUSAND},30))",),
        *("-6h", 1, SIX_HOURS_SLOTS - 40, _MILLION, 10),
    ),
    Query("summarize of a year", (f"summarize({YEAR},'1d','max')",), "-364d", 1, 360, YEAR_HOURS, 40),
    Query("dashboard of 40 mixed targets, 6 h", _dashboard(), "-6h", 170, SIX_HOURS_SLOTS - 40, 100 * 2160, 20),
)


@benchmark("queries")
def queries() -> Iterator[Figure]:
    """What dashboards ask, over one HTTP connection, from compacted blocks of 100,000 series."""
    with temporary() as folder:
        prepare(folder / "data")
        with running(data=folder / "data") as server:
            time.sleep(2)  # what starting has left to do is not the readers'
            for query in QUERIES:
                yield from _figures(server, query)
            found = server.client.json("/metrics/expand", query=EVERY_NAME)["results"]
            if len(found) != SERIES:
                raise SystemExit(f"cannot trust the figures: {len(found)} names were found")
            expand = latency(server.client, "/metrics/expand", 10, query=EVERY_NAME)
            yield from told(f"expand to {SERIES:,} names", expand)


def _figures(server: Server, query: Query) -> Iterator[Figure]:
    asked = {"target": list(query.targets), "from": query.start, "format": "json"}
    answer = server.client.json("/render", **asked)
    known = [sum(value is not None for value, _ in one["datapoints"]) for one in answer]
    if len(known) != query.series or min(known) < query.points:
        raise SystemExit(f"cannot trust the figures: {query.what} gave {len(known)} series of {min(known)} points")
    before = server.usage()
    taken = latency(server.client, "/render", query.times, **asked)
    cpu_s = server.usage().cpu_s - before.cpu_s
    yield from told(query.what, taken, query.p50_ms_max)
    yield Figure(f"{query.what}: CPU of the server", 1000 * cpu_s / (query.times + 3), "ms")
    yield Figure(f"{query.what}: points read a second", query.read / taken.p50_ms / 1000, "M/s", note=load())


def prepare(directory: Path) -> None:
    """A day of one series, six hours of a thousand, a year of another, and a slot of 100,000."""
    now_s, names = slot_now(), names_of(SERIES)
    prepared = Prepared(directory, now_s)
    ids = prepared.create(names)
    thousand = ids[[name.endswith("core03.metric07") for name in names]]
    prepared.append(ids, times(1, now_s), walks(1, len(ids)))
    prepared.append(ids[:1], times(DAY_SLOTS, now_s), walks(DAY_SLOTS, 1))
    prepared.append(thousand, times(SIX_HOURS_SLOTS, now_s), walks(SIX_HOURS_SLOTS, 1000, 2))
    hours = times(YEAR_HOURS, now_s, 3600) // 3600
    year = Tally(3600, np.zeros(YEAR_HOURS, np.int32), hours, walks(YEAR_HOURS, 1, 3)[:, 0])
    prepared.store.load(History([YEAR], [Kind.GAUGE], year))
    prepared.compact()
    prepared.close()
