"""Fifty viewers of dashboards of twenty graphs, refreshed every 10 s, while half a million series are written."""

import random
import threading
import time
from collections.abc import Iterator

from bench.carbon import warm
from bench.client import Client
from bench.figure import Figure, benchmark, load
from bench.fleet import Fleet, slot_now
from bench.process import Usage
from bench.sender import Sender, stream_sender
from bench.server import running
from bench.steady import PARTS_A_ROUND, SERIES

VIEWERS = 50
REFRESH_S = 10.0
_ALONE_ROUNDS, _WATCHED_ROUNDS = 2, 6
_PAUSE_S = REFRESH_S / PARTS_A_ROUND


@benchmark("viewers")
def viewers() -> Iterator[Figure]:
    """50 viewers of a dashboard of 20 graphs every 10 s, a request a graph, while 500,000 series are written."""
    fleet = Fleet(SERIES)
    first = fleet.lines(slot_now())
    rounds = _ALONE_ROUNDS + _WATCHED_ROUNDS
    texts = [fleet.lines(slot_now(-1 - k)).splitlines(keepends=True) for k in range(rounds)]
    size = SERIES // PARTS_A_ROUND
    parts = [b"".join(text[k : k + size]) for text in texts for k in range(0, SERIES, size)]
    del texts
    with running() as server:
        stored = warm(server)
        sender = stream_sender(server.carbon, [first])
        sender.go()
        sender.result()
        server.wait_until_durable("carbon", stored + SERIES)
        sender = stream_sender(server.carbon, parts, _PAUSE_S)
        watching = Sender(lambda: server.http, lambda port: watch(port, _WATCHED_ROUNDS * REFRESH_S))
        began = server.usage()
        sender.go()
        time.sleep(_ALONE_ROUNDS * REFRESH_S)
        alone = server.usage()
        watching.go()
        taken, late = watching.result()
        watched = server.usage()
        sender.result()
        server.wait_until_durable("carbon", stored + SERIES * (1 + rounds))
    taken.sort()
    label = f"{VIEWERS} viewers of 20 graphs every 10 s, 500,000 series written"
    yield Figure(f"{label}: a graph, p50", taken[len(taken) // 2], "ms", note=f"{len(taken)} requests, {load()}")
    yield Figure(f"{label}: a graph, p99", taken[len(taken) * 99 // 100], "ms")
    yield Figure(f"{label}: refreshes that took longer than ten seconds", late, "")
    yield Figure(f"{label}: CPU of the server, share of one core", _share(alone, watched), "%")
    yield Figure("the same without viewers: CPU of the server, share of one core", _share(began, alone), "%")
    cpu_s = watched.cpu_s - alone.cpu_s - _share(began, alone) / 100 * (watched.at_s - alone.at_s)
    yield Figure(f"{label}: CPU of a request beside the writing", 1000 * cpu_s / len(taken), "ms")


def dashboard(viewer: int) -> list[str]:
    """Twenty graphs of the hosts that somebody looks after: single series, groups, aggregates, windows."""
    found = []
    for k in range(4):
        host = f"prod.app.host{(viewer * 97 + k * 13) % (SERIES // 100):04d}.cpu"
        found += [f"{host}.core00.metric00", f"{host}.core01.*", f"sumSeries({host}.*.metric01)"]
        found += [f"movingAverage({host}.core02.metric02,6)", f"highestMax({host}.*.metric07,5)"]
    return found


def watch(port: int, seconds: float) -> tuple[list[float], int]:
    """Milliseconds of every request of all viewers, and how many refreshes began late."""
    taken: list[float] = []
    late: list[int] = []
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=_view, args=(port, viewer, until, taken, late)) for viewer in range(VIEWERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, len(late)


def _view(port: int, viewer: int, until: float, taken: list[float], late: list[int]) -> None:
    """One viewer: begins at some moment of the first ten seconds."""
    client, targets = Client(port), dashboard(viewer)
    due = time.monotonic() + random.Random(viewer).uniform(0, REFRESH_S)
    while due < until:
        time.sleep(max(due - time.monotonic(), 0))
        for target in targets:
            began = time.perf_counter()
            client.get("/render", target=target, **{"from": "-1h", "format": "json", "maxDataPoints": 800})
            taken.append(1000 * (time.perf_counter() - began))
        due += REFRESH_S
        if time.monotonic() > due:
            late.append(viewer)


def _share(before: Usage, after: Usage) -> float:
    return 100 * (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)
