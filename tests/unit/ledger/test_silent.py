"""Who fell silent gives way to those who come, and everything still adds up."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tallystick.config import Rule
from tallystick.kernels.packed import padded
from tallystick.ledger import Account, Ledger
from tallystick.ledger.completeness import kept_in
from tallystick.ledger.invariants import broken_laws
from tallystick.ledger.silent import SILENT_WINDOWS
from tallystick.ledger.terms import WINDOW_S
from tallystick.model.clock import ManualClock
from tallystick.model.sample import SampleBatch
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.receive.peers import Peers
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000.0
SOURCE = "carbon tcp://127.0.0.1:2003"
LONG_S = SILENT_WINDOWS * WINDOW_S + WINDOW_S
FLIGHT_S = 80


class BusyStore(MemoryStore):
    """Has something else happen before it takes a batch."""

    meanwhile: Callable[[], None] | None = None

    def append(self, batch: SampleBatch, *more: Any) -> int:
        call, self.meanwhile = self.meanwhile, None
        if call is not None:
            call()
        return super().append(batch, *more)


class Way:
    """An intake whose ledger tells three peers and four prefixes apart."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.clock = ManualClock(NOW_S)
        self.ledger = Ledger(self.clock, peers_max=3, prefixes_max=4)
        names, self.store = NameTable(), BusyStore()
        router = Router(names, self.store.create, list(rules))
        self.intake = Intake(names, router, self.store, self.ledger, self.clock, IntakeLimits(3600, 86_400))
        self.carbon = protocols()["carbon"]()

    def send(self, peer: str | Account, *names: str) -> Account:
        """One sample of each name."""
        account = self.ledger.account(SOURCE, peer) if isinstance(peer, str) else peer
        text = "".join(f"{name} 1 {self.clock.now():.0f}\n" for name in names).encode()
        self.intake.parse_stream(self.carbon, padded(text), len(text), account, skipping=False, final=True)
        assert broken_laws(self.ledger) == []
        return account

    def make_room(self, after_s: float) -> None:
        self.clock.advance(after_s)
        self.intake.make_room()
        assert broken_laws(self.ledger) == []

    def by_peer(self) -> dict[str, int]:
        return {balance.peer: balance.stored for balance in self.ledger.peers(SOURCE) if balance.stored}

    def by_prefix(self) -> dict[str, int]:
        return {balance.prefix: balance.stored for balance in self.ledger.by_prefix() if balance.stored}


@pytest.fixture
def way() -> Way:
    return Way()


def test_a_peer_that_fell_silent_gives_its_place_to_one_that_comes(way: Way):
    for k in range(3):
        way.send(f"10.0.0.{k}", "a.b.c", "a.b.d")
        way.clock.advance(WINDOW_S)
    way.send("10.1.0.1", "a.b.c")
    assert way.by_peer() == {"10.0.0.0": 2, "10.0.0.1": 2, "10.0.0.2": 2, "other": 1}
    way.make_room(LONG_S)
    assert way.by_peer() == {"10.0.0.1": 2, "10.0.0.2": 2, "other": 3}
    way.send("10.1.0.1", "a.b.c")
    assert way.by_peer() == {"10.0.0.1": 2, "10.0.0.2": 2, "10.1.0.1": 1, "other": 3}
    way.make_room(FLIGHT_S)
    assert way.by_peer() == {"10.0.0.2": 2, "10.1.0.1": 1, "other": 5}, "a place is kept free for who comes next"


def test_nobody_who_sends_gives_way(way: Way):
    for _ in range(5):
        for k in range(5):
            way.send(f"10.0.0.{k}", f"p{k}.a.b")
        way.make_room(WINDOW_S)
    assert way.by_peer() == {"10.0.0.0": 5, "10.0.0.1": 5, "10.0.0.2": 5, "other": 10}
    assert way.by_prefix() == {"p0.a": 5, "p1.a": 5, "p2.a": 5, "p3.a": 5, "other": 5}


def test_places_are_used_again_and_again_and_memory_does_not_grow(way: Way):
    for k in range(60):
        way.send(f"10.0.{k}.1", f"p{k}.a.b")
        way.make_room(LONG_S)
        way.make_room(FLIGHT_S)
    (balance,) = way.ledger.balances()
    assert balance.stored == 60 == sum(way.by_peer().values()) == sum(way.by_prefix().values())
    assert "10.0.59.1" in way.by_peer()
    assert "p59.a" in way.by_prefix()
    assert way.ledger.book.cells < 40
    assert len(way.ledger.book.place) < 10


