"""Samples by host: what is beyond the limit is not taken, of that host only, and each of its names has its share."""

import numpy as np
import pytest

from tallystick.kernels.packed import padded
from tallystick.ledger import Account, Ledger
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.point import Point
from tallystick.parse import NameTable, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.receive.pace import BURST_S, Pace
from tallystick.receive.points import take_points
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000


class Way:
    def __init__(self, samples_per_s: int) -> None:
        self.clock = ManualClock(float(NOW_S))
        self.ledger, self.store, self.names = Ledger(self.clock), MemoryStore(), NameTable()
        self.draws = iter(range(1000))
        pace = Pace(samples_per_s, self.ledger, self.clock.monotonic, lambda below: next(self.draws) % below)
        router = Router(self.names, self.store.create)
        limits = IntakeLimits(3600, 86_400)
        self.intake = Intake(self.names, router, self.store, self.ledger, self.clock, limits, pace=pace)
        self.carbon, self.statsd = protocols()["carbon"](), protocols()["statsd"]()
        self.loud, self.quiet = self.ledger.account("tcp", "10.0.0.1"), self.ledger.account("tcp", "10.0.0.2")

    def send(self, account: Account, *names: str) -> None:
        text = "".join(f"{name} 1 {NOW_S}\n" for name in names).encode()
        self.intake.parse_stream(self.carbon, padded(text), len(text), account, skipping=False, final=True)

    def became(self, account: Account) -> tuple[int, int]:
        """Stored, and too many; nothing else."""
        balance = account.snapshot()
        assert balance.in_flight == 0
        return balance.stored, balance.rejected.get("samples_limit", 0)


@pytest.fixture
def way() -> Way:
    return Way(samples_per_s=10)


def test_a_flood_costs_its_sender_only_and_is_over_when_it_is_over(way: Way):
    way.send(way.loud, *["a"] * 500)
    way.send(way.quiet, *["b"] * 10)
    assert way.became(way.loud) == (10 * BURST_S, 500 - 10 * BURST_S)
    assert way.became(way.quiet) == (10, 0)
    assert way.intake.problems() == [
        "10.0.0.1 sends more than limits.samples_per_s = 10: what is beyond it is not taken (ledger, reason "
        "samples_limit)"
    ]
    way.clock.advance(60)
    way.send(way.loud, *["a"] * 100)
    assert way.became(way.loud) == (10 * BURST_S + 100, 500 - 10 * BURST_S)
    assert way.intake.problems() == []


def test_a_host_has_one_bucket_whatever_it_sends_by(way: Way):
    other = way.ledger.account("udp", "10.0.0.1")
    way.send(way.loud, *["a"] * 150)
    way.send(other, *["a"] * 150)
    assert way.became(way.loud) == (150, 0)
    assert way.became(other) == (50, 100)


def test_no_name_of_a_host_that_sends_too_much_is_left_out_for_ever(way: Way):
    names = [f"n{k}" for k in range(40)]
    for _ in range(40):
        way.send(way.loud, *names)
        way.clock.advance(1)
    ids = way.store.catalog.ids()
    counts = dict.fromkeys(names, 0)
    tally = way.store.tally(ids, NOW_S, NOW_S + 10, 10)
    for k, count in zip(tally.series.tolist(), tally.spread.count.tolist(), strict=True):
        counts[way.store.catalog.names(ids[[k]])[0]] = int(count)
    assert sum(counts.values()) == 10 * BURST_S + 39 * 10
    assert min(counts.values()) > 5, counts


def test_hosts_of_one_batch_of_datagrams_are_told_apart(way: Way):
    lines = [b"a:1|c\n" * 300, b"b:1|c\n" * 5]
    buffer, lengths = padded(b"".join(lines)), np.array([len(line) for line in lines], np.int32)
    offsets = np.array([0, lengths[0]], np.int64)
    peers = np.array([way.loud.number, way.quiet.number], np.int32)
    way.intake.parse_datagrams(way.statsd, buffer, offsets, lengths, way.ledger.account("tcp"), peers)
    assert (way.became(way.loud), way.became(way.quiet)) == ((200, 100), (5, 0))


def test_what_this_process_makes_itself_is_never_too_much(way: Way):
    own = way.ledger.account("collectors")
    take_points(way.intake, [Point(f"cpu.n{k}", 1.0, Kind.GAUGE) for k in range(500)], NOW_S, own)
    assert way.became(own) == (500, 0)


def test_buckets_that_are_full_again_are_forgotten(way: Way):
    pace = Pace(10, way.ledger, way.clock.monotonic)
    for k in range(5000):
        way.clock.advance(1)
        pace._spend(f"host{k}", 1, way.clock.monotonic())
    assert len(pace._tokens) <= 1024
