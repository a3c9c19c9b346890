"""Samples and tallied slots that rules multiply and aggregate: stored exactly, and accounted for as made."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tallystick.config import Rule
from tallystick.kernels.packed import padded
from tallystick.ledger import Balance, Ledger
from tallystick.ledger.invariants import broken_laws
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.parse import NameTable, Parsed, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.route import Router
from tallystick.store.conformance.tallies import tallied_by_sender
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_400
Statsd = protocols()["statsd"]


class Tallying(Statsd):
    """Reads StatsD's lines, and gives what it read as slots that a sender tallied."""

    def parse(self, *given, **options) -> Parsed:
        parsed = super().parse(*given, **options)
        tallies = tallied_by_sender(parsed.batch)
        lines = len(tallies) + parsed.rejects.total
        return replace(parsed, batch=parsed.batch.take(slice(0)), tallies=tallies, lines=lines)


class Way:
    def __init__(self, *rules: Rule, series_max: int = 1000) -> None:
        self.clock = ManualClock(float(NOW_S + 5))
        self.store = MemoryStore(clock=self.clock)
        self.names = NameTable(series_max)
        self.ledger = Ledger(self.clock)
        self.router = Router(self.names, self.store.create, rules)
        limits = IntakeLimits(600, 86_400)
        self.intake = Intake(self.names, self.router, self.store, self.ledger, self.clock, limits)

    def send(self, *lines: str, peer: str = "10.0.0.1", tallied: bool = False) -> Balance:
        text = "".join(line + "\n" for line in lines).encode()
        parser = Tallying() if tallied else Statsd()
        account = self.ledger.account("statsd", peer)
        self.intake.parse_stream(parser, padded(text), len(text), account, skipping=False, final=True)
        assert broken_laws(self.ledger) == []
        found = account.snapshot()
        assert found.in_flight == 0
        return found

    def read(self, name: str, *statistics: Statistic) -> list[float]:
        ids = self.store.catalog.find(name)
        assert len(ids) == 1, name
        found = self.store.read(ids, NOW_S, NOW_S + 10, 10, statistics)
        return [float(found[one][0, 0]) for one in statistics]

    def percentile(self, name: str, rank: float) -> float:
        ids = self.store.catalog.find(name)
        return float(self.store.percentiles(ids, NOW_S, NOW_S + 10, 10, [rank])[rank][0, 0])


HOSTS = Rule(match="hosts.*", multiplex=(r"^hosts\.\w+ -> apps",))
COUNT, SUM, MIN, MAX, LAST = Statistic.COUNT, Statistic.SUM, Statistic.MIN, Statistic.MAX, Statistic.LAST


def both(way: Sequence[str], *rules: Rule) -> list[Way]:
    """The same lines as samples and as tallied slots."""
    ways = [Way(*rules), Way(*rules)]
    for one, tallied in zip(ways, (False, True), strict=True):
        one.send(*way, tallied=tallied)
    return ways


def test_counters_and_timings_of_hosts_add_up_exactly_for_the_cluster() -> None:
    lines = [f"hosts.web{k}.{what}" for k in range(4) for what in (f"hits:{k + 1}|c|@0.5", f"time:{10 * k}|ms")]
    for way in both(lines, HOSTS):
        assert way.read("apps.hits", SUM, COUNT) == [20.0, 8.0]
        assert way.read("hosts.web3.hits", SUM) == [8.0]
        assert way.read("apps.time", COUNT, SUM, MIN, MAX) == [4.0, 60.0, 0.0, 30.0]
        assert abs(way.percentile("apps.time", 100) - 30) < 0.5


def test_sets_count_a_member_once_for_the_cluster() -> None:
    for way in both(["hosts.a.users:me|s", "hosts.b.users:me|s", "hosts.b.users:you|s"], HOSTS):
        assert round(way.read("apps.users", Statistic.DEFAULT)[0]) == 2


def test_gauges_are_not_multiplexed() -> None:
    way = Way(HOSTS)
    balance = way.send("hosts.a.load:1|g")
    assert (balance.received, balance.made, balance.stored) == (1, 0, 1)
    assert len(way.store.catalog) == 1


def test_what_rules_make_has_a_term_of_its_own_below_the_prefix_it_goes_to() -> None:
    way = Way(HOSTS)
    balance = way.send("hosts.a.x:1|c", "hosts.b.x:1|c", "other:1|c")
    assert (balance.received, balance.parsed, balance.made, balance.stored) == (3, 3, 2, 5)
    by_prefix = {one.prefix: (one.received, one.made, one.stored) for one in way.ledger.by_prefix() if one.prefix}
    assert by_prefix == {
        "hosts.a": (1, 0, 1),
        "hosts.b": (1, 0, 1),
        "other": (1, 0, 1),
        "apps": (0, 2, 2),
    }


