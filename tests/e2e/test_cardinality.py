"""Who has how many series, on a whole server: limits, counts as series, and what nobody reads, over a restart."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import CARBON, TALLYSTICK, Server, running_server, wait_until

LIMITS = f"{CARBON}\n[limits]\nseries_per_prefix = 5\nsamples_per_s = 50\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, LIMITS) as started:
        yield started


def shown(server: Server, *arguments: str) -> str:
    command = [*TALLYSTICK, "cardinality", *arguments, "--server", server.url]
    wide = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=wide).stdout


def test_what_there_is_too_much_of_is_refused_counted_and_told(server: Server) -> None:
    now_s = int(time.time())
    server.send(*(f"shop.web1.n{k} 1 {now_s}" for k in range(9)), f"hosts.db1.load 1 {now_s}")
    assert server.balance("carbon tcp")["rejected"] == {"prefix_limit": 4}
    server.send(*(f"shop.web1.n{k} 2 {now_s}" for k in range(5)))
    assert server.balance("carbon tcp")["stored"] == 11, "old names did not pass"
    server.send(*([f"hosts.db1.load 3 {now_s}"] * 1200))
    rejected = server.balance("carbon tcp")["rejected"]
    assert 150 <= rejected["samples_limit"] <= 250
    wait_until(lambda: server.values("tallystick.names.prefixes.shop.web1"), "the census as series", wait_s=60)
    assert server.values("tallystick.names.prefixes.shop.web1")[-1] == 5
    assert server.values("tallystick.names.sources.127_0_0_1")[-1] == 6


def test_what_is_read_is_known_after_a_restart(server: Server) -> None:
    server.send_now("shop.web1.orders", 1)
    server.send_now("shop.web1.dust", 1)
    assert server.values("shop.web1.orders") == [1]
    report = server.get("/api/cardinality", under="shop")
    assert (report["total"]["series"], report["unread"]) == (2, ["shop.web1.dust"])
    server.stop()
    server.start()
    assert server.get("/api/cardinality", under="shop")["unread"] == ["shop.web1.dust"]
    told = shown(server, "shop")
    assert "2 series below shop" in told
    assert "shop.web1" in told
    server.send_now("shop.web1.dust", 2)
    assert "127.0.0.1" in shown(server, "--sort", "unread")
