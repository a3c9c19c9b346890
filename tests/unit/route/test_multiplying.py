"""Names that become several, and names that become others by who sends them: decided once, then looked up."""

import numpy as np
import pytest

from tallystick.config import Rule
from tallystick.kernels.names import NameTable
from tallystick.ledger.attribution import Senders
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.route import AS_SENT, Router
from tallystick.store.names.catalog import SeriesCatalog

SENDERS = {
    0: ("carbon tcp://x:2003", "10.0.0.1"),
    1: ("statsd udp://x:8125", "10.0.0.2"),
    2: ("statsd udp://x:8125", "10.0.0.3"),
}


class House:
    """A router in front of a catalog, and senders that it can tell apart."""

    def __init__(self, *rules: Rule, entries_max: int = 1000) -> None:
        self.names = NameTable(entries_max)
        self.catalog = SeriesCatalog()
        self.router = Router(self.names, self.catalog.create, rules)
        self.router.told_by(lambda account: SENDERS[account])

    def send(self, *names: str, kind: Kind = Kind.COUNTER, account: int = 0) -> list[str]:
        """Names of the series that samples of these names go to; the reasons of those that do not."""
        ids = self.names.intern_many([name.encode() for name in names])
        kinds = np.full(len(ids), kind, np.uint8)
        refused = None
        if self.router.watchful:
            ids, refused = self.router.discern(ids, kinds, Senders.one(account, len(ids)))
        if refused is not None:
            return [Reason(reason).name for reason in refused.tolist()]
        batch = SampleBatch.of(ids, np.zeros(len(ids), np.int64), np.zeros(len(ids)), kind=kinds)
        if self.router.multiplies:
            self.router.settle(batch)
            found = self.router.multiplied(ids)
            assert (found.kinds == AS_SENT).all()
            rows = np.concatenate([np.arange(len(ids)), found.rows])
            entries = np.concatenate([ids, found.entries])[np.argsort(rows, kind="stable")]
            batch = batch.take(np.sort(rows)).with_ids(entries)
        routed = self.router.route(batch)
        refusals = [reason.name for reason, _ in routed.rejects.examples]
        return self.catalog.names(routed.batch.ids) + refusals


COPY = Rule(multiplex=("apps.{name}",))


def test_a_counter_goes_to_all_its_names_and_a_gauge_to_one():
    house = House(COPY)
    assert house.send("a", "b", "a") == ["a", "apps.a", "b", "apps.b", "a", "apps.a"]
    assert house.send("level", kind=Kind.GAUGE) == ["level"]
    assert house.send("b") == ["b", "apps.b"]


def test_names_are_others_by_who_sends_them():
    house = House(Rule(source=("statsd",), prefix="{peer}"))
    assert house.send("x") == ["x"]
    assert house.send("x", account=1) == ["10_0_0_2.x"]
    assert house.send("x", account=2) == ["10_0_0_3.x"]
    assert house.send("x", "y") == ["x", "y"]


def test_senders_that_no_rule_tells_apart_share_what_was_decided():
    house = House(Rule(source=("statsd",), prefix="app"))
    assert house.send("x", account=1) == ["app.x"]
    known = len(house.names)
    assert house.send("x", account=2) == ["app.x"]
    assert len(house.names) == known


def test_names_are_others_by_their_kind_and_then_may_be_sent_as_several_kinds():
    house = House(Rule(prefix="{type}"))
    assert house.send("x", kind=Kind.TIMING) == ["timings.x"]
    assert house.send("x", kind=Kind.COUNTER) == ["counters.x"]


def test_a_made_name_that_is_a_series_of_another_kind_is_refused_and_the_sample_is_not():
    house = House(COPY)
    house.catalog.create(["apps.a"], [Kind.TIMING])
    assert house.send("a") == ["a", "KIND"]


def test_nobody_can_send_a_name_as_the_router_keeps_its_own():
    house = House(COPY)
    assert house.send("\x00apps.a", kind=Kind.GAUGE) == ["NAME_BYTES"]
    house.send("a")
    assert house.send("\x00apps.a") == ["NAME_BYTES"]
    assert house.send("a") == ["a", "apps.a"]


def test_rules_that_follow_are_seen_by_names_that_were_decided_about():
    house = House(COPY)
    house.send("a")
    house.router.follow([Rule(rewrite="^ -> new.")])
    assert house.send("a") == ["new.a"]
    house.router.follow([])
    assert house.send("a") == ["a"]
    house.router.follow([COPY])
    assert house.send("a") == ["a", "apps.a"]


@pytest.mark.parametrize("rule", [COPY, Rule(prefix="{type}"), Rule(rewrite="^ -> p.")])
def test_a_table_that_is_made_anew_keeps_what_leads_to_series(rule: Rule):
    house = House(rule, Rule(match="*block*", block=True))
    house.router.useless_min = 5
    before = house.send("a", "b")
    house.send(*(f"block.{k}" for k in range(30)))
    assert house.router.wasteful
    house.router.rebuild()
    assert not house.router.wasteful
    sent = len(house.names)
    assert house.send("b", "a") == [*before[len(before) // 2 :], *before[: len(before) // 2]]
    assert len(house.names) == sent, "nothing is to be learnt again"


def test_made_series_that_are_forgotten_come_again():
    house = House(COPY)
    house.send("a")
    gone = house.catalog.find("apps.a")
    house.catalog.forget(gone)
    house.router.forget(gone)
    assert house.send("a") == ["a", "apps.a"]


def test_hosts_that_cannot_be_told_apart_are_told_where_a_rule_asks_who_sends():
    house = House(Rule(prefix="{peer}"))
    house.router.told_by(lambda account: ("statsd udp://x:8125", "other"))
    assert house.router.problems() == []
    assert house.send("x") == ["other.x"]
    (problem,) = house.router.problems()
    assert "statsd udp://x:8125" in problem and "ledger.peers_max" in problem
    house.router.follow([Rule(prefix="p")])
    assert house.router.problems() == []
