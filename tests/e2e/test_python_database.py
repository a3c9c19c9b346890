"""Numbers in a Python program: from a server over HTTP and from its directory, at the same time, the same."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest

import tallystick
from servers import CARBON, START_S_MAX, Server, running_server, wait_until
from tallystick.database import Database, Result
from tallystick.model.errors import QueryError, ServerError, StoreError

pytestmark = pytest.mark.timeout(START_S_MAX + 60)

TOKEN = "correct horse"
STATSD = '\n[[listeners]]\nprotocol = "statsd"\naddress = "udp://127.0.0.1:0"\n'
START_S, END_S = int(time.time()) // 60 * 60 - 7200, int(time.time()) // 60 * 60 - 600
TARGETS = [
    "door.web*.load",
    "sumSeries(door.web*.load)",
    "aliasByNode(highestMax(door.web*.load, 2), 1)",
    "movingAverage(door.web1.load, 6)",
    "seriesByTag('name=door.disk', 'host=~web[12]')",
    "door.no.such",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two samples a slot of four series over two hours, and some that are tagged."""
    with running_server(tmp_path_factory.mktemp("door"), f'token = "{TOKEN}"\n{CARBON}{STATSD}') as started:
        random = np.random.default_rng(3)
        lines = [
            f"door.web{i}.load {random.normal(100 * i, 9):.3f} {at}"
            for at in range(START_S, END_S, 5)
            for i in range(1, 5)
        ]
        lines += [f"door.disk;host=web{i} {i} {at}" for i in range(1, 4) for at in range(START_S, END_S, 60)]
        started.send(*lines)
        started.wait_until_safe()
        yield started


@pytest.fixture(scope="module")
def remote(server: Server) -> Database:
    return tallystick.connect(server.url, token=TOKEN)


@pytest.fixture(scope="module")
def local(server: Server) -> Iterator[Database]:
    with tallystick.open(server.root / "data") as database:
        yield database


def same(one: Result, other: Result) -> None:
    assert (one.names, one.tags, one.kinds, one.kept_s) == (other.names, other.tags, other.kinds, other.kept_s)
    assert (one.start_s, one.step_s, one.statistics) == (other.start_s, other.step_s, other.statistics)
    for word in one.statistics:
        np.testing.assert_array_equal(one.to_numpy(word), other.to_numpy(word))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("more", [{}, {"step": "5m", "statistics": ["min", "max", "count", "p99"]}, {"points": 50}])
def test_both_doors_give_the_same_numbers(
    remote: Database, local: Database, target: str, more: dict[str, object]
) -> None:
    asked = remote.query(target, START_S, END_S, **more)
    same(asked, local.query(target, START_S, END_S, **more))
    assert bool(len(asked)) == (target != "door.no.such")


def test_the_numbers_are_those_that_were_sent(server: Server, remote: Database) -> None:
    result = remote.query("door.web*.load", START_S, END_S, statistics=["default", "count"])
    assert result.values.shape == (4, (END_S - START_S) // 10)
    assert (result.to_numpy("count")[:, :-1] == 2).all()
    rendered = server.get("/render", target="door.web2.load", format="json", until=END_S, **{"from": START_S})[0][
        "datapoints"
    ]
    np.testing.assert_array_equal(result.values[1], np.array([value for value, _ in rendered], float))
    assert result.to_pandas()["door.web2.load", "default"].iloc[0] == rendered[0][0]


def test_what_is_known_beside_the_numbers_is_the_same(remote: Database, local: Database) -> None:
    for database in (remote, local):
        assert database.find("door.*.load") == [f"door.web{i}.load" for i in range(1, 5)]
        assert database.find(tags=["name=door.disk", "host!=web3"]) == ["door.disk;host=web1", "door.disk;host=web2"]
        assert database.browse("door.web*") == [f"door.web{i}" for i in range(1, 5)]
        assert database.search("web3 LOAD") == ["door.web3.load"]
    assert remote.series("door.*.load") == local.series("door.*.load")
    assert {one.last_seen_s for one in remote.series("door.*.load")} == {END_S - 10}
    parts = remote.parts("door.*.load", END_S - 40 * 86400, END_S)
    assert parts == local.parts("door.*.load", END_S - 40 * 86400, END_S)
    assert [part.step_s for part in parts] == [300, 60, 10]
    assert set(local.find()) <= set(remote.find())


def test_what_a_server_acknowledged_is_there_after_a_refresh(server: Server, local: Database) -> None:
    for number in range(1, 6):
        at = int(time.time())
        line = f"door.fresh {number} {at}\n"
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert httpx2.post(f"{server.url}/api/write", content=line, headers=headers, timeout=30).is_success
        local.refresh()
        found = local.query("door.fresh", at - 600, at + 60, statistics=["last", "count"])
        assert np.nansum(found.to_numpy("count")) == number
        assert found.values[~np.isnan(found.values)][-1] == number


def test_a_timing_has_its_percentiles_by_both_doors(server: Server, remote: Database, local: Database) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for took_ms in range(1, 101):
            sender.sendto(b"door.took:%d|ms" % took_ms, ("127.0.0.1", server.port("statsd udp")))

    def arrived() -> bool:
        found = remote.query("door.took", "-5min", statistics="count")
        return bool(np.nansum(found.values) == 100)

    wait_until(arrived, "the timings")
    server.wait_until_safe()
    local.refresh()
    for database in (remote, local):
        found = database.query("door.took", "-2h", step="1h", statistics=["p50", "p99", "max"])
        assert np.nanmax(found.to_numpy("max")) == 100.0
        assert abs(np.nanmax(found.to_numpy("p99")) - 99) < 2.5


def test_a_wrong_query_is_told_the_same_by_both(remote: Database, local: Database) -> None:
    for wrong in ("scale(door.web1.load", "bogus(door.*)", "door.{web"):
        sentences = []
        for database in (remote, local):
            with pytest.raises(QueryError) as caught:
                database.query(wrong)
            sentences.append(str(caught.value))
        assert sentences[0] == sentences[1]


def test_a_server_elsewhere_wants_its_token(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)  # so that it is asked by a name that is none of this machine's
    monkeypatch.delenv("no_proxy", raising=False)
    other_name = "http://metrics.example"
    for token in (None, "wrong"):
        with pytest.raises(ServerError, match=r"expected that of its http\.token"):
            tallystick.connect(other_name, token=token)
    monkeypatch.setenv("TALLYSTICK_TOKEN", TOKEN)
    monkeypatch.setenv("TALLYSTICK_SERVER", other_name)
    assert len(tallystick.connect().find("door.web*.load")) == 4


def test_a_directory_without_a_store_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot"):
        tallystick.open(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="Not a directory; expected a store's directory"):
        tallystick.open(tmp_path / "file")


def test_a_closed_store_says_so(server: Server) -> None:
    database = tallystick.open(str(server.root / "data"))
    database.close()
    for ask in (database.find, database.refresh, lambda: database.query("door.*.load")):
        with pytest.raises(StoreError, match="it was closed"):
            ask()


def test_a_server_that_has_gone_is_told(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        remote, local = tallystick.connect(server.url), tallystick.open(tmp_path / "data")
        server.send_now("door.last", 1)
        server.wait_until_safe()
        server.kill()
        with pytest.raises(ServerError, match="expected a running 'tallystick serve' there"):
            remote.query("door.last")
        local.refresh()
        assert np.nanmax(local.query("door.last", "-5min").values) == 1.0
