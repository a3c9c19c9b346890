"""The native client and a real server: each batch counts once whoever is killed, and the ledger knows what was made."""

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import START_S_MAX, Server, running_server, wait_until
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native.client import NativeClient
from tallystick.native.messages import Slot

pytestmark = pytest.mark.timeout(START_S_MAX + 240)

NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
"""
SERIES = 50
WAIT_S = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path, NATIVE) as started:
        yield started


def client_of(server: Server) -> NativeClient:
    client = NativeClient(Address("tcp", "127.0.0.1", server.port("native tcp")), "web1")
    client.start()
    return client


def slots(at_s: int) -> list[Slot]:
    spread = (4.0, 10.0, 5.0, 1.0, 4.0)
    return [Slot(f"native.n{k}", Kind.COUNTER, at_s * 1000, 4.0, spread) for k in range(SERIES)]


def test_each_batch_counts_once_when_the_server_is_killed_in_the_middle(server: Server) -> None:
    begin_s = int(time.time()) // 10 * 10 - 3000
    client = client_of(server)
    given = 0
    for kill in range(4):
        answered = client.counts.acknowledged
        for _ in range(20):
            client.offer(slots(begin_s + 10 * given))
            given += 1
        if kill == 3:
            break
        # Some batches are on disk and not answered, some are on their way, some were never sent.
        wait_until(lambda before=answered: client.counts.acknowledged > before, "an answer")
        server.kill()
        server.start()
    assert client.wait_acknowledged(WAIT_S)
    assert client.counts.connects >= 4
    client.stop()
    assert (client.counts.given, client.counts.acknowledged, client.counts.dropped) == (
        given * SERIES,
        given * SERIES,
        0,
    )
    for statistic, value in (("sum", 10.0), ("count", 4.0)):
        found = server.render(f"stat(native.*,'{statistic}')", since="-2h")
        assert len(found) == SERIES
        for values in found.values():
            assert [values.get(begin_s + 10 * k) for k in range(given)] == [value] * given


def test_a_program_with_a_thousand_files_open_can_send(server: Server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
        files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        while files.enter_context(Path("/dev/null").open("rb")).fileno() < 1100:
            pass
        client = client_of(server)
        client.offer(slots(int(time.time())))
        assert client.wait_acknowledged(WAIT_S)
        client.stop()


def test_what_was_made_is_what_is_stored(server: Server) -> None:
    client = client_of(server)
    now = int(time.time()) // 10 * 10
    for k in range(5):
        client.offer(slots(now - 10 * k))
    client.offer([Slot("native.bad", Kind.GAUGE, now * 1000, 1.0, (0.0, 0.0, 0.0, 0.0, 0.0))])
    assert client.wait_acknowledged(WAIT_S)
    client.stop()
    door = f"native tcp://{server.doors['native tcp']}"
    balance = server.balance(door)
    assert (balance["generated"], balance["received"], balance["stored"]) == (
        5 * SERIES + 1,
        5 * SERIES + 1,
        5 * SERIES,
    )
    assert (balance["rejected"], balance["in_flight"]) == ({"value": 1}, 0)


def test_what_a_client_has_no_room_for_is_known_to_the_ledger(server: Server) -> None:
    client = NativeClient(Address("tcp", "127.0.0.1", server.port("native tcp")), "web1", buffer_bytes_max=1000)
    now = int(time.time()) // 10 * 10
    for k in range(5):
        client.offer(slots(now - 10 * k))  # nothing is sent before it is started
    client.start()
    assert client.wait_acknowledged(WAIT_S)
    client.offer(slots(now))
    assert client.wait_acknowledged(WAIT_S)
    client.stop()
    assert (client.counts.given, client.counts.dropped) == (6 * SERIES, 4 * SERIES)
    balance = server.balance(f"native tcp://{server.doors['native tcp']}")
    assert (balance["generated"], balance["stored"]) == (6 * SERIES, 2 * SERIES)
