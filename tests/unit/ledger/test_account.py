"""The ledger: what came in is what was stored, what was rejected, and what is in flight."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.ledger import Ledger
from tallystick.ledger.collector import LedgerCollector
from tallystick.ledger.offenders import OFFENDERS_MAX
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason

reasons = st.sampled_from([r for r in Reason if r is not Reason.NONE])


@given(st.lists(st.tuples(st.integers(0, 1000), st.lists(st.tuples(reasons, st.integers(0, 50))))))
def test_what_was_received_is_stored_rejected_or_in_flight(batches: list[tuple[int, list[tuple[Reason, int]]]]):
    account = Ledger(ManualClock()).account("udp")
    stored = refused = 0
    for samples, rejects in batches:
        rejected = sum(n for _, n in rejects)
        account.received(samples + rejected, 10 * samples)
        assert account.snapshot().in_flight == samples + rejected
        counts = np.zeros(len(Reason), np.int64)
        for k, (reason, n) in enumerate(rejects):
            if k % 2:
                account.rejected_for(reason, n)
            else:
                counts[reason] += n
        account.rejected(counts)
        account.stored(samples)
        assert account.snapshot().in_flight == 0
        stored, refused = stored + samples, refused + rejected
    balance = account.snapshot()
    assert (balance.received, balance.stored, sum(balance.rejected.values())) == (stored + refused, stored, refused)
    assert 0 not in balance.rejected.values()


def test_a_source_has_one_account_and_balances_come_in_the_order_of_opening():
    ledger = Ledger(ManualClock())
    first, _ = ledger.account("b"), ledger.account("a")
    assert ledger.account("b") is first
    assert [balance.source for balance in ledger.balances()] == ["b", "a"]


def test_rejects_are_named_by_their_reason():
    account = Ledger(ManualClock()).account("tcp")
    account.received(3, 100)
    account.rejected_for(Reason.VALUE_NOT_FINITE, 2)
    account.rejected_for(Reason.FUTURE, 1)
    assert account.snapshot().rejected == {"value_not_finite": 2, "future": 1}


def test_datagrams_that_the_kernel_dropped_are_shown_beside_the_sum():
    account = Ledger(ManualClock()).account("udp")
    account.kernel_dropped(5)
    account.kernel_dropped(7)
    assert (account.snapshot().kernel_drops, account.snapshot().in_flight) == (7, 0)


def test_counts_of_many_threads_add_up():
    account = Ledger(ManualClock()).account("tcp")

    def count() -> None:
        for _ in range(2000):
            account.received(2, 1)
            account.stored(1)
            account.rejected_for(Reason.VALUE, 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    balance = account.snapshot()
    assert (balance.received, balance.stored, balance.rejected, balance.in_flight) == (16000, 8000, {"value": 8000}, 0)


def test_offenders_are_shown_newest_first_and_kept_for_each_reason():
    clock = ManualClock()
    ledger = Ledger(clock)
    ledger.note_offender("tcp", Reason.FIELDS, b"rare")
    for k in range(OFFENDERS_MAX + 5):
        clock.advance(1)
        ledger.note_offender("udp", Reason.VALUE, b"%d" % k)
    kept = list(ledger.offenders())
    assert len(kept) == OFFENDERS_MAX + 1
    assert [kept[0].text, kept[-2].text, kept[-1].text] == [str(OFFENDERS_MAX + 4), "5", "rare"]


@given(st.binary(max_size=2000))
def test_whatever_was_sent_is_shown_short_and_printable(text: bytes):
    ledger = Ledger(ManualClock())
    ledger.note_offender("tcp", Reason.NAME_BYTES, text)
    (offender,) = ledger.offenders()
    assert offender.text.isprintable()
    assert len(offender.text) <= 256 * 10


def test_the_collector_gives_what_was_counted_since_the_last_look():
    ledger = Ledger(ManualClock())
    account = ledger.account("carbon tcp://127.0.0.1:2003")
    refreshed = []
    collector = LedgerCollector(ledger, lambda: refreshed.append(True))
    account.received(5, 100)
    account.stored(4)
    account.rejected_for(Reason.VALUE, 1)
    first = {point.name.rsplit(".", 1)[-1]: point.value for point in collector.collect(0.0)}
    account.received(2, 10)
    second = {point.name.rsplit(".", 1)[-1]: point.value for point in collector.collect(10.0)}
    assert first == {"received": 5.0, "stored": 4.0, "kernel_drops": 0.0, "value": 1.0}
    assert second == {"received": 2.0, "stored": 0.0, "kernel_drops": 0.0, "value": 0.0}
    assert len(refreshed) == 2
    assert all(point.kind == Kind.COUNTER and " " not in point.name for point in collector.collect(20.0))


def test_each_peer_has_its_account_and_a_source_is_all_its_peers_together():
    ledger = Ledger(ManualClock())
    near, far = ledger.account("tcp", "10.0.0.1"), ledger.account("tcp", "10.0.0.2")
    near.generated(5)
    near.received(4, 40)
    near.stored(4)
    far.received(2, 20)
    far.rejected_for(Reason.VALUE, 2)
    (balance,) = ledger.balances()
    assert (balance.received, balance.stored, balance.rejected, balance.generated) == (6, 4, {"value": 2}, 5)
    assert far.snapshot().peer == "10.0.0.2"
    assert ledger.account("tcp", "10.0.0.1") is near
