"""The ledger: what came in is what was stored, what was rejected, and what is in flight."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.ledger import Ledger
from tallystick.ledger.offenders import OFFENDERS_MAX
from tallystick.model.clock import ManualClock
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


def test_peers_beyond_those_that_are_told_apart_share_an_account():
    ledger = Ledger(ManualClock(), peers_max=2)
    accounts = [ledger.account("tcp", f"10.0.0.{k}") for k in range(4)]
    for account in accounts:
        account.refused(Reason.TRUNCATED, 1, 7)
    assert accounts[2] is accounts[3]
    assert [peer.peer for peer in ledger.peers("tcp")] == ["10.0.0.0", "10.0.0.1", "other"]
    assert [peer.received for peer in ledger.peers("tcp")] == [1, 1, 2]


def test_what_a_numbered_sender_made_and_what_never_came_is_lost_on_the_way():
    account = Ledger(ManualClock()).account("native", "web1")
    assert account.snapshot().lost_on_the_way is None
    account.generated(10)
    account.received(8, 80)
    account.stored(6)
    account.rejected_for(Reason.DUPLICATE, 2)
    assert account.snapshot().lost_on_the_way == 4, "what came twice came once"


def test_offenders_are_found_by_source_reason_and_what_they_hold():
    ledger = Ledger(ManualClock())
    ledger.note_offender("tcp", Reason.VALUE, b"web1.cpu nan", "10.0.0.1")
    ledger.note_offender("udp", Reason.VALUE, b"web2.cpu nan")
    ledger.note_offender("udp", Reason.FIELDS, b"web2.cpu")
    found = ledger.rejected_inputs.found
    assert [one.text for one in found(source="tcp")] == ["web1.cpu nan"]
    assert [one.reason for one in found(name="web2", reason="fields")] == [Reason.FIELDS]
    assert found(name="web3") == []
