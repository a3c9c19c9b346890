"""The embedded store against the plain in-memory model, with sealing, compaction, deletion, renaming, restarts,
crashes and clock jumps as steps."""

import shutil
import tempfile
import threading
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally
from tallystick.store.conformance.tallies import NOTHING, tallied_by_sender
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.history import History, Overlap
from tallystick.store.memory import MemoryStore
from tallystick.store.options import StoreOptions
from tallystick.store.snapshot import restore, take_snapshot
from tallystick.store.view import StoreView

NOW_S = 1_700_000_000
STEP_S = 10
HISTORY_SLOTS = 70
RULES = [
    RetentionRule("fine.*", Retention.parse("1s:1d,10s:10d,1m:30d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d")),
]
OTHER_RULES = [
    RetentionRule("web.*", Retention.parse("1s:1d,10s:10d,1m:30d,5m:90d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d,1h:90d")),
]
NAMES = [f"{place}.{kind.name.lower()}.{k}" for place in ("fine", "web") for kind in Kind for k in range(1)]
KINDS = [Kind[name.split(".")[1].upper()] for name in NAMES]
STATISTICS = (Statistic.DEFAULT, Statistic.LAST, Statistic.SUM, Statistic.COUNT, Statistic.MAX, Statistic.SDEV)


def _member(n: int) -> float:
    return float(np.array([n + 1], np.int64).view(np.float64)[0])


samples = st.lists(
    st.tuples(
        st.integers(0, len(NAMES) - 1),
        st.integers(-HISTORY_SLOTS, 0) | st.integers(-3, 0),
        st.integers(-1000, 1000),
        st.sampled_from([1.0, 1.0, 10.0]),
    ),
    min_size=1,
    max_size=40,
)