def test_a_connection_of_one_who_gave_way_counts_with_the_others(way: Way):
    accounts = [way.send(f"10.0.0.{k}", "a.b.c") for k in range(3)]
    way.make_room(LONG_S)
    way.send(accounts[0], "a.b.c")
    assert way.by_peer() == {"10.0.0.1": 1, "10.0.0.2": 1, "other": 2}
    way.make_room(FLIGHT_S)
    way.send("10.1.0.1", "a.b.c")
    way.send(accounts[0], "a.b.c")
    assert way.by_peer() == {"10.0.0.1": 1, "10.0.0.2": 1, "10.1.0.1": 1, "other": 3}


def test_what_is_on_its_way_to_who_gives_way_arrives(way: Way):
    for k in range(3):
        way.send(f"10.0.0.{k}", f"p{k}.a.b", "q.a.b")

    def meanwhile() -> None:
        way.clock.advance(LONG_S)
        way.intake.make_room()

    way.store.meanwhile = meanwhile
    way.send("10.0.0.0", "p0.a.b", "q.a.b")
    way.make_room(FLIGHT_S)
    assert way.by_peer() == {"10.0.0.1": 2, "10.0.0.2": 2, "other": 4}
    assert sum(way.by_prefix().values()) == 8
    assert {balance.in_flight for balance in way.ledger.peers(SOURCE)} == {0}


def test_a_prefix_that_fell_silent_gives_its_place_to_one_that_comes(way: Way):
    for k in range(5):
        way.send("10.0.0.1", f"p{k}.a.b")
        way.clock.advance(WINDOW_S)
    assert way.by_prefix() == {"p0.a": 1, "p1.a": 1, "p2.a": 1, "p3.a": 1, "other": 1}
    way.make_room(LONG_S)
    way.send("10.0.0.1", "p4.a.b", "p3.a.b")
    way.send("10.0.0.1", "p0.a.b")
    assert way.by_prefix() == {"p1.a": 1, "p2.a": 1, "p3.a": 2, "p4.a": 1, "other": 3}


def test_names_that_a_rule_made_count_with_the_others_once_their_prefix_gave_way():
    way = Way([Rule(match="old.*", rewrite="^old -> new.place")])
    way.send("10.0.0.1", "old.a")
    way.clock.advance(WINDOW_S)
    way.send("10.0.0.1", "p1.a.b", "p2.a.b", "p3.a.b")
    way.make_room(LONG_S)
    way.send("10.0.0.1", "old.a", "p4.a.b")
    assert way.by_prefix() == {"old": 1, "p1.a": 1, "p2.a": 1, "p4.a": 1, "other": 2}


def test_windows_in_memory_and_completeness_follow(way: Way):
    way.send("10.0.0.1", "p0.a.b")
    first = way.ledger.window()
    before = kept_in(way.ledger, first)
    assert before.stored[before.prefixes.find("p0.a")] == 1
    way.clock.advance(WINDOW_S)
    way.send("10.0.0.1", "p1.a.b", "p2.a.b", "p3.a.b")
    way.make_room(LONG_S)
    way.make_room(FLIGHT_S)
    after = kept_in(way.ledger, first)
    assert after.stored[after.prefixes.find("p0.a")] == after.stored.sum() == 1
    assert before.prefixes is not after.prefixes


def test_cells_that_are_not_used_give_way_and_those_that_found_none_have_their_own(way: Way):
    book = way.ledger.book
    book._cells_max = 3
    way.send("10.0.0.1", "p0.a.b", "p1.a.b", "p2.a.b", "p3.a.b")
    assert way.by_prefix() == {"p0.a": 1, "p1.a": 1, "p2.a": 1, "other": 1}
    way.make_room(LONG_S)
    way.make_room(FLIGHT_S)
    way.send("10.0.0.1", "p3.a.b")
    assert way.by_prefix() == {"p1.a": 1, "p2.a": 1, "p3.a": 1, "other": 2}


def test_datagrams_of_who_comes_have_his_account_at_once(way: Way):
    peers = Peers(way.ledger, way.ledger.account("statsd"))
    numbers = [peers.of(address(k))[0].peer for k in range(4)]
    assert numbers == ["10.0.0.0", "10.0.0.1", "10.0.0.2", "other"]
    way.make_room(LONG_S)
    assert peers.of(address(3))[0].peer == "10.0.0.3"
    assert peers.of(address(0))[0].peer == "other"


def address(k: int) -> NDArray[np.uint8]:
    """One datagram's, as ``recvmmsg`` gives it."""
    out = np.zeros((1, 28), np.uint8)
    out[0, 0] = 2
    out[0, 4:8] = 10, 0, 0, k
    return out
