"""New names by source: a flood is throttled for the one who sends it, counted, told, and over when it is over."""

import numpy as np
import pytest

from tallystick.config import Store
from tallystick.config.limits import Limits
from tallystick.kernels.packed import padded
from tallystick.ledger import Account, Ledger
from tallystick.ledger.ledger import PEERS_MAX
from tallystick.model.clock import ManualClock
from tallystick.model.point import Point
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.receive.points import take_points
from tallystick.receive.throttle import NAMES_BURST, Throttle
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000


class Way:
    def __init__(self, names_per_s: int, burst: int, entries_max: int = 1000) -> None:
        self.clock = ManualClock(float(NOW_S))
        self.ledger, self.store, self.names = Ledger(self.clock), MemoryStore(), NameTable(entries_max)
        limits = IntakeLimits(3600, 86_400)
        throttle = Throttle(names_per_s, burst, self.ledger.host_of)
        router = Router(self.names, self.store.create)
        self.intake = Intake(self.names, router, self.store, self.ledger, self.clock, limits, throttle)
        self.carbon, self.statsd = protocols()["carbon"](), protocols()["statsd"]()

    def send(self, account: Account, *names: str) -> None:
        text = "".join(f"{name} 1 {NOW_S}\n" for name in names).encode()
        self.intake.parse_stream(self.carbon, padded(text), len(text), account, skipping=False, final=True)


@pytest.fixture
def way() -> Way:
    return Way(names_per_s=2, burst=5)


def test_a_flood_is_throttled_for_its_sender_only_and_leaves_nothing_behind(way: Way):
    hostile, honest = way.ledger.account("tcp", "10.0.0.1"), way.ledger.account("tcp", "10.0.0.2")
    way.send(hostile, *(f"flood.n{k}" for k in range(100)))
    way.send(honest, "shop.orders", "flood.n99")
    assert (hostile.snapshot().stored, hostile.snapshot().rejected) == (5, {"throttled": 95})
    assert (honest.snapshot().stored, honest.snapshot().rejected) == (2, {})
    assert len(way.names) == 7, "a name that was not taken has no place in the table"


def test_a_host_has_one_bucket_whatever_it_sends_by(way: Way):
    carbon, statsd = way.ledger.account("tcp", "10.0.0.1"), way.ledger.account("udp", "10.0.0.1")
    way.send(carbon, *(f"a{k}" for k in range(4)))
    way.send(statsd, *(f"b{k}" for k in range(4)))
    way.send(way.ledger.account("udp", "10.0.0.2"), *(f"c{k}" for k in range(4)))
    assert statsd.snapshot().rejected == {"throttled": 3}
    assert len(way.names) == 4 + 1 + 4


def test_hosts_that_nobody_tells_apart_share_a_bucket_of_their_source_only(way: Way):
    for source in ("tcp", "udp"):
        for k in range(PEERS_MAX + 2):
            way.ledger.account(source, f"10.0.0.{k}")
        way.send(way.ledger.account(source, "10.1.0.1"), *(f"{source}{k}" for k in range(5)))
    assert len(way.names) == 10


def test_buckets_that_are_full_again_are_forgotten():
    throttle = Throttle(2, 5, host_of=lambda number: f"host{number}")
    for number in range(5000):
        throttle.tokens(number, float(number))
        throttle.spend(number, 1)
    assert len(throttle._tokens) <= 1024
    assert throttle.tokens(4999, 4999.0) == 4.0, "one that is not full was forgotten"


def test_names_that_are_known_pass_however_many_are_not(way: Way):
    account = way.ledger.account("tcp", "10.0.0.1")
    way.send(account, *(f"n{k}" for k in range(10)))
    way.send(account, *(f"n{k}" for k in range(5)))
    assert (account.snapshot().stored, account.snapshot().rejected) == (10, {"throttled": 5})


def test_the_same_name_is_taken_later(way: Way):
    account = way.ledger.account("tcp", "10.0.0.1")
    names = [f"n{k}" for k in range(8)]
    way.send(account, *names)
    way.clock.advance(1)
    way.send(account, *names)
    assert account.snapshot().rejected == {"throttled": 3 + 1}
    way.clock.advance(1)
    way.send(account, *names)
    assert account.snapshot().rejected == {"throttled": 4}
    assert len(way.store.catalog) == 8


def test_it_is_a_problem_while_it_lasts_and_names_the_sender(way: Way):
    way.send(way.ledger.account("carbon tcp://127.0.0.1:2003", "10.0.0.1"), *(f"n{k}" for k in range(8)))
    (problem,) = way.intake.problems()
    assert "carbon tcp://127.0.0.1:2003 sends too many new names from 10.0.0.1" in problem
    way.clock.advance(31)
    assert way.intake.problems() == []


def test_the_limit_of_all_names_is_another_reason():
    way = Way(names_per_s=100, burst=100, entries_max=3)
    account = way.ledger.account("tcp", "10.0.0.1")
    way.send(account, *(f"n{k}" for k in range(5)))
    assert account.snapshot().rejected == {"series_limit": 2}


def test_there_may_be_no_limit():
    way = Way(names_per_s=0, burst=1)
    account = way.ledger.account("tcp", "10.0.0.1")
    way.send(account, *(f"n{k}" for k in range(50)))
    assert account.snapshot().stored == 50


def test_datagrams_of_who_has_no_tokens_left_are_told_from_those_of_others(way: Way):
    hostile, honest = way.ledger.account("udp", "10.0.0.1"), way.ledger.account("udp", "10.0.0.2")

    def receive(*datagrams: tuple[Account, str]) -> None:
        texts = [text.encode() for _, text in datagrams]
        lengths = np.array([len(text) for text in texts], np.int32)
        offsets = np.concatenate([[0], np.cumsum(lengths[:-1] + 1)]).astype(np.int64)
        peers = np.array([account.number for account, _ in datagrams], np.int32)
        source = way.ledger.account("udp")
        way.intake.parse_datagrams(way.statsd, padded(b"\n".join(texts)), offsets, lengths, source, peers)

    receive((hostile, "\n".join(f"a{k}:1|c" for k in range(9))), (honest, "b:1|c"))
    receive((hostile, "c:1|c"), (honest, "d:1|c\nbad"), (hostile, "a0:1|c"))
    assert honest.snapshot().rejected == {"fields": 1}
    assert honest.snapshot().stored == 2
    spent = hostile.snapshot()
    assert (spent.stored, spent.rejected) == (10, {"throttled": 1}), "it overdrew once, and was held to it"
    assert [o.peer for o in way.ledger.offenders() if "c:1" in o.text] == ["10.0.0.1"]


def test_the_defaults_let_a_large_fleet_pass_at_its_first_sight():
    assert Throttle().tokens(0, 0.0) >= 500_000


def test_one_host_cannot_use_up_half_the_room_at_once():
    assert NAMES_BURST == Limits().names_burst < Store().series_max / 2


def test_what_this_process_counts_itself_is_never_throttled(way: Way):
    account = way.ledger.account("tallystick")
    take_points(way.intake, [Point(f"own.n{k}", 1.0) for k in range(20)], NOW_S, account)
    assert (account.snapshot().stored, account.snapshot().rejected) == (20, {})
