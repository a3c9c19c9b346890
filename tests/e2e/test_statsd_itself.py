"""Etsy's StatsD beside us: the same packets to both give the same names and values; and it in front of us."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import START_S_MAX, Server, running_server, wait_until
from statsd_node import Sink, running_statsd, send, sink

pytestmark = [pytest.mark.timeout(START_S_MAX + 90), pytest.mark.senders]

STEP_S = 2
MORE = f"""
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"
strict = false
[[listeners]]
protocol = "carbon"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "carbon-pickle"
address = "tcp://127.0.0.1:0"
[statsd]
percent_threshold = [90, 99.9, -10]
histogram = [{{ metric = "took", bins = [10, 100.5, inf] }}]
{{more}}
[[store.retention]]
match = "*"
keep = "{STEP_S}s:1d"
"""
CONFIG = {
    "flushInterval": STEP_S * 1000,
    "backends": ["./backends/graphite"],
    "graphiteHost": "127.0.0.1",
    "percentThreshold": [90, 99.9, -10],
    "histogram": [{"metric": "took", "bins": [10, 100.5, "inf"]}],
}
PACKETS = (
    "d.hits:3|c",
    "d.hits:4|c|@0.5\nd.hits:-1|c",
    "d.none:0|c",
    "d.meter:7|m",
    "d.unknown:2|kv",
    "d.hex:0x10|c",
    "d.power:1e2|c",
    "d.odd rate:1|c|@1e-2",
    "my d/key%x:1|c",
    "d.took:1|ms:20|ms:30|ms",
    *(f"d.took:{k * k / 7}|ms" for k in range(40)),
    "d.one:320|ms",
    "d.level:17|g",
    "d.level:+3|g",
    "d.level:-0.5|g",
    "d.below:-5|g",
    "d.users:ann|s\nd.users:bob|s\nd.users:ann|s",
    "d.tagged:1|c|#env:prod,zone:b",
    "d.tagged;env=test:5|ms",
    "d.bad:x|c",
    "d.bad:-1|ms",
    "d.bad:1|c|0.5",
    "d.bad",
)
BUCKET_ERROR = 0.0115


@pytest.fixture(params=[True, False], ids=["legacy", "fresh"])
def both(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Server, int, Sink]]:
    """Us, StatsD's port, and where it flushes to."""
    legacy = bool(request.param)
    named = {"legacyNamespace": legacy}
    ours = MORE.replace("{more}", "" if legacy else "legacy_namespace = false")
    with sink() as taken, running_server(tmp_path, ours) as server:
        config = CONFIG | {"graphitePort": taken.port, "graphite": named}
        with running_statsd(tmp_path, **config) as port:
            yield server, port, taken


def young_slot() -> int:
    """Wait for a slot to begin; its start. StatsD flushes at whole seconds, so a flush has what is sent now."""
    wait_until(lambda: 0.05 < time.time() % STEP_S < 0.4, "the beginning of a slot")
    return int(time.time()) // STEP_S * STEP_S


def of_key(flush: dict[str, float]) -> dict[str, float]:
    """What a flush says of the keys of the test."""
    return {name: value for name, value in flush.items() if ".d." in name or "my_d-keyx" in name}


def test_the_same_packets_give_the_same_names_and_values(both: tuple[Server, int, Sink]) -> None:
    server, port, taken = both
    slot = young_slot()
    send(port, *PACKETS)
    send(server.port("statsd udp"), *PACKETS)
    flush = wait_until(
        lambda: taken.with_name("stats_counts.d.hits") or taken.with_name("stats.counters.d.hits.count"), "a flush"
    )
    expected = of_key(flush)
    wait_until(lambda: server.render("d.tagged;env=test"), "our samples")
    wait_until(lambda: time.time() > slot + 3 * STEP_S, "the slot behind it to be known as idle")
    wrong = {}
    for name, value in expected.items():
        found = {at: got for rows in server.render(name).values() for at, got in rows.items()}
        got = found.get(slot, math.nan)
        close = 1e-9 if name.endswith((".count", ".sum", ".mean", ".upper", ".lower")) else 2 * BUCKET_ERROR
        if not math.isclose(got, value, rel_tol=close, abs_tol=1e-6):
            wrong[name] = (value, got)
    assert not wrong
    assert len(expected) > 60
    ours = {name for root in ("stats", "stats_counts") for name in every_name(server, root)}
    assert {name for name in ours if ".d." in name or "my_d-keyx" in name} == set(expected)
    check_idle(server, taken, flush, slot + STEP_S)


