"""istatd's lines over TCP and UDP are read by name, also as its front-end does; a bad datagram stops nobody."""

import socket
import time
from collections.abc import Iterator

import httpx2
import pytest
from balances import Balances

from servers import START_S_MAX, Server, finish, running_server

pytestmark = pytest.mark.timeout(START_S_MAX + 120)

ISTATD = """
istatd_address = "127.0.0.1:0"
istatd_files = "{files}"

[[listeners]]
protocol = "istatd"
address = "tcp://127.0.0.1:0"

[[listeners]]
protocol = "istatd"
address = "udp://127.0.0.1:0"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    files = tmp_path_factory.mktemp("files")
    (files / "index.html").write_text("<script src=/files/graph.js></script>")
    (files / "graph.js").write_text("'use strict';")
    with running_server(tmp_path_factory.mktemp("istatd"), ISTATD.format(files=files)) as started:
        yield started


def test_gauges_counters_and_tallied_slots_are_read_by_name(server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 60
    balance = Balances(server, "istatd tcp")
    lines = [
        f"Web.Load {slot} 1.5",
        f"*errors^host.a^class.b^ {slot} 3",
        f"*errors^host.a^class.b^ {slot + 1} 4",
        f"took {slot} 30 102 1 5 10",
        f"took {slot} 6 36 6 6 1",
        f"impossible {slot} 30 102 5 1 10",
    ]
    with socket.create_connection(("127.0.0.1", server.port("istatd tcp"))) as connection:
        connection.sendall("".join(line + "\n" for line in lines).encode())
        finish(connection)
    balance.wait_for(stored=9, rejected={"value": 1})
    assert server.render("web.load")["web.load"] == {slot: 1.5}
    for name in ("errors", "errors.host.a", "errors.class.b"):
        assert server.render(name)[name] == {slot: 7.0}
    expected = {"count": 11.0, "sum": 36.0, "min": 1.0, "max": 6.0, "avg": 36 / 11}
    for statistic, value in expected.items():
        assert list(server.values(f"stat(took,'{statistic}')")) == [pytest.approx(value)]
    # Sums of squares: 102 + 36.
    sdev = (138 / 11 - (36 / 11) ** 2) ** 0.5
    assert list(server.values("stat(took,'sdev')")) == [pytest.approx(sdev)]


def test_the_front_end_gets_its_files_its_names_its_buckets_and_its_settings(server: Server) -> None:
    slot = int(time.time()) // 10 * 10 - 60
    balance = Balances(server, "istatd tcp")
    with socket.create_connection(("127.0.0.1", server.port("istatd tcp"))) as connection:
        connection.sendall(f"*front.hits {slot} 30\nfront.took {slot} 30 102 1 5 10\n".encode())
        finish(connection)
    balance.wait_for(stored=2, rejected={})
    url = f"http://127.0.0.1:{server.port('istatd-http tcp')}"
    assert "graph.js" in httpx2.get(f"{url}/").text
    assert httpx2.get(f"{url}/files/graph.js").text == "'use strict';"
    nodes = httpx2.get(f"{url}/?q=front*").json()["matching_names"]
    assert [(one["name"], one["type"]) for one in nodes] == [("front", 2), ("front.hits", 1), ("front.took", 0)]
    body = {"start": slot - 20, "stop": slot + 20, "keys": ["front.hits", "front.took"], "maxSamples": 600}
    told = httpx2.post(f"{url}/*", json=body).json()
    assert [row["avg"] for row in told["front.hits"]["data"]] == [0, 0, 3, 0]
    (took,) = told["front.took"]["data"]
    assert took["sdev"] == pytest.approx((12 / 9) ** 0.5)
    assert {key: took[key] for key in ("time", "count", "min", "max", "sum", "sumsq", "avg")} == {
        "time": slot,
        "count": 10,
        "min": 1,
        "max": 5,
        "sum": 30,
        "sumsq": 102,
        "avg": 3,
    }
    dashboard = {"dashboard.main": '{"graphs":[["front.hits"]]}'}
    assert httpx2.post(f"{url}/?s=global", json=dashboard).json() == {"success": True}
    assert httpx2.get(f"{url}/?s=global&sk=dashboard.*").json() == dashboard
    assert (server.root / "data" / "istatd-settings" / "global.set").is_file()


def test_bad_datagrams_stop_nobody(server: Server) -> None:
    """istatd stops reading for up to two seconds after each."""
    balance = Balances(server, "istatd udp")
    address = "127.0.0.1", server.port("istatd udp")
    bad = [b"no newline", b"x", b"\n", b"\xff" * 100 + b"\n", b"a^^b\n"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for k in range(50):
            sender.sendto(bad[k % len(bad)], address)
            sender.sendto(f"goes.on {int(time.time())} {k}\n".encode(), address)
    balance.wait_for(stored=50, rejected={"fields": 30, "value": 10})
    assert sum(server.values("stat(goes.on,'count')")) == 50.0