class StoreMachine(RuleBasedStateMachine):
    """Does the same to both stores; what they answer must be the same after each step."""

    @initialize()
    def open_stores(self) -> None:
        self.clock = ManualClock(float(NOW_S))
        self.directory = Path(tempfile.mkdtemp(prefix="tallystick-model-"))
        self.rules = RULES
        self.store = self._open()
        self.memory = MemoryStore(RULES, self.clock)
        self.names, self.kinds = list(NAMES), list(KINDS)  # those that series were renamed to come behind
        self.turn = 0
        self.ask_for_ids()

    def ask_for_ids(self) -> None:
        """The ids of all names in both stores, made anew where they were deleted, or forgotten for want of samples."""
        self.ids = self.store.create(self.names, self.kinds)
        self.memory_ids = self.memory.create(self.names, self.kinds)
        self.is_set = np.array([kind is Kind.SET for kind in self.kinds])

    def _open(self) -> EmbeddedStore:
        self.ticket = 0  # tickets are those of one opening
        return EmbeddedStore(self.directory, self.rules, self.clock, StoreOptions(commit_interval_s=0.001))

    @rule(rows=samples)
    def append(self, rows: list[tuple[int, int, int, float]]) -> None:
        ids, memory_ids, columns = self.columns(rows)
        self.memory.append(SampleBatch(memory_ids, *columns))
        self.ticket = self.store.append(SampleBatch(ids, *columns))

    @rule(rows=samples, also=samples | st.none(), number=st.integers(0, 9))
    def append_tallied(
        self, rows: list[tuple[int, int, int, float]], also: list[tuple[int, int, int, float]] | None, number: int
    ) -> None:
        """What a sender made of samples, perhaps with others that it sent as they were."""
        ids, memory_ids, columns = self.columns(rows)
        numbered = Numbered(f"sender {number % 2}", number) if number else None
        batch = tallied_by_sender(SampleBatch(ids, *columns))
        own = np.zeros(int(ids.max()) + 1, np.int32)
        own[ids] = memory_ids
        tallies = batch, batch.with_ids(own[batch.ids])
        samples = [NOTHING, NOTHING]
        if also:
            ids, memory_ids, columns = self.columns(also)
            samples = [SampleBatch(ids, *columns), SampleBatch(memory_ids, *columns)]
        self.ticket = self.store.append(samples[0], tallies[0], numbered)
        self.memory.append(samples[1], tallies[1], numbered)

    def columns(self, rows: list[tuple[int, int, int, float]]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """The ids of samples in both stores, and their other columns."""
        series = np.array([series for series, *_ in rows])
        kind = np.array([KINDS[k] for k in series], np.uint8)
        value = np.array([v / 8 for _, _, v, _ in rows])
        sets = kind == Kind.SET
        value[sets] = [_member(abs(rows[k][2]) % 50) for k in np.flatnonzero(sets)]
        weight = np.array([w for *_, w in rows])
        weight[(kind == Kind.GAUGE) | sets] = 1.0
        timestamp = (NOW_S // STEP_S + np.array([slot for _, slot, *_ in rows])) * STEP_S * 1000
        self.ask_for_ids()
        return self.ids[series], self.memory_ids[series], [timestamp, value, weight, kind]

    @rule(
        k=st.integers(0, len(NAMES) - 1),
        slots=st.dictionaries(st.integers(-HISTORY_SLOTS, 0), st.integers(-1000, 1000), min_size=1, max_size=20),
        overlap=st.sampled_from(Overlap),
    )
    def load(self, k: int, slots: dict[int, int], overlap: Overlap) -> None:
        if KINDS[k] is Kind.SET:
            return  # what is loaded of a set is a sketch, and not its members
        slot = NOW_S // STEP_S + np.array(sorted(slots), np.int64)
        value = np.array([slots[number] / 8 for number in sorted(slots)])
        history = History([NAMES[k]], [KINDS[k]], Tally(STEP_S, np.zeros(len(slot), np.int32), slot, value))
        assert self.store.load(history, overlap) == self.memory.load(history, overlap)
        self.ask_for_ids()

    @rule(chosen=st.sets(st.integers(0, len(NAMES) - 1), min_size=1, max_size=4))
    def delete(self, chosen: set[int]) -> None:
        self.ask_for_ids()
        gone = np.array(sorted(chosen))
        self.store.delete(self.ids[gone])
        self.memory.delete(self.memory_ids[gone])

    @rule(k=st.integers(0, len(NAMES) - 1))
    def rename(self, k: int) -> None:
        self.ask_for_ids()
        name = f"{NAMES[k].split('.')[0]}.renamed.{len(self.names)}"
        self.store.rename(int(self.ids[k]), name)
        self.memory.rename(int(self.memory_ids[k]), name)
        self.names.append(name)
        self.kinds.append(KINDS[k])

    @rule()
    def seal(self) -> None:
        self.store.maintenance.seal()

    @rule()
    def compact(self) -> None:
        self.store.maintenance.compact()

    @rule(hours=st.integers(1, 30))
    def let_time_pass(self, hours: int) -> None:
        self.clock.advance(hours * 3600.0)

    @precondition(lambda self: self.clock.time_s > NOW_S)
    @rule()
    def set_the_clock_back(self) -> None:
        self.clock.jump(NOW_S - self.clock.time_s)

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self._open()

    @rule()
    def change_the_retention_rules_and_reopen(self) -> None:
        self.store.close()
        self.rules = OTHER_RULES if self.rules is RULES else RULES
        self.store = self._open()
        self.memory.follow(self.rules)

    def wait(self) -> None:
        safe = threading.Event()
        self.store.when_durable(self.ticket, safe.set)
        assert safe.wait(30.0), "what was appended did not become safe"

    @rule()
    def go_on_with_what_a_snapshot_restores(self) -> None:
        place = Path(tempfile.mkdtemp(prefix="tallystick-model-"))
        take_snapshot(self.store, place / "snapshot")
        self.store.close()
        shutil.rmtree(self.directory)
        restore(place / "snapshot", place / "store")
        shutil.rmtree(place / "snapshot")
        self.directory = place / "store"
        self.store = self._open()

    @rule()
    def look_without_opening(self) -> None:
        self.ask_for_ids()
        self.wait()
        self.store.sync_definitions()
        view = StoreView(self.directory, self.rules, self.clock)
        assert view.problems() == []
        start_s, until_s = NOW_S // 300 * 300 - 1200, NOW_S // 300 * 300 + 300
        for name, series in zip(self.names, self.ids, strict=True):
            seen = view.catalog.find(name)
            assert len(seen) == 1
            found = view.read(seen, start_s, until_s, 60, STATISTICS)
            expected = self.store.read(np.array([series], np.int32), start_s, until_s, 60, STATISTICS)
            for statistic in STATISTICS:
                np.testing.assert_array_equal(found[statistic], expected[statistic], err_msg=f"{name} {statistic}")

    @rule()
    def crash(self) -> None:
        self.wait()
        copy = Path(tempfile.mkdtemp(prefix="tallystick-model-"))
        shutil.copytree(self.directory, copy, dirs_exist_ok=True)
        self.store.close()
        shutil.rmtree(self.directory)
        self.directory = copy
        self.store = self._open()

    @invariant()
    def there_are_the_same_series(self) -> None:
        catalog, plain = self.store.catalog, self.memory.catalog
        there = catalog.names(catalog.ids())
        kinds = dict(zip(self.names, self.kinds, strict=True))
        assert [kinds[name] for name in there] == catalog.kinds(catalog.ids()).tolist()
        missing = [name for name in plain.names(plain.ids()) if name not in there]
        assert set(there) <= set(plain.names(plain.ids()))
        ids = np.array([plain.find(name)[0] for name in missing], np.int32)
        assert (self.memory.last_seen(ids) == -1).all(), "a series that has samples was forgotten"

    @invariant()
    def numbers_of_senders_are_the_same(self) -> None:
        for k in range(3):
            assert self.store.last_number(f"sender {k}") == self.memory.last_number(f"sender {k}")

    @invariant()
    def answers_are_the_same(self) -> None:
        self.ask_for_ids()
        start_s, until_s = NOW_S - (HISTORY_SLOTS + 5) * STEP_S, NOW_S + 60
        # One step a turn: the model is slow.
        self.turn += 1
        every = np.arange(len(self.names))
        coarse = np.array([k for k in every if not self.names[k].startswith("fine.")])
        for step_s, series in [((10, every), (60, every), (300, coarse))[self.turn % 3]]:
            start, until = start_s // step_s * step_s, until_s // step_s * step_s
            found = self.store.read(self.ids[series], start, until, step_s, STATISTICS)
            expected = self.memory.read(self.memory_ids[series], start, until, step_s, STATISTICS)
            for statistic in STATISTICS:
                if statistic not in (Statistic.DEFAULT, Statistic.LAST):
                    # A set has one value, the number of its members; the other statistics of it are not promised.
                    found[statistic][self.is_set[series]] = expected[statistic][self.is_set[series]] = 0.0
                np.testing.assert_allclose(
                    found[statistic], expected[statistic], rtol=1e-9, atol=1e-6, err_msg=f"{statistic} at {step_s} s"
                )

    @invariant()
    def percentiles_are_within_the_histograms_error(self) -> None:
        timings = [k for k, kind in enumerate(self.kinds) if kind is Kind.TIMING]
        start, until = (NOW_S - (HISTORY_SLOTS + 5) * STEP_S) // 60 * 60, NOW_S // 60 * 60
        found = self.store.percentiles(self.ids[timings], start, until, 60, (50.0, 99.0))
        expected = self.memory.percentiles(self.memory_ids[timings], start, until, 60, (50.0, 99.0))
        for rank, values in found.items():
            np.testing.assert_allclose(values, expected[rank], rtol=0.012)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.directory)


StoreMachine.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes; the seed is printed
)
TestStoreAgainstMemory = StoreMachine.TestCase
