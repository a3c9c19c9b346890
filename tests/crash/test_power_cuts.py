"""The power fails at every write, sync, truncation, rename and removal in turn; what was acknowledged must be there.

Each sample is a different power of two in its minute, so that the sum of a minute, at whatever resolution it is kept,
says which samples it has, and its count whether one is there twice.
"""

import threading
from collections import defaultdict
from pathlib import Path

import pytest

from faults import PowerCut, PowerCutFiles
from stores import NOW_S, found, open_store
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore

RULES = (
    RetentionRule("fast.*", Retention.parse("10s:1d,1m:30d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d")),
)
NEVER = 1 << 30
Slot = tuple[str, int]


class Scenario:
    """Writes, seals and compacts a store, and remembers what was written and what was acknowledged."""

    def __init__(self, directory: Path, files: PowerCutFiles) -> None:
        self.directory = directory
        self.files = files
        self.clock = ManualClock(float(NOW_S))
        self.written: dict[Slot, int] = defaultdict(int)
        self.acknowledged: dict[Slot, int] = defaultdict(int)

    def play(self) -> None:
        """Do everything, up to the cut."""
        store: EmbeddedStore | None = None
        try:
            store = open_store(self.directory, self.clock, rules=RULES, files=self.files)
            self.write(store, ["web.a", "fast.b"], [0, 60, 60, 120])
            self.write(store, ["web.a"], [120, 180])
            store.maintenance.seal()
            self.write(store, ["web.a", "web.c"], [120, 240])
            self.write(store, ["fast.b"], [120])
            store.maintenance.seal()
            self.clock.advance(2 * 7200.0)
            store.maintenance.compact()
            self.write(store, ["web.a", "web.late"], [60, 300])
            store.maintenance.seal()
            self.clock.advance(9 * 86400.0)
            store.maintenance.compact()
            self.write(store, ["web.c", "fast.new"], [0, 360])
        finally:
            if store is not None:
                store.close()

    def write(self, store: EmbeddedStore, names: list[str], seconds: list[int]) -> None:
        """Append a sample to each series and moment, and wait until the disk has it."""
        ids = store.create(names, [Kind.COUNTER] * len(names))
        rows = []
        for name, series in zip(names, ids.tolist(), strict=True):
            for second in seconds:
                bits = self.written[name, second]
                bit = bits + 1  # the lowest bit that no sample of the slot has: bits are 0, 1, 3, 7 ...
                self.written[name, second] = bits | bit
                rows.append((series, (NOW_S + second) * 1000, float(bit), (name, second)))
        series_column, times, values, slots = zip(*rows, strict=True)
        ticket = store.append(SampleBatch.of(series_column, times, values, kind=Kind.COUNTER))
        changed = threading.Event()
        store.when_durable(ticket, changed.set)
        self.files.when_off(changed.set)
        assert changed.wait(30), "the log did not commit"
        if not store.durable(ticket):
            raise PowerCut
        for slot, value in zip(slots, values, strict=True):
            self.acknowledged[slot] |= int(value)

    def check(self, what: str) -> None:
        """Reopen with a disk that works and compare."""
        store = open_store(self.directory, self.clock, rules=RULES)
        try:
            assert store.problems() == [], what
            names = store.catalog.names(store.catalog.find("*.*"))
            sums = {(n, s): v for n in names for s, v in found(store, n, Statistic.SUM, 60).items()}
            counts = {(n, s): v for n in names for s, v in found(store, n, Statistic.COUNT, 60).items()}
        finally:
            store.close()
        for slot, bits in self.acknowledged.items():
            assert int(sums.get(slot, 0)) & bits == bits, f"{what}: lost {bits:b} of {slot}, found {sums.get(slot)}"
        for slot, value in sums.items():
            extra = int(value) & ~self.written[slot]
            assert not extra, f"{what}: {slot} has {int(value):b}, but only {self.written[slot]:b} was written"
            assert counts[slot] == int(value).bit_count(), f"{what}: {slot} has a sample twice"


def operations_of_a_whole_run(directory: Path) -> list[str]:
    files = PowerCutFiles(NEVER, seed=0)
    Scenario(directory, files).play()
    return files.operations


def cut(scenario: Scenario, seed: int) -> str:
    with pytest.raises(PowerCut):
        scenario.play()
    scenario.files.lose_unsynced(scenario.directory)
    at = scenario.files.at
    return f"cut at operation {at} ({scenario.files.operations[at - 1]}), seed {seed}"


@pytest.fixture(autouse=True)
def threads_die_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log's thread ends with the power; that is no error of the test."""
    shown = threading.excepthook
    monkeypatch.setattr(threading, "excepthook", lambda args: None if args.exc_type is PowerCut else shown(args))


def test_the_scenario_meets_every_kind_of_operation(tmp_path: Path):
    words = {operation.split()[0] for operation in operations_of_a_whole_run(tmp_path)}
    assert words == {"append", "sync", "open", "rename", "remove"}


@pytest.mark.parametrize("seed", [1, 2])
def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path, seed: int):
    operations = len(operations_of_a_whole_run(tmp_path / "whole"))
    for at in range(1, operations - 3):  # records may share a commit, so a run may be some operations shorter
        scenario = Scenario(tmp_path / f"cut-{at}", PowerCutFiles(at, seed))
        scenario.check(cut(scenario, seed))


def test_a_second_power_cut_while_starting_loses_nothing_either(tmp_path: Path):
    operations = len(operations_of_a_whole_run(tmp_path / "whole"))
    for at in range(5, operations - 3, 7):
        scenario = Scenario(tmp_path / f"cut-{at}", PowerCutFiles(at, seed=at))
        what = cut(scenario, seed=at)
        for again in (1, 2, 4):
            files = PowerCutFiles(again, seed=again)
            with pytest.raises(PowerCut):
                Scenario(scenario.directory, files).play()
            files.lose_unsynced(scenario.directory)
        scenario.check(f"{what}, and in the next starts")
