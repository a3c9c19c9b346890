"""Samples handed on to other servers: which, to whom, as what lines; bounded and counted where a server is away."""

import socket
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from servers import wait_until
from tallystick.config import Config, parse
from tallystick.kernels.lines import Lines, written
from tallystick.kernels.packed import padded
from tallystick.ledger import Ledger
from tallystick.model.clock import ManualClock
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.relay import Destination, Relaying
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000


class Sink:
    """A server that keeps the lines that it is sent."""

    def __init__(self, port: int = 0) -> None:
        self.lines: list[str] = []
        self.listening = socket.create_server(("127.0.0.1", port))
        self.port = int(self.listening.getsockname()[1])
        self.connections: list[socket.socket] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        rest = b""
        while data := connection.recv(65536):
            *lines, rest = (rest + data).split(b"\n")
            self.lines += [line.decode() for line in lines]

    def close(self) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)


class Way:
    def __init__(self, config: str) -> None:
        self.clock = ManualClock(float(NOW_S))
        self.ledger, self.store, self.names = Ledger(self.clock), MemoryStore(), NameTable()
        self.relaying = Relaying(configured(config).relay, self.ledger)
        self.router = Router(self.names, self.store.create, configured(config).rules)
        limits = IntakeLimits(3600, 86_400)
        self.intake = Intake(
            self.names, self.router, self.store, self.ledger, self.clock, limits, relaying=self.relaying
        )
        self.account = self.ledger.account("tcp", "10.0.0.1")

    def send(self, *lines: str, protocol: str = "carbon") -> None:
        text = "".join(f"{line}\n" for line in lines).encode()
        parser = protocols()[protocol]()
        self.intake.parse_stream(parser, padded(text), len(text), self.account, skipping=False, final=True)

    def became(self) -> tuple[int, dict[str, int]]:
        balance = self.account.snapshot()
        assert balance.in_flight == 0
        return balance.stored, balance.rejected


def configured(text: str) -> Config:
    return parse(text, "test")


@pytest.fixture
def sinks() -> Iterator[list[Sink]]:
    made = [Sink(), Sink()]
    yield made
    for one in made:
        one.close()


def arrived(sink: Sink, count: int) -> list[str]:
    return wait_until(lambda: sorted(sink.lines) if len(sink.lines) >= count else [], f"{count} lines")


def test_levels_are_handed_on_as_they_were_sent_and_kept_as_well(sinks: list[Sink]):
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}", "127.0.0.1:{sinks[1].port}"]\n')
    way.relaying.start()
    values = ["5", "-0.25", "12.3333333333", "1e300", "0.1", "123456789012345680", "-7", "1e-7"]
    way.send(*(f"a..b;z=1;k=2.n{k} {value} {NOW_S + k}" for k, value in enumerate(values)))
    way.send("hits:5|c", "level:7|g", "ms:3|ms", protocol="statsd")
    for sink in sinks:
        lines = arrived(sink, len(values) + 1)
        assert len(lines) == len(values) + 1
        found = {line.split()[0]: line.split()[1:] for line in lines}
        assert found.pop("level")[0] == "7"
        for k, value in enumerate(values):
            told, at = found[f"a..b;z=1;k=2.n{k}"]
            assert (float(told), at) == (float(value), str(NOW_S + k))
    assert way.became() == (len(values) + 3, {})
    way.relaying.stop()


def test_what_is_not_kept_is_counted_as_relayed_and_stop_ends_the_row_of_relays(sinks: list[Sink]):
    way = Way(
        f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}"]\nregex = "^old\\\\."\nkeep = false\nstop = true\n'
        f'[[relay]]\nservers = ["127.0.0.1:{sinks[1].port}"]\nmatch = "*.cpu"\n'
    )
    way.relaying.start()
    way.send(f"old.a.cpu 1 {NOW_S}", f"new.a.cpu 2 {NOW_S}", f"new.b 3 {NOW_S}")
    assert arrived(sinks[0], 1) == [f"old.a.cpu 1 {NOW_S}"]
    assert arrived(sinks[1], 1) == [f"new.a.cpu 2 {NOW_S}"]
    assert way.became() == (2, {"relayed": 1})
    assert way.store.catalog.find("old.a.cpu").tolist() == [], "what is not kept is no series"
    way.relaying.stop()


def test_names_are_spread_by_the_hash(sinks: list[Sink]):
    first, second = (sink.port for sink in sinks)
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{first}=a", "127.0.0.1:{second}=b"]\nway = "jump_fnv1a_ch"\n')
    way.relaying.start()
    way.send(*(f"n{k} 1 {NOW_S}" for k in range(200)))
    wait_until(lambda: len(sinks[0].lines) + len(sinks[1].lines) == 200, "all lines")
    assert min(len(sink.lines) for sink in sinks) > 50
    way.relaying.stop()