def test_made_rows_that_find_no_series_are_refused_for_their_own_reason() -> None:
    way = Way(HOSTS)
    way.store.create(["apps.x"], [Kind.TIMING])
    balance = way.send("hosts.a.x:1|c")
    assert (balance.received, balance.made, balance.stored, balance.rejected) == (1, 1, 1, {"kind": 1})


def test_inputs_can_be_kept_in_their_aggregate_only() -> None:
    lines = ["web1.hits:2|c", "web2.hits:3|c"]
    for way in both(lines, Rule(aggregate="all.hits (10) = sum web*.hits", keep=False)):
        assert way.read("all.hits", SUM) == [5.0]
        assert len(way.store.catalog) == 1
        balance = way.ledger.account("statsd", "10.0.0.1").snapshot()
        assert (balance.received, balance.made, balance.stored) == (2, 2, 2)
        assert balance.rejected == {"aggregated": 2}


def test_percentiles_are_made_of_samples_of_any_kind_and_of_tallied_slots() -> None:
    rule = Rule(aggregate="all.<what> (10) = p95 web*.<what>")
    lines = [f"web{k}.time:{k}|ms" for k in range(1, 101)]
    for way in both(lines, rule):
        assert abs(way.percentile("all.time", 95) - 95) < 1.5
    for way in both([f"web{k}.load:{k}|g" for k in range(1, 101)], rule):
        assert abs(way.percentile("all.load", 50) - 50) < 1.0
        assert way.read("all.load", COUNT, SUM, MIN, MAX) == [100.0, 5050.0, 1.0, 100.0]
        assert way.read("web7.load", COUNT, LAST) == [1.0, 7.0]


def test_a_tallied_counter_is_one_value_to_percentiles_its_sum() -> None:
    way = Way(Rule(aggregate="all.<what> (10) = p50 web*.<what>"))
    lines = [f"web{k}.hits:1|c" for k in (1, 2, 3) for _ in range(10 * k)]
    way.send(*lines, "web1.time:5|ms", "web1.time:7|ms", tallied=True)
    assert way.read("all.hits", COUNT, SUM) == [3.0, 60.0]
    assert abs(way.percentile("all.hits", 50) - 20) < 0.5
    assert way.read("all.time", COUNT, SUM, MAX) == [2.0, 12.0, 7.0]
    assert way.read("web3.hits", SUM) == [30.0]


def test_hosts_are_told_apart_by_who_sends() -> None:
    way = Way(Rule(prefix="hosts.{peer}.{type}"), Rule(multiplex=("apps.{type}.{sent}",)))
    for peer in ("10.0.0.1", "10.0.0.2"):
        way.send("hits:1|c", "time:1|ms", "level:5|g", peer=peer)
    names = way.store.catalog.names(way.store.catalog.ids())
    assert sorted(names) == sorted(
        ["apps.counters.hits", "apps.timings.time"]
        + [f"hosts.10_0_0_{k}.{name}" for k in (1, 2) for name in ("counters.hits", "timings.time", "gauges.level")]
    )
    assert way.read("apps.counters.hits", SUM) == [2.0]


def test_names_that_find_no_place_in_the_table_are_refused_and_found_once_there_is_one() -> None:
    way = Way(HOSTS, series_max=4)
    balance = way.send("hosts.a.x:1|c", "hosts.b.y:1|c")
    assert balance.received == 2
    assert balance.received + balance.made == balance.stored + balance.rejected["series_limit"]
    assert balance.stored < 4


def test_a_sample_that_comes_too_late_for_its_series_is_found_again_with_what_was_made_of_it() -> None:
    way = Way(HOSTS)
    way.send("hosts.a.x:1|c")
    way.store.when_forgotten(way.intake.forget)
    way.store.delete(way.store.catalog.find("apps.x"))
    way.send("hosts.a.x:2|c")
    assert way.read("apps.x", SUM) == [2.0]
    assert way.read("hosts.a.x", SUM) == [3.0]


def test_who_sends_what_the_router_keeps_for_itself_is_refused() -> None:
    way = Way(HOSTS)
    way.send("hosts.a.x:1|c")
    ids = np.zeros(1, np.int32)
    batch = SampleBatch.of(ids, [NOW_S * 1000], [1.0], kind=Kind.COUNTER)
    way.intake.take([b"\x00apps.x"], batch, way.ledger.account("own"))
    assert way.ledger.account("own").snapshot().rejected == {"name_bytes": 1}
    assert way.read("apps.x", SUM) == [1.0]
    assert broken_laws(way.ledger) == []
