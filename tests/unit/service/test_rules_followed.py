"""Rules in a whole server: Say Media's tree, what changes while it runs, and what it says of a name."""

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from statsd import StatsClient

from tallystick.config import Config, Http, Listener, Store
from tallystick.config.rules_file import parse_rules
from tallystick.service import Service

ROOT = Path(__file__).resolve().parents[3]


def files_of(page: str) -> list[str]:
    """The pieces of TOML on a page."""
    return re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


(SAY_MEDIA,) = files_of("README.md")
HOST_OF_PEER = "{ source = ['statsd'], hosts = { '^127' = 'oak-tp-web001' } },\n"


class Server:
    def __init__(self, directory: Path, rules: str) -> None:
        self.file = directory / "rules.toml"
        self.file.write_text(rules)
        listeners = (
            Listener(protocol="carbon", address="tcp://127.0.0.1:0"),
            Listener(protocol="statsd", address="udp://127.0.0.1:0"),
        )
        http, store = Http(address="127.0.0.1:0"), Store(directory=str(directory / "data"))
        self.service = Service(Config(http=http, listeners=listeners, store=store, rules_file=str(self.file)))
        self.ports = {protocol: address.port for protocol, address in self.service.listening}
        self.http = TestClient(self.service.app(), base_url="http://127.0.0.1", client=("127.0.0.1", 1))

    def carbon(self, *names: str) -> None:
        """Send a number by each name."""
        self.lines(*(f"{name} 1 {int(time.time())}" for name in names))

    def lines(self, *lines: str) -> None:
        with socket.create_connection(("127.0.0.1", self.ports["carbon"])) as stream:
            stream.sendall("".join(f"{line}\n" for line in lines).encode())

    @property
    def statsd(self) -> StatsClient:
        return StatsClient("127.0.0.1", self.ports["statsd"])

    def series(self) -> set[str]:
        return set(self.service.store.catalog.names(self.service.store.catalog.ids()))

    def balance(self, protocol: str) -> tuple[int, int, int, int]:
        """What came by a protocol, what was made of it, what is stored, and what is on its way."""
        (one,) = [b for b in self.service.ledger.balances() if b.source.startswith(protocol)]
        return one.received, one.made, one.stored, one.in_flight

    def until_there(self, *names: str) -> None:
        until(lambda: set(names) <= self.series())


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path, SAY_MEDIA.replace("rules = [\n", f"rules = [\n{HOST_OF_PEER}", 1))
    found.service.start()
    yield found
    found.service.stop()


def test_say_media_s_two_proxies_are_five_lines(server: Server) -> None:
    assert len(parse_rules(SAY_MEDIA, "README.toml")) == 5
    assert SAY_MEDIA in files_of("docs/guides/rules.md")
    server.carbon(
        "oak-tp-web001.df.df-tmp.free",
        "hachi-fork.interface.if_octets-eth0.rx",
        "oak-tp-stg002.load.load.shortterm",
        "PROD.apps.events.puppet.run",
    )
    client = server.statsd
    client.incr("tp-web.requests", 3)
    client.timing("tp-web.status.200.time", 320)
    client.gauge("tp-web.workers", 7)
    server.until_there(
        "PROD.hosts.tp-web.oak-tp-web001.df.df-tmp.free",
        "PROD.hosts.unknown.hachi-fork.interface.if_octets-eth0.rx",
        "STAGE.hosts.tp-stg.oak-tp-stg002.load.load.shortterm",
        "PROD.apps.events.puppet.run",
        "PROD.hosts.tp-web.oak-tp-web001.counters.tp-web.requests",
        "PROD.apps.counters.tp-web.requests",
        "PROD.hosts.tp-web.oak-tp-web001.aggregate.tp-web.status.200.time",
        "PROD.apps.aggregate.tp-web.status.200.time",
        "PROD.hosts.tp-web.oak-tp-web001.gauges.tp-web.workers",
    )
    assert "PROD.apps.gauges.tp-web.workers" not in server.series()
    until(lambda: server.balance("statsd") == (3, 2, 5, 0))


def test_a_file_that_changes_is_followed_within_seconds_and_a_broken_one_is_told(server: Server) -> None:
    server.carbon("oak-tp-web001.load")
    server.until_there("PROD.hosts.tp-web.oak-tp-web001.load")
    server.file.write_text("rules = [{ source = ['carbon'], prefix = 'new' }]")
    until(lambda: len(server.http.get("/api/rules").json()["rules"]) == 1)
    server.carbon("oak-tp-web001.load")
    server.until_there("new.oak-tp-web001.load")
    server.file.write_text("rules = [{ prefx = 'new' }]")
    until(lambda: server.http.get("/healthz").json()["status"] == "degraded")
    (problem,) = server.http.get("/healthz").json()["problems"]
    assert "did you mean prefix?" in problem and "stay in force" in problem
    assert server.http.get("/api/rules").json()["problems"] == [problem]


def test_a_signal_has_the_files_read_at_once(server: Server) -> None:
    before = signal.signal(signal.SIGHUP, lambda *_: server.service.rules.hurry())
    since = server.http.get("/api/rules").json()["since"]
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: server.http.get("/api/rules").json()["since"] > since)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_server_says_what_each_rule_does_to_a_name(server: Server) -> None:
    asked = {"name": "tp-web..time", "kind": "timing", "source": "statsd", "from": "127.0.0.1"}
    found = server.http.get("/api/rules/explain", params=asked).json()
    assert found["normal"] == "tp-web.time"
    assert server.http.post("/api/rules/explain", data=asked).json() == found
    assert [rule["matched"] for rule in found["rules"]] == [True, False, True, False, True, True]
    assert found["series"] == [
        "PROD.hosts.tp-web.oak-tp-web001.aggregate.tp-web.time",
        "PROD.apps.aggregate.tp-web.time",
    ]
    assert found["refused"] == ""
    assert "expected one of gauge" in json.dumps(server.http.get("/api/rules/explain?name=a&kind=x").json())
    assert server.http.get("/api/rules/explain").status_code == 400


def test_an_aggregate_of_carbon_s_is_read_as_carbon_would_have_written_it(server: Server) -> None:
    server.file.write_text("""rules = [{ aggregate = "<env>.all.requests (60) = sum <env>.*.requests" }]""")
    until(lambda: len(server.http.get("/api/rules").json()["rules"]) == 1)
    minute = int(time.time()) // 60 * 60 - 60
    server.lines(*(f"prod.www{k}.requests {k} {minute + at}" for k in (1, 2) for at in (0, 10, 50)))
    until(lambda: server.balance("carbon")[2] == 12)
    asked = {"target": "prod.all.requests", "from": str(minute - 1), "until": str(minute), "format": "json"}
    (found,) = server.http.get("/render", params=asked).json()
    assert [point for point in found["datapoints"] if point[0] is not None] == [[9.0, minute]]
