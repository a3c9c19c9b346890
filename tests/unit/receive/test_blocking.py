"""Blocked names and hosts on their way in: nothing of them is stored, all of it is counted, and it ends at once."""

import numpy as np
import pytest

from tallystick.blocks import BlockList
from tallystick.config import Rule
from tallystick.kernels.packed import padded
from tallystick.ledger import Account, Ledger
from tallystick.model.clock import ManualClock
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000


class Way:
    def __init__(self, *rules: Rule) -> None:
        self.clock = ManualClock(float(NOW_S))
        self.ledger, self.store, self.names = Ledger(self.clock), MemoryStore(), NameTable(1000)
        self.blocks = BlockList(None, self.clock)
        self.router = Router(self.names, self.store.create, rules)
        limits = IntakeLimits(3600, 86_400)
        self.intake = Intake(self.names, self.router, self.store, self.ledger, self.clock, limits, blocks=self.blocks)
        self.store.when_forgotten(self.intake.forget)
        self.carbon = protocols()["carbon"]()
        self.one, self.other = self.ledger.account("tcp", "10.1.0.1"), self.ledger.account("tcp", "10.2.0.1")

    def send(self, account: Account, *names: str) -> None:
        text = "".join(f"{name} 1 {NOW_S}\n" for name in names).encode()
        self.intake.parse_stream(self.carbon, padded(text), len(text), account, skipping=False, final=True)

    def became(self, account: Account) -> tuple[int, dict[str, int]]:
        """Stored and rejected; what was received is all of it."""
        balance = account.snapshot()
        assert balance.in_flight == 0
        return balance.stored, balance.rejected

    def block(self, pattern: str, source: str = "") -> None:
        self.blocks.block(pattern, source, None, "x", "ann")


@pytest.fixture
def way() -> Way:
    return Way()


def test_names_that_are_known_and_new_ones_are_kept_out_from_the_next_batch_on(way: Way):
    way.send(way.one, "web.a", "db.a")
    way.block("web.*")
    way.send(way.one, "web.a", "web.b", "db.a", "db.b")
    assert way.became(way.one) == (4, {"blocked": 2})
    assert sorted(way.store.catalog.names(way.store.catalog.ids())) == ["db.a", "db.b", "web.a"], (
        "web.b became a series"
    )
    assert way.blocks.refused() == {1: 2}
    way.blocks.unblock("web.*", "", "", "ann")
    way.send(way.one, "web.a", "web.b")
    assert way.became(way.one) == (6, {"blocked": 2})


def test_a_host_is_kept_out_and_the_others_are_not(way: Way):
    way.block("*", "10.1.0.0/16")
    way.block("x.*", "10.2.0.1")
    way.send(way.one, "a", "x.a")
    way.send(way.other, "a", "x.a")
    assert way.became(way.one) == (0, {"blocked": 2})
    assert way.became(way.other) == (1, {"blocked": 1})
    assert way.blocks.refused() == {1: 2, 2: 1}


def test_hosts_of_one_batch_of_datagrams_are_told_apart(way: Way):
    way.block("*", "10.1.0.1")
    lines = [b"a:1|c", b"b:1|c", b"a:1|c"]
    buffer, lengths = padded(b"".join(lines)), np.array([len(line) for line in lines], np.int32)
    offsets = np.cumsum([0, *lengths[:-1]]).astype(np.int64)
    peers = np.array([way.one.number, way.other.number, way.other.number], np.int32)
    way.intake.parse_datagrams(protocols()["statsd"](), buffer, offsets, lengths, way.ledger.account("tcp"), peers)
    assert (way.became(way.one), way.became(way.other)) == ((0, {"blocked": 1}), (2, {}))


@pytest.mark.parametrize("pattern", ["hosts.web1.cpu", "collectd.*"])
def test_a_renamed_name_is_blocked_by_what_was_sent_and_by_what_it_became(pattern: str):
    way = Way(Rule(match="collectd.*", rewrite=r"^collectd\. -> hosts."))
    way.block(pattern)
    way.send(way.one, "collectd.web1.cpu", "other")
    assert way.became(way.one) == (1, {"blocked": 1})


def test_a_name_that_is_another_one_for_each_sort_of_senders_is_blocked_by_what_was_sent():
    way = Way(Rule(source=("10.1.0.1",), prefix="one"))
    way.block("flood.*")
    way.send(way.one, "flood.a", "good")
    assert way.became(way.one) == (1, {"blocked": 1})
    assert way.blocks.refused() == {1: 1}


def test_a_name_that_is_sent_in_another_form_is_blocked_as_the_series_that_it_is(way: Way):
    way.block("web.a;dc=1;host=x")
    way.send(way.one, "web..a;host=x;dc=1")
    assert way.became(way.one) == (0, {"blocked": 1})


def test_an_id_that_another_series_is_given_is_looked_at_anew(way: Way):
    way.block("web.*")
    way.send(way.one, "db.a")
    way.store.delete(way.store.catalog.find("db.a"))
    way.send(way.one, "db..b", "web..a", "db..b")
    assert way.became(way.one) == (3, {"blocked": 1})


def test_entries_of_a_table_that_is_made_anew_are_looked_at_anew(way: Way):
    way.block("web.*")
    way.send(way.one, "web.a", "db.a")
    way.router.rebuild()
    way.send(way.one, "db.a", "web.a", "db.b")
    assert way.became(way.one) == (3, {"blocked": 2})


def test_names_that_rules_tell_apart_by_who_sends_are_blocked_by_the_names_that_were_sent() -> None:
    way = Way(Rule(match="collectd.*", prefix="{peer}"))
    for account in (way.one, way.other):
        way.send(account, "collectd.cpu")
    way.block("collectd.*")
    way.send(way.one, "collectd.cpu", "other.cpu")
    assert way.became(way.one) == (2, {"blocked": 1})
    way.block("10_2_0_1.*")
    way.blocks.unblock("collectd.*", "", "", "ann")
    way.send(way.other, "collectd.cpu")
    assert way.became(way.other) == (1, {"blocked": 1})