def check_idle(server: Server, taken: Sink, flush: dict[str, float], slot: int) -> None:
    """What both say in the slot behind, in which nothing came."""
    wait_until(lambda: taken.flushes.index(flush) + 1 < len(taken.flushes), "the next flush")
    following = of_key(taken.flushes[taken.flushes.index(flush) + 1])
    assert len(following) > 15
    for name, value in following.items():
        found = {at: got for rows in server.render(name).values() for at, got in rows.items()}
        assert found.get(slot) == pytest.approx(value), name


def every_name(server: Server, path: str) -> Iterator[str]:
    """The names below a path, by walking the tree."""
    for node in server.get("/metrics/find", query=f"{path}.*", format="json"):
        if node["is_leaf"]:
            yield node["path"]
        if not node["is_leaf"] or server.get("/metrics/find", query=f"{node['path']}.*", format="json"):
            yield from every_name(server, node["path"])


def seen(server: Server, root: Path) -> object:
    """What came to us, and what StatsD said."""
    return server.values("r.hits"), server.get("/ledger")["sources"], (root / "statsd.log").read_text()


def test_statsd_in_front_of_us_repeats_and_flushes_to_us(tmp_path: Path) -> None:
    with running_server(tmp_path, MORE.replace("{more}", "")) as server:
        config = CONFIG | {
            "backends": ["./backends/repeater", "./backends/graphite"],
            "repeater": [{"host": "127.0.0.1", "port": server.port("statsd udp")}],
            "repeaterProtocol": "udp4",
            "graphitePort": server.port("carbon tcp"),
            "prefixStats": "original",
        }
        with running_statsd(tmp_path, **config) as port:
            send(port, "r.hits:3|c\nr.hits:4|c", "r.took:5|ms")
            wait_until(
                lambda: sum(server.values("r.hits")) == 7, "what it repeats", told=lambda: seen(server, tmp_path)
            )
            assert server.values("r.took") == [5.0]
            received = "stats_counts.original.metrics_received"
            wait_until(lambda: sum(server.values(received)) == 3, "what it flushes to carbon")
            wait_until(lambda: 7.0 in server.values("stats_counts.r.hits"), "one series of both")


def test_statsd_flushes_to_us_in_pickles(tmp_path: Path) -> None:
    with running_server(tmp_path, MORE.replace("{more}", "")) as server:
        config = CONFIG | {
            "graphiteProtocol": "pickle",
            "graphitePicklePort": server.port("carbon-pickle tcp"),
        }
        with running_statsd(tmp_path, **config) as port:
            send(port, "p.hits:3|c")
            wait_until(lambda: 3.0 in server.values("stats_counts.p.hits"), "the flush")


def test_what_came_by_statsd_is_known_after_a_restart(tmp_path: Path) -> None:
    with running_server(tmp_path, MORE.replace("{more}", "")) as server:
        send(server.port("statsd udp"), "level:7|g", "hits:3|c")
        server.send_now("other", 1)
        wait_until(lambda: server.values("stats_counts.hits"), "the names")
        server.stop()
        server.start()
        found = {node["path"] for node in server.get("/metrics/find", query="stats.gauges.*", format="json")}
        assert found == {"stats.gauges.level"}
        assert 7.0 in server.values("stats.gauges.level")
        assert sum(server.values("stats_counts.hits")) == 3
