"""Samples: what each kind of series is in a slot, and at coarser steps."""

import math

import numpy as np
import pytest

from tallystick.model.kind import Kind
from tallystick.model.sample import GAUGE_DELTA
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.store.conformance.basis import EVERY, NOW_S, Basis, member, one, put, row
from tallystick.store.contract import Store

S = Statistic


class Samples(Basis):
    """See `tallystick.store.contract.Store.read` and `percentiles`."""

    def test_what_was_appended_is_in_the_next_read(self, store: Store) -> None:
        for k in range(5):
            put(store, "a", Kind.COUNTER, [(0, 1.0)])
            assert row(store, "a") == [k + 1.0]

    def test_a_slot_has_every_statistic_of_its_samples(self, store: Store) -> None:
        put(store, "a", Kind.COUNTER, [(0, 2.0, 10.0), (5, 4.0, 30.0)])
        expected = {
            S.DEFAULT: 140.0,
            S.LAST: 4.0,
            S.AVG: 3.5,
            S.SUM: 140.0,
            S.COUNT: 40.0,
            S.MIN: 2.0,
            S.MAX: 4.0,
            S.SDEV: math.sqrt((10 * 1.5**2 + 30 * 0.5**2) / 40),
        }
        for _ in range(2):
            found = store.read(one(store, "a"), NOW_S, NOW_S + 10, 10, EVERY)
            assert {statistic: matrix.item() for statistic, matrix in found.items()} == pytest.approx(expected)
            self.settle(store)

    def test_a_tally_has_all_that_is_known_of_its_slots(self, store: Store) -> None:
        put(store, "a", Kind.TIMING, [(0, 2.0, 10.0), (5, 4.0, 30.0), (10, 7.0)])
        put(store, "b", Kind.COUNTER, [(10, 3.0)])
        ids = np.sort(np.concatenate([one(store, "a"), one(store, "b")]))
        place = {name: ids.tolist().index(one(store, name)[0]) for name in ("a", "b")}
        for _ in range(2):
            found = store.tally(ids, NOW_S, NOW_S + 20, 10)
            rows = {(int(s), int(n)): k for k, (s, n) in enumerate(zip(found.series, found.slot, strict=True))}
            assert set(rows) == {
                (place["a"], NOW_S // 10),
                (place["a"], NOW_S // 10 + 1),
                (place["b"], NOW_S // 10 + 1),
            }
            k, full, histograms = rows[place["a"], NOW_S // 10], found.full, found.histograms
            spread = [float(column[k]) for column in (full.count, full.sum, full.m2, full.min, full.max)]
            assert spread == pytest.approx([40.0, 140.0, 10 * 1.5**2 + 30 * 0.5**2, 2.0, 4.0])
            assert histograms is not None
            weights = histograms.weight[histograms.offset[k] : histograms.offset[k + 1]]
            assert sorted(weights.tolist()) == [10.0, 30.0]
            self.settle(store)

    def test_a_slot_of_one_sample_has_every_statistic_too(self, store: Store) -> None:
        put(store, "a", Kind.GAUGE, [(3, -2.5)])
        found = store.read(one(store, "a"), NOW_S, NOW_S + 10, 10, EVERY)
        values = {statistic: matrix.item() for statistic, matrix in found.items()}
        assert values == dict.fromkeys(EVERY, -2.5) | {S.COUNT: 1.0, S.SDEV: 0.0}

    @pytest.mark.parametrize(
        ("kind", "fine", "coarse"),
        [
            (Kind.GAUGE, 5.0, 3.0),
            (Kind.COUNTER, 6.0, 9.0),
            (Kind.TIMING, 3.0, 3.0),
            (Kind.CUMULATIVE, 5.0, 3.0),
        ],
    )
    def test_each_kind_has_its_default(self, store: Store, kind: Kind, fine: float, coarse: float) -> None:
        put(store, "a", kind, [(0, 1.0), (1, 5.0), (10, 3.0)])
        for _ in range(2):
            assert row(store, "a") == [fine]
            assert row(store, "a", step_s=60) == [coarse]
            self.settle(store)

    def test_gauges_are_at_coarse_steps_what_the_first_rule_for_their_name_says(self, store: Store) -> None:
        for name in ("web.peaks.total", "web.total", "web.a"):
            put(store, name, Kind.GAUGE, [(0, 1.0), (1, 5.0), (10, 3.0)])
        put(store, "counts.total", Kind.TIMING, [(0, 1.0), (10, 3.0)])
        for _ in range(2):
            assert [row(store, name) for name in ("web.peaks.total", "web.total", "web.a")] == [[5.0]] * 3
            assert row(store, "web.peaks.total", step_s=60) == [5.0]
            assert row(store, "web.total", step_s=60) == [9.0]
            assert row(store, "web.a", step_s=60) == [3.0]
            assert row(store, "counts.total", step_s=60) == [2.0]
            self.settle(store)

    def test_a_store_tells_which_statistic_is_the_default(self, store: Store) -> None:
        names = ["web.peaks.a", "web.a", *(f"web.{kind.name.lower()}" for kind in Kind if kind is not Kind.GAUGE)]
        ids = store.create(names, [Kind.GAUGE, Kind.GAUGE, *(kind for kind in Kind if kind is not Kind.GAUGE)])
        others = [S.SUM, S.AVG, S.LAST, S.LAST]
        assert [STATISTICS[k] for k in store.defaults(ids, 10).tolist()] == [S.LAST, S.LAST, *others]
        assert [STATISTICS[k] for k in store.defaults(ids, 300).tolist()] == [S.MAX, S.AVG, *others]

    def test_gauges_are_fine_at_the_finest_step_of_their_own_retention(self, store: Store) -> None:
        put(store, "fine.a", Kind.GAUGE, [(0, 1.0), (1, 5.0)])
        assert row(store, "fine.a", step_s=1, slots=3) == [1.0, 5.0, None]
        assert row(store, "fine.a", step_s=10) == [3.0]

    def test_the_last_sample_is_the_latest_by_time_then_by_arrival(self, store: Store) -> None:
        put(store, "time", Kind.GAUGE, [(9, 1.0), (3, 2.0)])
        put(store, "arrival", Kind.GAUGE, [(3, 1.0), (3, 2.0)])
        assert row(store, "time") == [1.0]
        assert row(store, "arrival") == [2.0]

    def test_a_set_counts_its_different_members_at_any_step(self, store: Store) -> None:
        put(store, "a", Kind.SET, [(0, member(1)), (1, member(2)), (2, member(1)), (10, member(2)), (11, member(3))])
        for _ in range(2):
            assert row(store, "a", slots=3) == [2.0, 2.0, None]
            assert row(store, "a", step_s=60) == [3.0]
            self.settle(store)

    def test_a_large_set_is_counted_within_a_few_percent(self, store: Store) -> None:
        put(store, "a", Kind.SET, [(0, member(k)) for k in range(5000)])
        (found,) = row(store, "a")
        assert found is not None
        assert abs(found - 5000) < 250

    def test_a_change_of_a_gauge_builds_on_its_value(self, store: Store) -> None:
        put(store, "a", Kind.GAUGE, [(0, 5.0)])
        put(store, "a", Kind.GAUGE, [(1, -2.0)], GAUGE_DELTA)
        self.settle(store)
        put(store, "a", Kind.GAUGE, [(10, 10.0)], GAUGE_DELTA)
        assert row(store, "a", slots=3) == [3.0, 13.0, None]

    def test_a_change_of_an_unknown_gauge_builds_on_zero(self, store: Store) -> None:
        put(store, "a", Kind.GAUGE, [(0, 5.0)], GAUGE_DELTA)
        assert row(store, "a") == [5.0]

    def test_percentiles_of_timings_are_within_one_percent_and_merge(self, store: Store) -> None:
        put(store, "a", Kind.TIMING, [(k % 60, float(k)) for k in range(1, 1001)])
        put(store, "g", Kind.GAUGE, [(0, 1.0)])
        ids = np.concatenate([one(store, "a"), one(store, "g")])
        for _ in range(2):
            found = store.percentiles(ids, NOW_S, NOW_S + 60, 60, (50.0, 95.0, 100.0))
            for rank, values in found.items():
                assert values[0, 0] == pytest.approx(10 * rank, rel=0.012)
                assert np.isnan(values[1, 0])
            self.settle(store)

    def test_a_percentile_lies_between_the_least_and_the_greatest_sample(self, store: Store) -> None:
        put(store, "a", Kind.TIMING, [(k % 10, value) for k, value in enumerate((304.0, 304.0, -304.0, 10.0, 10.0))])
        for _ in range(2):
            found = store.percentiles(one(store, "a"), NOW_S, NOW_S + 10, 10, (0.0, 1.0, 50.0, 99.0, 100.0))
            values = [float(value.item()) for value in found.values()]
            assert values == sorted(values)
            assert values[0] >= -304.0
            assert values[-1] <= 304.0
            self.settle(store)

    def test_percentiles_count_by_weight(self, store: Store) -> None:
        put(store, "a", Kind.TIMING, [(0, 1.0), (1, 9.0, 3.0)])
        found = store.percentiles(one(store, "a"), NOW_S, NOW_S + 10, 10, (25.0, 26.0))
        assert [float(found[rank].item()) for rank in (25.0, 26.0)] == pytest.approx([1.0, 9.0], rel=0.012)

    def test_numbers_of_any_size_come_back_as_they_were(self, store: Store) -> None:
        values = [0.1, -1e-300, 1e300, 2.0**53 + 2, -0.0, 5e-324]
        put(store, "a", Kind.GAUGE, [(10.0 * k, value) for k, value in enumerate(values)])
        for _ in range(2):
            assert row(store, "a", slots=len(values)) == values
            self.settle(store)

    def test_nothing_is_read_where_nothing_was_received(self, store: Store) -> None:
        put(store, "a", Kind.COUNTER, [(0, 1.0), (30, 2.0)])
        store.create(["b"], [Kind.COUNTER])
        assert row(store, "a", start=-10, slots=6) == [None, 1.0, None, None, 2.0, None]
        assert row(store, "b", slots=2) == [None, None]
        assert row(store, "a", S.COUNT, start=-10, slots=2) == [None, 1.0]
