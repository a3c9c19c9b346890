"""History in bulk: it reads as if it had been appended, and its counts add up."""

import numpy as np
import pytest

from tallystick.fold.sketch import pack_sketches, sketch_members
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Histograms, Spread, Tally
from tallystick.store.conformance.basis import NOW_S, Basis, put, row
from tallystick.store.contract import Store
from tallystick.store.history import History, Loaded, Overlap

S = Statistic
DAY_S = 86_400


def history(values: dict[int, float], name: str = "a", kind: Kind = Kind.COUNTER, step_s: int = 10) -> History:
    """Slots of one sample, by their seconds from `NOW_S`."""
    slot = np.array([(NOW_S + second) // step_s for second in sorted(values)], np.int64)
    last = np.array([values[second] for second in sorted(values)], np.float64)
    return History([name], [kind], Tally(step_s, np.zeros(len(slot), np.int32), slot, last))


class Histories(Basis):
    """See `tallystick.store.contract.StoreWriter.load`."""

    def test_what_was_loaded_reads_as_what_was_appended(self, store: Store) -> None:
        values = {10 * k: float(k % 7) for k in range(-500, 0)}
        assert store.load(history(values)) == Loaded(taken=500)
        put(store, "b", Kind.COUNTER, list(values.items()))
        for _ in range(2):
            for statistic in (S.SUM, S.COUNT, S.MAX, S.SDEV, S.LAST):
                for step_s in (10, 60, 300):
                    slots = 5100 // step_s
                    loaded = row(store, "a", statistic, step_s=step_s, start=-5100, slots=slots)
                    appended = row(store, "b", statistic, step_s=step_s, start=-5100, slots=slots)
                    assert loaded == pytest.approx(appended)
            self.settle(store)

    def test_what_is_there_stays_unless_it_shall_be_merged(self, store: Store) -> None:
        put(store, "a", Kind.COUNTER, [(-30, 1.0), (-10, 2.0)])
        piece = history({-40: 5.0, -30: 5.0, -20: 5.0, -10: 5.0})
        assert store.load(piece) == Loaded(taken=2, present=2)
        assert store.load(piece) == Loaded(present=4)
        assert row(store, "a", start=-40, slots=4) == [5.0, 1.0, 5.0, 2.0]
        self.settle(store)
        assert store.load(piece, Overlap.MERGE) == Loaded(taken=4)
        assert row(store, "a", start=-40, slots=4) == [10.0, 6.0, 10.0, 7.0]

    def test_samples_merge_into_loaded_slots(self, store: Store) -> None:
        store.load(history({-20: 1.0}))
        put(store, "a", Kind.COUNTER, [(-20, 2.0)])
        for _ in range(2):
            assert row(store, "a", start=-20) == [3.0]
            assert row(store, "a", S.COUNT, step_s=60, start=-60) == [2.0]
            self.settle(store)

    def test_spreads_are_taken_as_they_are(self, store: Store) -> None:
        column = np.array([4.0])
        spread = Spread(column, column * 5, column * 2, column - 3, column * 3)
        slot = np.array([NOW_S // 10 - 1])
        store.load(History(["a"], [Kind.GAUGE], Tally(10, np.zeros(1, np.int32), slot, np.array([7.0]), spread)))
        expected = {S.COUNT: 4.0, S.SUM: 20.0, S.AVG: 5.0, S.MIN: 1.0, S.MAX: 12.0, S.LAST: 7.0}
        assert {s: row(store, "a", s, start=-10) for s in expected} == {s: [v] for s, v in expected.items()}
        assert row(store, "a", S.SDEV, start=-10) == pytest.approx([np.sqrt(2.0)])

    def test_slots_out_of_time_and_names_of_another_kind_are_counted(self, store: Store) -> None:
        put(store, "b", Kind.GAUGE, [(0, 1.0)])
        parts = [
            (history({-10: 1.0, -200 * DAY_S: 1.0}), Loaded(taken=1, out_of_time=1)),
            (history({-10: 1.0, -20: 2.0}, name="b"), Loaded(refused=2)),
            (history({}), Loaded()),
        ]
        total = Loaded()
        for piece, expected in parts:
            loaded = store.load(piece)
            assert loaded == expected
            assert loaded.taken + loaded.present + loaded.out_of_time + loaded.refused == len(piece)
            total += loaded
        assert total == Loaded(taken=1, out_of_time=1, refused=2)
        assert row(store, "b") == [1.0]

    def test_statistics_that_no_samples_have_are_refused_and_make_no_series(self, store: Store) -> None:
        columns = {"count": 2.0, "sum": 5.0, "m2": 0.5, "min": 2.0, "max": 3.0}
        wrong = [("count", 0.0), ("count", np.nan), ("m2", -0.5), ("min", 4.0), ("max", np.inf), ("sum", -np.inf)]
        slot, nobody = np.array([NOW_S // 10 - 1]), np.zeros(1, np.int32)
        for column, value in wrong:
            spread = Spread(**{name: np.array([one]) for name, one in (columns | {column: value}).items()})
            piece = History(["a"], [Kind.GAUGE], Tally(10, nobody, slot, np.array([3.0]), spread))
            assert store.load(piece) == Loaded(refused=1), (column, value)
        for name in ("", "a\nb", "a\x1b[2J", "a" * 1025):
            assert store.load(history({-10: 1.0}, name=name)) == Loaded(refused=1), name
        assert not len(store.catalog.ids())

    def test_histograms_and_sketches_that_are_none_are_refused(self, store: Store) -> None:
        slot, nobody, one = np.array([NOW_S // 10 - 1]), np.zeros(1, np.int32), np.array([1.0])
        for kind, buckets, weights, taken in (
            (Kind.TIMING, [40_000, 40_032], [1.0, 2.0], 1),
            (Kind.TIMING, [40_032, 40_000], [1.0, 2.0], 0),
            (Kind.TIMING, [40_000, 40_000], [1.0, 2.0], 0),
            (Kind.TIMING, [-(2**31)], [1.0], 0),
            (Kind.TIMING, [2**31 - 1], [1.0], 0),
            (Kind.TIMING, [40_000], [-1.0], 0),
            (Kind.TIMING, [40_000], [np.nan], 0),
            (Kind.GAUGE, [40_000], [1.0], 0),
        ):
            cells = Histograms(np.array([0, len(buckets)]), np.array(buckets, np.int32), np.array(weights))
            piece = History(["a"], [kind], Tally(10, nobody, slot, one, Spread.of_singles(one), cells))
            assert store.load(piece) == Loaded(taken=taken, refused=1 - taken), (kind, buckets, weights)
        members = sketch_members(np.arange(5))[0]
        for k, (kind, data, taken) in enumerate(
            ((Kind.SET, members, 1), (Kind.SET, b"garbage" * 3, 0), (Kind.SET, b"", 0), (Kind.COUNTER, members, 0))
        ):
            tally = Tally(10, nobody, slot, one, Spread.of_singles(one), None, pack_sketches([data]))
            loaded = store.load(History([f"b.{k}"], [kind], tally))
            assert loaded == Loaded(taken=taken, refused=1 - taken), (kind, data)
