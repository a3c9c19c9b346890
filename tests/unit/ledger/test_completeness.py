"""Completeness: what was rejected by name is lost for its prefix, what had none is shared out as samples are."""

import numpy as np
import pytest

from tallystick.kernels.names import NameTable
from tallystick.ledger import Account, Ledger
from tallystick.ledger.attribution import Attribution, Senders
from tallystick.ledger.completeness import CAUSES, kept_in
from tallystick.model.clock import ManualClock
from tallystick.model.reason import Reason


class Counted:
    """A ledger with samples of prefixes."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_700_000_000.0)
        self.ledger, self.names = Ledger(self.clock), NameTable()
        self.attribution = Attribution(self.ledger.book, self.names)

    def store(self, account: Account, **samples: int) -> None:
        """So many stored samples of each prefix."""
        for prefix, count in samples.items():
            ids = np.repeat(self.names.intern_many([f"{prefix}.x".encode()]), count)
            _, shares = self.attribution.attribute(ids, Senders.one(account.number, count))
            passage = account.passage()
            passage.parsed(shares, count)
            passage.routed(shares, count)
            passage.stored(shares, count)

    def lost(self, prefix: str) -> dict[str, float]:
        row = kept_in(self.ledger, self.ledger.window()).lost[self.ledger.prefixes.find(prefix)]
        return {CAUSES[k]: float(row[k]) for k in np.flatnonzero(row).tolist()}


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_lines_without_a_name_are_shared_out_among_the_prefixes_of_their_peer(counted: Counted):
    near, far = counted.ledger.account("tcp", "10.0.0.1"), counted.ledger.account("tcp", "10.0.0.2")
    counted.store(near, shop=30, app=10)
    counted.store(far, mail=100)
    near.refused(Reason.FIELDS, 8, 80)
    assert counted.lost("shop") == {"fields": 6.0}
    assert counted.lost("app") == {"fields": 2.0}
    assert counted.lost("mail") == {}


def test_dropped_datagrams_are_those_of_all_peers_of_the_socket(counted: Counted):
    counted.store(counted.ledger.account("udp", "10.0.0.1"), shop=10)
    counted.store(counted.ledger.account("udp", "10.0.0.2"), mail=30)
    counted.store(counted.ledger.account("tcp", "10.0.0.2"), other_door=30)
    counted.ledger.account("udp").kernel_dropped(4)
    assert [counted.lost(name) for name in ("shop", "mail", "other_door")] == [
        {"kernel_drops": 1.0},
        {"kernel_drops": 3.0},
        {},
    ]


def test_where_nothing_came_at_all_the_shares_are_those_of_all_time(counted: Counted):
    account = counted.ledger.account("udp", "10.0.0.1")
    counted.store(account, shop=30, app=10)
    counted.clock.advance(10)
    counted.ledger.account("udp").kernel_dropped(8)
    assert counted.lost("shop") == {"kernel_drops": 6.0}


def test_what_a_numbered_sender_made_and_never_came_is_lost_on_the_way(counted: Counted):
    account = counted.ledger.account("native", "web1")
    counted.store(account, shop=9)
    account.generated(12)
    assert counted.lost("shop") == {"lost_on_the_way": 3.0}


@pytest.mark.parametrize("reason", [Reason.BLOCKED, Reason.DUPLICATE, Reason.THROTTLED, Reason.SERIES_LIMIT])
def test_what_no_series_misses_is_not_lost(counted: Counted, reason: Reason):
    account = counted.ledger.account("tcp", "10.0.0.1")
    counted.store(account, shop=9)
    account.refused(reason, 5, 0)
    assert counted.lost("shop") == {}


def test_whatever_is_lost_is_lost_once(counted: Counted):
    accounts = [counted.ledger.account("udp", f"10.0.0.{k}") for k in range(3)]
    for k, account in enumerate(accounts):
        counted.store(account, **{f"p{n}": 1 + 7 * n * k % 5 for n in range(k + 2)})
        account.refused(Reason.VALUE, 3 + k, 0)
    counted.ledger.account("udp").kernel_dropped(11)
    kept = kept_in(counted.ledger, counted.ledger.window())
    assert kept.lost.sum() == pytest.approx(3 + 4 + 5 + 11)
