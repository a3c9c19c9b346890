"""The ledger as series: each window's counts are stamped with it, and what comes late is added to it."""

from tallystick.ledger import Ledger
from tallystick.ledger.collector import LedgerCollector
from tallystick.ledger.completeness import CAUSES, kept_in
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason

SOURCE = "carbon tcp://127.0.0.1:2003"
NAME = "ledger.listeners.carbon-tcp-127_0_0_1-2003"


def given(collector: LedgerCollector) -> dict[int, dict[str, float]]:
    return {at_s: {point.name: point.value for point in points} for at_s, points in collector.collect()}


def test_a_window_is_given_once_it_is_over_and_then_only_what_is_new():
    clock = ManualClock(1_700_000_000.0)
    ledger = Ledger(clock)
    collector, account = LedgerCollector(ledger), ledger.account(SOURCE)
    account.received(5, 100)
    passage = account.passage()
    account.stored(4)
    account.rejected_for(Reason.VALUE, 1)
    assert given(collector) == {}
    clock.advance(10)
    first = given(collector)
    assert list(first) == [1_700_000_000]
    assert first[1_700_000_000] == {f"{NAME}.received": 5, f"{NAME}.stored": 4, f"{NAME}.rejected.value": 1}
    passage.unnamed(account.number, 2, 9)
    account.received(3, 1)
    clock.advance(10)
    assert given(collector) == {
        1_700_000_000: {f"{NAME}.received": 2},
        1_700_000_010: {f"{NAME}.received": 3, f"{NAME}.stored": 0},
    }
    assert given(collector) == {}


def test_at_the_end_the_window_that_is_not_over_is_given_too():
    clock = ManualClock(1_700_000_000.0)
    ledger = Ledger(clock)
    collector, account = LedgerCollector(ledger), ledger.account(SOURCE)
    account.received(5, 100)
    clock.advance(10)
    account.received(2, 9)
    found = {at_s: sum(p.value for p in points) for at_s, points in collector.collect(final=True)}
    assert found == {1_700_000_000: 5, 1_700_000_010: 2}


def test_peers_have_series_of_their_own_and_all_are_counters():
    clock = ManualClock(1_700_000_000.0)
    ledger = Ledger(clock)
    ledger.account(SOURCE, "10.0.0.1").refused(Reason.FIELDS, 2, 30)
    clock.advance(10)
    ((_, points),) = LedgerCollector(ledger).collect()
    assert {p.name: p.value for p in points if ".peers." in p.name} == {
        "ledger.peers.carbon-tcp-127_0_0_1-2003.10_0_0_1.received": 2,
        "ledger.peers.carbon-tcp-127_0_0_1-2003.10_0_0_1.stored": 0,
        "ledger.peers.carbon-tcp-127_0_0_1-2003.10_0_0_1.rejected": 2,
    }
    assert all(p.kind is Kind.COUNTER and " " not in p.name for p in points)


def test_nothing_is_lost_where_nobody_sent():
    ledger = Ledger(ManualClock())
    kept = kept_in(ledger, ledger.window())
    assert kept.lost.sum() == 0
    assert kept.lost.shape[1] == len(CAUSES)
