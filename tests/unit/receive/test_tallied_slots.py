"""Slots that senders tallied on their way into the store: every row is stored or rejected with its reason, once."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from tallystick.config import Rule
from tallystick.fold import fold_batch
from tallystick.kernels.packed import padded
from tallystick.ledger import Ledger
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.numbered import NumberedBatches
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import TallyBatch
from tallystick.parse import NameTable, Parsed, protocols
from tallystick.receive import Intake, IntakeLimits
from tallystick.route import Router
from tallystick.store.conformance.tallies import tallied_by_sender
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_400
Carbon = protocols()["carbon"]


class Tallying(Carbon):
    """Reads carbon's lines, and gives what it read as slots that a sender tallied."""

    kind: ClassVar[Kind] = Kind.GAUGE
    numbered: NumberedBatches | None = None
    change = staticmethod(lambda tallies: tallies)

    def parse(self, *given, **options) -> Parsed:
        parsed = super().parse(*given, **options)
        batch = replace(parsed.batch, kind=np.full(len(parsed.batch), self.kind, np.uint8))
        tallies = self.change(tallied_by_sender(batch)) if len(batch) else TallyBatch.empty()
        lines = len(tallies) + parsed.rejects.total
        return replace(parsed, batch=batch.take(slice(0)), tallies=tallies, numbered=self.numbered, lines=lines)


class Way:
    def __init__(self, *rules: Rule) -> None:
        clock = ManualClock(float(NOW_S))
        self.store = MemoryStore(clock=clock)
        names = NameTable()
        self.intake = Intake(
            names, Router(names, self.store.create, rules), self.store, Ledger(clock), clock, IntakeLimits(600, 86_400)
        )
        self.account = self.intake.ledger.account("test")
        self.parser = Tallying()

    def send(self, *lines: str) -> int | None:
        text = "".join(line + "\n" for line in lines).encode()
        _, ticket = self.intake.parse_stream(
            self.parser, padded(text), len(text), self.account, skipping=False, final=True
        )
        return ticket

    def balance(self) -> tuple[int, int, dict[str, int]]:
        found = self.account.snapshot()
        assert found.in_flight == 0
        return found.received, found.stored, found.rejected

    def counts(self, name: str) -> list[float]:
        ids = self.store.catalog.find(name)
        values = self.store.read(ids, NOW_S, NOW_S + 10, 10, [Statistic.COUNT])[Statistic.COUNT]
        return values[:, 0].tolist()


def test_a_row_is_a_sample_in_the_ledger_however_many_it_was_made_of() -> None:
    way = Way()
    way.send(*(f"a.b {k} {NOW_S}" for k in range(5)), f"c 1 {NOW_S}", "bad")
    assert way.balance() == (3, 2, {"fields": 1})
    assert way.counts("a.b") == [5.0]


def test_rows_that_have_no_place_are_rejected_with_their_reason() -> None:
    way = Way(Rule(match="secret.*", block=True))
    way.store.create(["taken"], [Kind.COUNTER])
    lines = [f"{name} 1 {NOW_S}" for name in ("good", "secret.a", "taken")]
    way.send(*lines, f"early 1 {NOW_S + 9999}", f"late 1 {NOW_S - 99_999}")
    assert way.balance() == (5, 1, {"blocked": 1, "kind": 1, "future": 1, "past": 1})
    assert len(way.store.catalog) == 2, "a sender whose clock is wrong makes no series"


def test_statistics_that_no_samples_can_have_had_go_no_further() -> None:
    way = Way()

    def spoil(tallies: TallyBatch) -> TallyBatch:
        m2 = tallies.spread.m2.copy()
        m2[0] = -1.0
        return replace(tallies, spread=replace(tallies.spread, m2=m2))

    way.parser.change = spoil
    way.send(f"hostile 1 {NOW_S}", f"good 1 {NOW_S}")
    assert way.balance() == (2, 1, {"value": 1})
    assert way.store.catalog.names(way.store.catalog.ids()) == ["good"]
    assert next(way.intake.ledger.offenders()).text.startswith("hostile")


def test_what_came_by_statsd_is_told_by_its_series_and_those_that_rules_make_of_it() -> None:
    way = Way(
        Rule(match="secret.*", block=True), Rule(match="took", multiplex=("all.took",)), Rule(match="took", prefix="h")
    )
    noted: list[int] = []
    way.intake.when_by_statsd(lambda series: noted.extend(series.tolist()))
    lines = [f"{name} 1 {NOW_S}" for name in ("took", "other", "secret.took")]
    way.parser.kind = Kind.COUNTER
    way.send(*lines)
    assert noted == []
    way.parser.change = lambda tallies: replace(tallies, statsd=np.array([True, False, True]))
    way.send(*lines)
    assert sorted(way.store.catalog.names(np.array(noted, np.int32))) == ["all.took", "h.took"]


def test_a_numbered_batch_counts_once_however_often_it_comes() -> None:
    way = Way()

    def numbered(*numbers: int) -> None:
        made = np.ones(len(numbers), np.int64)
        way.parser.numbered = NumberedBatches(
            "agent", np.array(numbers), np.arange(len(numbers)), made, np.zeros_like(made)
        )

    numbered(1, 2)
    assert way.send(f"a 1 {NOW_S}", f"b 1 {NOW_S}")
    numbered(2, 3)
    assert way.send(f"b 1 {NOW_S}", f"c 1 {NOW_S}")
    numbered(1, 2, 3)
    assert way.send(*(f"{name} 1 {NOW_S}" for name in "abc")), "its sender is told once it is safe, however often"
    assert way.balance() == (7, 3, {"duplicate": 4})
    assert way.counts("*") == [1.0, 1.0, 1.0]
    assert way.store.last_number("agent") == 3
    assert way.account.snapshot().generated == 3


def test_what_was_blocked_at_the_source_is_withheld_in_the_ledger_and_counts_once() -> None:
    way = Way()
    for numbers in ([1], [1, 2]):
        made, kept = np.full(len(numbers), 5), np.full(len(numbers), 4)
        way.parser.numbered = NumberedBatches("agent", np.array(numbers), np.arange(len(numbers)), made, kept)
        way.send(*(f"n{number} 1 {NOW_S}" for number in numbers))
    balance = way.account.snapshot()
    assert (balance.generated, balance.stored, balance.rejected) == (10, 2, {"withheld": 8, "duplicate": 1})
    assert (balance.lost_on_the_way, balance.in_flight) == (0, 0)


def test_a_row_for_each_slot_of_samples_of_all_kinds_is_what_a_sender_makes_of_them() -> None:
    batch = SampleBatch.of([0, 0, 1], [0, 1, 0], [1.0, 2.0, 3.0], kind=Kind.TIMING)
    tallies = tallied_by_sender(batch)
    assert len(tallies) == sum(len(tally) for tally in fold_batch(batch, 10)) == 2
