"""istatd's lines over TCP and UDP are read by name, and a bad datagram stops nobody."""

import socket
import time
from collections.abc import Iterator

import pytest
from balances import Balances

from servers import START_S_MAX, Server, finish, running_server

pytestmark = pytest.mark.timeout(START_S_MAX + 120)

ISTATD = """
[[listeners]]
protocol = "istatd"
address = "tcp://127.0.0.1:0"

[[listeners]]
protocol = "istatd"
address = "udp://127.0.0.1:0"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("istatd"), ISTATD) as started:
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
