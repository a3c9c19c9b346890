"""Reading over HTTP, from data that was written a moment ago and from compacted blocks."""

import time
from collections.abc import Iterator

from bench.client import Latency, latency
from bench.figure import Figure, benchmark, load
from bench.fleet import names_of, slot_now
from bench.prepared import Prepared, times, walks
from bench.sender import stream_sender
from bench.server import Server, running, temporary

SERIES = 100_000
DAY_SLOTS = 8640
SIX_HOURS_SLOTS = 2160
THOUSAND = "prod.app.*.cpu.core03.metric07"
"""Matches one series of each of the thousand hosts."""
ONE = "prod.app.host0000.cpu.core00.metric00"


@benchmark("reading")
def reading() -> Iterator[Figure]:
    """One series over a day, the average of a thousand over six hours, and names by glob, over one HTTP connection."""
    with running() as server:
        fill_by_senders(server)
        yield from requests(server, "fresh")
    with temporary() as folder:
        fill_and_compact(Prepared(folder / "data", slot_now()))
        with running(data=folder / "data") as server:
            yield from requests(server, "compacted")


def requests(server: Server, state: str) -> Iterator[Figure]:
    """What is asked of both stores."""
    day = {"target": ONE, "from": "-24h", "format": "json"}
    time.sleep(2)  # what starting or taking the data has left to do is not the readers'
    expect(server, day, 1, DAY_SLOTS - 10)
    yield from told(f"{state}: one series, 24 h as JSON", latency(server.client, "/render", 300, **day), 2.0)
    pixels = {**day, "maxDataPoints": 800}
    yield from told(f"{state}: the same for 800 pixels", latency(server.client, "/render", 300, **pixels))
    average = {"target": f"averageSeries({THOUSAND})", "from": "-6h", "format": "json"}
    expect(server, average, 1, SIX_HOURS_SLOTS - 10)
    yield from told(f"{state}: average of 1,000 series, 6 h", latency(server.client, "/render", 100, **average), 15.0)
    if state == "compacted":
        yield from told("an answer without data (/version): the floor", latency(server.client, "/version", 300))
        found = server.client.json("/metrics/expand", query=THOUSAND)["results"]
        if len(found) != 1000:
            raise SystemExit(f"cannot trust the figures: {len(found)} names were found")
        expand = latency(server.client, "/metrics/expand", 200, query=THOUSAND)
        yield from told("1,000 of 100,000 names by glob (expand)", expand, 3.0)
        find = latency(server.client, "/metrics/find", 200, query="prod.app.*")
        yield from told("1,000 children of a branch of 100,000 names (find)", find, 3.0)


def expect(server: Server, query: dict[str, object], rows: int, points_min: int) -> None:
    """Look once whether the answer holds what was written."""
    answer = server.client.json("/render", **query)
    points = [sum(value is not None for value, _ in row["datapoints"]) for row in answer]
    if len(points) != rows or min(points) < points_min:
        raise SystemExit(f"cannot trust the figures: {query} gave {points} points; expected {points_min}")


def told(what: str, taken: Latency, p50_ms_max: float | None = None) -> Iterator[Figure]:
    """Half of the requests took no longer, and nearly all."""
    yield Figure(f"{what}, p50", taken.p50_ms, "ms", at_most=p50_ms_max, note=load())
    yield Figure(f"{what}, p99", taken.p99_ms, "ms")


def fill_by_senders(server: Server) -> None:
    """A day of one series, six hours of a thousand, and a slot of the other names, as carbon lines."""
    text, lines = day_of_lines()
    sender = stream_sender(server.carbon, [text])
    sender.go()
    sender.result()
    server.wait_until_durable("carbon", lines)


def day_of_lines() -> tuple[bytes, int]:
    """The lines, and how many."""
    now_s = slot_now()
    names = names_of(SERIES)
    parts = [f"{name} 1 {now_s}\n" for name in names if name != ONE and not name.endswith("core03.metric07")]
    day = zip(walks(DAY_SLOTS, 1).ravel().tolist(), times(DAY_SLOTS, now_s).tolist(), strict=True)
    parts += [f"{ONE} {value:.2f} {at_s}\n" for value, at_s in day]
    thousand = [name for name in names if name.endswith("core03.metric07")]
    slots = zip(walks(SIX_HOURS_SLOTS, 1000, 2).tolist(), times(SIX_HOURS_SLOTS, now_s).tolist(), strict=True)
    for values, at_s in slots:
        parts += [f"{name} {value:.2f} {at_s}\n" for name, value in zip(thousand, values, strict=True)]
    return "".join(parts).encode(), len(parts)


def fill_and_compact(prepared: Prepared) -> None:
    """The same in blocks, sealed every two hours and compacted."""
    now_s = slot_now()
    names = names_of(SERIES)
    ids = prepared.create(names)
    thousand = ids[[name.endswith("core03.metric07") for name in names]]
    prepared.append(ids, times(1, now_s), walks(1, SERIES))
    prepared.append(ids[:1], times(DAY_SLOTS, now_s), walks(DAY_SLOTS, 1))
    prepared.append(thousand, times(SIX_HOURS_SLOTS, now_s), walks(SIX_HOURS_SLOTS, 1000, 2))
    prepared.compact()
    prepared.close()
