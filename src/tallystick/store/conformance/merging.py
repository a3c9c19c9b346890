"""Merging: whatever comes in whatever order, at whatever step it is read, each sample counts once."""

import numpy as np
import pytest

from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.conformance.basis import NOW_S, RULES, Basis, member, put, row
from tallystick.store.contract import Store
from tallystick.store.memory import MemoryStore

S = Statistic
_HOURS = 3


class Merging(Basis):
    """See `tallystick.store.contract.Store.read`."""

    def test_coarse_slots_merge_tallies_and_never_averages(self, store: Store) -> None:
        put(store, "a", Kind.TIMING, [(0, 1.0), (1, 2.0), (2, 3.0), (10, 10.0)])
        for _ in range(2):
            expected = {S.AVG: 4.0, S.MAX: 10.0, S.MIN: 1.0, S.SUM: 16.0, S.COUNT: 4.0, S.LAST: 10.0}
            assert {s: row(store, "a", s, step_s=60) for s in expected} == {s: [v] for s, v in expected.items()}
            assert row(store, "a", S.SDEV, step_s=60) == pytest.approx([np.std([1, 2, 3, 10])])
            self.settle(store)

    def test_late_samples_merge_into_what_is_there(self, store: Store) -> None:
        put(store, "a", Kind.COUNTER, [(0, 1.0), (10, 2.0)])
        self.settle(store)
        put(store, "a", Kind.COUNTER, [(-86_400, 4.0), (0, 8.0), (-10, 16.0)])
        for _ in range(3):
            assert row(store, "a", start=-10, slots=3) == [16.0, 9.0, 2.0]
            assert row(store, "a", S.COUNT, start=-10, slots=3) == [1.0, 2.0, 1.0]
            assert row(store, "a", start=-86_400) == [4.0]
            self.settle(store)

    def test_the_order_of_batches_does_not_matter(self, store: Store) -> None:
        rows = [(k * 7.0 % 600, float(k)) for k in range(100)]
        put(store, "forth", Kind.COUNTER, rows)
        for k in (3, 1, 0, 2):
            put(store, "back", Kind.COUNTER, rows[25 * k : 25 * k + 25][::-1])
        for statistic in (S.SUM, S.COUNT, S.MIN, S.MAX):
            assert row(store, "back", statistic, slots=60) == row(store, "forth", statistic, slots=60)

    def test_series_in_any_order_and_twice_are_rows_in_that_order(self, store: Store) -> None:
        for k, name in enumerate(["a", "b", "c"]):
            put(store, name, Kind.COUNTER, [(0, float(k))])
        a, b, c = (store.catalog.find(name)[0] for name in ("a", "b", "c"))
        ids = np.array([c, a, c, b], np.int32)
        assert store.read(ids, NOW_S, NOW_S + 10, 10)[S.DEFAULT][:, 0].tolist() == [2.0, 0.0, 2.0, 1.0]
        assert store.read(ids[:0], NOW_S, NOW_S + 20, 10)[S.DEFAULT].shape == (0, 2)

    @pytest.mark.parametrize("seed", range(4))
    def test_random_samples_are_read_as_from_the_model(self, store: Store, seed: int) -> None:
        choice = np.random.default_rng(seed)
        model = MemoryStore(RULES)
        names = [f"{place}.{kind.name.lower()}" for place in ("fine", "web") for kind in Kind]
        kinds = [kind for _ in range(2) for kind in Kind]
        ids = store.create(names, kinds)
        for _ in range(6):
            batch = self._batch(choice, np.array(kinds), 200)
            store.append(batch.with_ids(ids[batch.ids]))
            model.append(batch.with_ids(model.create(names, kinds)[batch.ids]))
            if choice.random() < 0.5:
                self.settle(store)
        for step_s in (10, 60, 300):
            self._compare(store, model, names, step_s)

    @staticmethod
    def _batch(choice: np.random.Generator, kinds: np.ndarray, n: int) -> SampleBatch:
        series = choice.integers(0, len(kinds), n).astype(np.int32)
        kind = kinds[series].astype(np.uint8)
        value = choice.integers(-800, 800, n) / 8
        sets = kind == Kind.SET
        value[sets] = [member(k) for k in choice.integers(0, 30, int(sets.sum()))]
        weight = np.where((kind == Kind.GAUGE) | sets, 1.0, choice.choice([1.0, 1.0, 10.0], n))
        second = choice.integers(-_HOURS * 3600, 60, n) // 10 * 10
        return SampleBatch(series, (NOW_S + second) * 1000, value, weight, kind)

    @staticmethod
    def _compare(store: Store, model: Store, names: list[str], step_s: int) -> None:
        start, until = NOW_S - _HOURS * 3600, NOW_S + 300
        every = (S.DEFAULT, S.LAST, S.SUM, S.COUNT, S.MIN, S.MAX, S.AVG, S.SDEV)
        for name in names:
            # Of a set only the number of its members is promised.
            statistics = (S.DEFAULT,) if name.endswith("set") else every
            found = store.read(store.catalog.find(name), start, until, step_s, statistics)
            expected = model.read(model.catalog.find(name), start, until, step_s, statistics)
            for statistic in statistics:
                if step_s > 10 and (statistic is S.LAST or name.endswith(("gauge", "cumulative"))):
                    # Pieces of a coarse slot that were stored apart: which of them has the last sample is not kept.
                    continue
                np.testing.assert_allclose(
                    found[statistic], expected[statistic], rtol=1e-9, atol=1e-6, err_msg=f"{name} {statistic} {step_s}"
                )
