"""Senders go on while series are deleted and renamed: every sample is stored once, and the account adds up."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stores import NOW_S, RULES
from tallystick.kernels.packed import padded
from tallystick.ledger import Account, Ledger
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import TallyBatch
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.route import Router
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.options import StoreOptions

EXPIRED_S = 3 * 365 * 86400.0


class Deleting(EmbeddedStore):
    """Deletes a series of a batch at the worst moment: after the batch was routed, before it is taken."""

    unlucky: tuple[str, ...] = ()

    def append(self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None) -> int:
        for name in self.unlucky:
            self.unlucky = ()
            self.delete(self.catalog.find(name))
        return super().append(batch, tallies, numbered)


class Way:
    """A store and the way into it."""

    def __init__(self, directory: Path, *, told: bool) -> None:
        self.clock = ManualClock(float(NOW_S))
        self.store = Deleting(directory, RULES, self.clock, StoreOptions(commit_interval_s=0.001))
        self.names, self.ledger = NameTable(), Ledger(self.clock)
        self.router = Router(self.names, self.store.create)
        limits = IntakeLimits(3600, 10 * 86400)
        self.intake = Intake(self.names, self.router, self.store, self.ledger, self.clock, limits)
        if told:
            self.store.when_forgotten(self.intake.forget)

    def send(self, account: Account, *names: str) -> int | None:
        text = "".join(f"{name}:1|c\n" for name in names).encode()
        parser = protocols()["statsd"]()
        _, ticket = self.intake.parse_stream(parser, padded(text), len(text), account, skipping=False, final=True)
        return ticket

    def total(self, pattern: str) -> float:
        ids = self.store.catalog.find(pattern)
        start_s = int(self.clock.now()) // 60 * 60
        return float(np.nansum(self.store.read(ids, start_s, start_s + 60, 10, [Statistic.SUM])[Statistic.SUM]))


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    made = Way(tmp_path, told=True)
    yield made
    made.store.close()


@pytest.mark.parametrize("told", [True, False])
def test_a_batch_whose_series_is_deleted_on_the_way_is_stored_whole_and_once(tmp_path: Path, told: bool) -> None:
    way = Way(tmp_path, told=told)
    account = way.ledger.account("test")
    way.send(account, "a", "b", "a")
    way.store.unlucky = ("a",)
    way.send(account, "b", "a", "c", "a")
    balance = account.snapshot()
    assert (balance.received, balance.stored, balance.rejected, balance.in_flight) == (7, 7, {}, 0)
    assert (way.total("a"), way.total("b"), way.total("c")) == (2.0, 2.0, 1.0), "what was sent before went with it"
    way.store.close()


def test_points_of_our_own_are_routed_once_more_as_well(way: Way) -> None:
    account = way.ledger.account("test")
    batch = SampleBatch.of([0, 1, 0], [NOW_S * 1000] * 3, [1.0] * 3, kind=Kind.COUNTER)
    way.intake.take([b"a", b"b"], batch, account)
    way.store.unlucky = ("a",)
    way.intake.take([b"a", b"b"], batch, account)
    assert (way.total("a"), way.total("b")) == (2.0, 2.0)


def test_no_sample_is_lost_or_doubled_while_series_are_renamed(way: Way) -> None:
    rounds, senders = 150, 2
    stop = threading.Event()

    def send(name: str) -> None:
        account = way.ledger.account(name)
        for k in range(rounds):
            way.send(account, "moving.a", f"own.{name}", "moving.b", f"new.{name}{k % 7}")

    def rename() -> None:
        k = 0
        while not stop.is_set():
            for name in ("moving.a", "moving.b"):
                for series in way.store.catalog.find(name).tolist():
                    k += 1
                    way.store.rename(series, f"moved.{k}")
            way.router.rebuild()

    threads = [threading.Thread(target=send, args=(f"s{k}",)) for k in range(senders)]
    renaming = threading.Thread(target=rename)
    for thread in (*threads, renaming):
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    renaming.join()
    for balance in way.ledger.balances():
        assert (balance.received, balance.stored, balance.in_flight) == (4 * rounds, 4 * rounds, 0)
    assert len(way.store.catalog.find("moved.*")) > 2
    assert way.total("moved.*") + way.total("moving.*") == 2 * rounds * senders
    assert [way.total(f"own.s{k}") for k in range(senders)] == [rounds] * senders
    assert way.total("new.*") == rounds * senders


def test_a_flood_of_names_seen_once_leaves_no_trace_where_names_are_kept(way: Way) -> None:
    account = way.ledger.account("test")
    way.send(account, "stays")
    for generation in range(3):
        way.send(account, *(f"flood.{generation}.{k}" for k in range(9000)))
        assert len(way.names) > 9000
        way.clock.advance(EXPIRED_S)
        way.send(account, "stays")
        for _ in range(3):
            way.store.maintenance.seal()
            way.store.maintenance.compact()
        assert way.store.catalog.names(way.store.catalog.ids()) == ["stays"]
        assert len(way.names) == 1
        assert way.names.size_bytes < 10_000
        assert (way.store.catalog.rows, way.store.catalog.id_end) == (1, 1)
        way.send(account, "stays")
        assert way.total("stays") == 2.0
    balance = account.snapshot()
    assert (balance.stored, balance.in_flight) == (balance.received, 0)
