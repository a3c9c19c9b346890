"""The ledger of a whole server: by whom, what of it, how complete, and what arrives right now."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import CARBON, TALLYSTICK, Server, wait_until

DOORS = (
    CARBON
    + """
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"

[limits]
names_burst = 50
names_per_s = 1
"""
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("ledger"), DOORS)
    started.start()
    yield started
    started.stop()


def run(server: Server, *arguments: str) -> str:
    command = [*TALLYSTICK, *arguments, "--server", server.url]
    wide = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=wide).stdout


def send_datagram(server: Server, host: str, text: bytes) -> None:
    """Send StatsD lines from an address of this machine, and return once they are stored."""
    before = server.balance("statsd udp")["stored"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((host, 0))
        sender.sendto(text, ("127.0.0.1", server.port("statsd udp")))
    wait_until(lambda: server.balance("statsd udp")["stored"] > before, "the datagram to be stored")


def test_what_hosts_sent_is_told_apart_and_adds_up(server: Server, tmp_path: Path) -> None:
    now_s = int(time.time())
    server.send(f"shop.web1.orders 5 {now_s}", f"shop.web1.orders x {now_s}", f"shop.web2.orders 1 {now_s - 300}")
    send_datagram(server, "127.0.0.9", b"shop.web3.hits:1|c\nshop.web3.hits:2|c")
    carbon = server.balance("carbon tcp")
    assert (carbon["received"], carbon["stored"], carbon["late"], carbon["rejected"]) == (3, 2, 1, {"value": 1})
    assert [peer["peer"] for peer in server.balance("statsd udp")["peers"]] == ["127.0.0.9"]
    answer = server.get("/ledger", windows=60)
    prefixes = {one["prefix"]: one["stored"] for one in answer["prefixes"] if "prefix" in one}
    assert prefixes["shop.web1"] == prefixes["shop.web2"] == 1
    assert prefixes["shop.web3"] == 2
    source = f"carbon tcp://127.0.0.1:{server.carbon_port}"
    in_windows = [one for window in answer["windows"] for one in window["sources"] if one["source"] == source]
    assert sum(one["received"] for one in in_windows) == 3
    assert server.get("/healthz")["problems"] == []


def test_a_metric_that_does_not_show_up_is_found_by_its_name(server: Server) -> None:
    server.send("lost.and.found 1 2 3 4", "other.name 1 nan")
    (found,) = server.get("/ledger", name="lost.and")["offenders"]
    assert (found["reason"], found["peer"], found["text"]) == ("fields", "127.0.0.1", "lost.and.found 1 2 3 4")
    assert "lost.and.found 1 2 3 4" in run(server, "ledger", "--rejected", "fields", "--name", "lost.and")
    assert "nothing of that kind" in run(server, "ledger", "--rejected", "blocked")
    told = run(server, "ledger")
    assert f"carbon tcp://127.0.0.1:{server.carbon_port}" in told
    assert json.loads(run(server, "ledger", "--json"))["window_s"] == 10


def test_a_reason_that_there_is_not_is_told(server: Server) -> None:
    answer = subprocess.run(
        [*TALLYSTICK, "ledger", "--server", server.url, "--rejected", "bad"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1
    assert "there is no such reason; expected one of" in answer.stderr


def test_completeness_says_what_was_lost_of_a_series_and_others_like_it(server: Server) -> None:
    send_datagram(server, "127.0.0.8", b"whole.web1.orders:1|c")
    found = server.get("/ledger/completeness", target="whole.*.orders", **{"from": "-1min"})
    assert (found["complete"], found["causes"], found["prefixes"]) == (1.0, {}, ["whole.web1"])
    now_s = int(time.time())
    server.send(f"torn.web1.orders 1 {now_s}", f"torn.web1.orders 1 {now_s + 90_000}")
    found = server.get("/ledger/completeness", target="scale(torn.web1.orders,2)", **{"from": "-1min"})
    assert found["complete"] <= 0.5, found
    assert found["causes"].get("future") == 1.0, found
    assert server.get("/ledger/completeness", target="nobody.sent.this")["complete"] is None


def test_the_counts_are_series_that_add_up_to_the_same(server: Server) -> None:
    server.send_now("counted.web1.orders", 1, 2, 3)
    name = f"tallystick.ledger.listeners.carbon-tcp-127_0_0_1-{server.carbon_port}.received"
    balance = server.balance("carbon tcp")
    wait_until(lambda: sum(server.values(name)) >= balance["received"], "the window to be stored")
    assert sum(server.values("tallystick.ledger.prefixes.counted.web1.stored")) == 3


def test_what_arrives_is_shown_live(server: Server) -> None:
    command = [*TALLYSTICK, "tail", "live.*.orders", "--count", "2", "--json", "--server", server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as looking:

        def sent_and_seen() -> bool:
            server.send_now("live.web1.orders", 7)
            server.send_now("live.web1.answer_ms", 9)
            return looking.poll() is not None

        wait_until(sent_and_seen, "two samples to be shown")
        assert looking.stdout is not None
        seen = [json.loads(line) for line in looking.stdout]
    assert [one["name"] for one in seen] == ["live.web1.orders"] * 2
    assert (seen[0]["value"], seen[0]["kind"], seen[0]["peer"]) == (7.0, "gauge", "127.0.0.1")


def test_a_flood_of_new_names_is_throttled_and_is_a_problem_that_names_the_sender(server: Server) -> None:
    now_s = int(time.time())
    server.send(*(f"flood.n{k}.x 1 {now_s}" for k in range(200)))
    assert server.balance("carbon tcp")["rejected"]["throttled"] > 100
    health = server.get("/healthz")
    assert health["status"] == "degraded"
    assert any("sends too many new names from 127.0.0.1" in problem for problem in health["problems"])
    server.send_now("shop.web1.orders", 6)
    assert 6.0 in server.values("shop.web1.orders"), "names that are known go on"
