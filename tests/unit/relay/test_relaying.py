"""Samples handed on to other servers: which, to whom, as what lines; bounded and counted where a server is away."""

from collections.abc import Iterator

import numpy as np
import pytest

from line_server import LineServer, line_server
from servers import wait_until
from tallystick.config import Config, parse
from tallystick.kernels.lines import Lines, written
from tallystick.kernels.packed import padded
from tallystick.ledger import Ledger
from tallystick.model.clock import ManualClock
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.relay import Relaying
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000


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
def sinks() -> Iterator[list[LineServer]]:
    with line_server() as first, line_server() as second:
        yield [first, second]


def arrived(sink: LineServer, count: int) -> list[str]:
    return sorted(line.decode().rstrip("\n") for line in sink.wait_for(count))


def test_levels_are_handed_on_as_they_were_sent_and_kept_as_well(sinks: list[LineServer]):
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


def test_what_is_not_kept_is_counted_as_relayed_and_stop_ends_the_row_of_relays(sinks: list[LineServer]):
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


def test_names_are_spread_by_the_hash(sinks: list[LineServer]):
    first, second = (sink.port for sink in sinks)
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{first}=a", "127.0.0.1:{second}=b"]\nway = "jump_fnv1a_ch"\n')
    way.relaying.start()
    way.send(*(f"n{k} 1 {NOW_S}" for k in range(200)))
    wait_until(lambda: len(sinks[0].lines) + len(sinks[1].lines) == 200, "all lines")
    assert min(len(sink.lines) for sink in sinks) > 50
    way.relaying.stop()


@pytest.mark.parametrize("name", ["any", "failover"])
def test_another_server_takes_what_one_cannot_that_is_away(sinks: list[LineServer], name: str):
    away, there = sinks
    away.close()
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{away.port}", "127.0.0.1:{there.port}"]\nway = "{name}"\n')
    way.relaying.start()
    names = [f"n{k}" for k in range(20)]
    way.send(*(f"{one} 1 {NOW_S}" for one in names))
    wait_until(lambda: way.relaying.problems(), "the server to be missed")
    before = len(there.lines)
    way.send(*(f"{one} 2 {NOW_S}" for one in names))
    wait_until(lambda: sum(line.split()[1] == b"2" for line in there.lines) == 20, "all lines at the other one")
    assert before <= 20
    way.relaying.stop()


def test_what_a_server_cannot_take_is_counted_by_the_ledger(sinks: list[LineServer]):
    sinks[0].close()
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}"]\nqueue_bytes_max = 65536\n')
    for k in range(10):
        way.send(*(f"n{j:095d} {k} {NOW_S}" for j in range(100)))
    standing = way.relaying.standings()[0]
    assert standing.server == f"127.0.0.1:{sinks[0].port}"
    assert standing.waiting_bytes <= 65536
    assert standing.waiting + standing.dropped == 1000
    account = way.ledger.account(f"relay {standing.server}")
    assert account.snapshot().queue_drops == standing.dropped > 0


def test_lines_arrive_after_a_server_was_away(sinks: list[LineServer]):
    port = sinks[0].port
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{port}"]\n')
    way.relaying.start()
    way.send(f"a 1 {NOW_S}")
    arrived(sinks[0], 1)
    sinks[0].close()
    way.send(f"a 2 {NOW_S}")
    wait_until(lambda: way.relaying.problems(), "the server to be missed")
    sinks[0].open()
    assert arrived(sinks[0], 2) == [f"a 1 {NOW_S}", f"a 2 {NOW_S}"]
    way.relaying.stop()


def test_entries_of_a_table_that_is_made_anew_are_looked_at_anew(sinks: list[LineServer]):
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}"]\nmatch = "a.*"\n')
    way.relaying.start()
    way.send(f"b.x 1 {NOW_S}", f"a.x 1 {NOW_S}")
    way.store.delete(way.store.catalog.find("b.x"))
    way.router.rebuild()
    way.send(f"a.x 2 {NOW_S}", f"b.x 2 {NOW_S}")
    assert arrived(sinks[0], 2) == [f"a.x 1 {NOW_S}", f"a.x 2 {NOW_S}"]
    way.relaying.stop()


def test_names_that_only_others_have_keep_their_place_in_the_table(sinks: list[LineServer]):
    way = Way(f'[[relay]]\nservers = ["127.0.0.1:{sinks[0].port}"]\nkeep = false\n')
    way.router.useless_min = 10
    for _ in range(3):
        way.send(*(f"n{k} 1 {NOW_S}" for k in range(100)))
        assert not way.router.wasteful
    way.router.rebuild()
    assert len(way.names) == 100


def test_names_are_handed_on_as_they_were_sent_whatever_rules_make_of_them_for_whom(sinks: list[LineServer]):
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