@pytest.mark.parametrize("name", ["any", "failover"])
def test_another_server_takes_what_one_cannot_that_is_away(sinks: list[Sink], name: str):
    away, there = sinks
    away.close()
    away.listening = socket.create_server(("127.0.0.1", 0))
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{away.port}", "127.0.0.1:{there.port}"]\nway = "{name}"\n')
    way.relaying.start()
    names = [f"n{k}" for k in range(20)]
    way.send(*(f"{one} 1 {NOW_S}" for one in names))
    wait_until(lambda: way.relaying.problems(), "the server to be missed")
    before = len(there.lines)
    way.send(*(f"{one} 2 {NOW_S}" for one in names))
    wait_until(lambda: sum(line.split()[1] == "2" for line in there.lines) == 20, "all lines at the other one")
    assert before <= 20
    way.relaying.stop()


def test_what_a_server_cannot_take_waits_bounded_and_the_oldest_gives_way_and_is_counted():
    clock = ManualClock()
    account = Ledger(clock).account("relay x")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    destination = Destination("127.0.0.1", port, 100, account)
    for k in range(10):
        destination.offer(b"%02d" % k * 10, 1)
    standing = destination.standing()
    assert (standing.waiting, standing.waiting_bytes, standing.dropped) == (5, 100, 5)
    assert account.snapshot().queue_drops == 5
    sink = Sink(port)
    destination.start()
    wait_until(lambda: destination.standing().sent == 5, "what was left to be sent")
    destination.stop()
    sink.close()


def test_lines_arrive_after_a_server_was_away(sinks: list[Sink]):
    port = sinks[0].port
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{port}"]\n')
    way.relaying.start()
    way.send(f"a 1 {NOW_S}")
    arrived(sinks[0], 1)
    sinks[0].close()
    way.send(f"a 2 {NOW_S}")
    wait_until(lambda: way.relaying.problems(), "the server to be missed")
    sinks[0] = Sink(port)
    assert arrived(sinks[0], 1) == [f"a 2 {NOW_S}"]
    way.relaying.stop()


def test_entries_of_a_table_that_is_made_anew_are_looked_at_anew(sinks: list[Sink]):
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}"]\nmatch = "a.*"\n')
    way.relaying.start()
    way.send(f"b.x 1 {NOW_S}", f"a.x 1 {NOW_S}")
    way.store.delete(way.store.catalog.find("b.x"))
    way.router.rebuild()
    way.send(f"a.x 2 {NOW_S}", f"b.x 2 {NOW_S}")
    assert arrived(sinks[0], 2) == [f"a.x 1 {NOW_S}", f"a.x 2 {NOW_S}"]
    way.relaying.stop()


def test_names_that_only_others_have_keep_their_place_in_the_table(sinks: list[Sink]):
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}"]\nkeep = false\n')
    way.router.useless_min = 10
    for _ in range(3):
        way.send(*(f"n{k} 1 {NOW_S}" for k in range(100)))
        assert not way.router.wasteful
    way.router.rebuild()
    assert len(way.names) == 100


def test_names_are_handed_on_as_they_were_sent_whatever_rules_make_of_them_for_whom(sinks: list[Sink]):
    way = Way(
        f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}"]\n'
        '[[rules]]\nsource = ["10.0.0.1"]\nprefix = "one"\n'
        '[[rules]]\nmatch = "one.b"\nmultiplex = ["more.b"]\nkinds = ["gauge"]\n'
    )
    way.relaying.start()
    way.send(f"a 1 {NOW_S}", f"b 2 {NOW_S}")
    assert arrived(sinks[0], 2) == [f"a 1 {NOW_S}", f"b 2 {NOW_S}"]
    names = sorted(way.store.catalog.names(way.store.catalog.ids()))
    assert names == ["more.b", "one.a", "one.b"]
    way.relaying.stop()


def test_every_number_reads_back_as_itself():
    lot = np.random.default_rng(7)
    values = np.concatenate(
        [
            lot.integers(0, 2**64, 5000, np.uint64).view(np.float64),
            lot.normal(0, 1000, 5000),
            np.round(lot.normal(0, 1000, 5000), 3),
            np.array([0.0, -0.0, 5e-324, 1.7976931348623157e308, 2.0**53, 2.0**53 - 1, 0.3, 1e22, 123456.789]),
        ]
    )
    values = values[np.isfinite(values)]
    ids, times = np.zeros(len(values), np.int32), np.full(len(values), NOW_S * 1000)
    arena, offsets = padded(b"name"), np.array([0, 4])
    rows = Lines(ids, np.zeros(1, np.uint8), arena, offsets, times, values)
    text, lines = written(rows, np.ones(1, np.uint64), 0, 80 * len(values))
    assert lines == len(values)
    found = [float(line.split()[1]) for line in text.decode().splitlines()]
    assert found == values.tolist()
