"""Tallies: slots that senders tallied are as if their samples had been appended, in any mixture with samples."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tallystick.fold import fold_batch
from tallystick.model.errors import ForgottenSeriesError, TallystickError
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Histograms, Sketches, Spread, TallyBatch, offsets
from tallystick.store.conformance.basis import NOW_S, Basis, Row, member, one, put, row
from tallystick.store.contract import Store

S = Statistic
NOTHING = SampleBatch.of([], [], [])
_WAIT_S = 60.0


def tallied_by_sender(batch: SampleBatch, step_s: int = 10) -> TallyBatch:
    """What a sender makes of samples (ids are series ids) that tallies them in slots of `step_s`, the oldest first."""
    tallies = fold_batch(batch, step_s)
    kind_of = np.zeros(int(batch.ids.max(initial=0)) + 1, np.uint8)
    kind_of[batch.ids] = batch.kind
    ids = np.concatenate([t.series for t in tallies])
    full = [t.full for t in tallies]
    no_buckets, no_sketches = Histograms.none, Sketches.none
    made = TallyBatch(
        ids,
        np.concatenate([t.slot for t in tallies]) * step_s * 1000,
        kind_of[ids],
        np.concatenate([t.last for t in tallies]),
        Spread(*(np.concatenate([getattr(s, c) for s in full]) for c in ("count", "sum", "m2", "min", "max"))),
        _histograms([t.histograms or no_buckets(len(t)) for t in tallies]),
        _sketches([t.sketches or no_sketches(len(t)) for t in tallies]),
    )
    return made.take(np.argsort(made.timestamp, kind="stable"))


def _histograms(parts: list[Histograms]) -> Histograms:
    lengths = np.concatenate([np.diff(h.offset) for h in parts])
    buckets, weights = [h.bucket for h in parts], [h.weight for h in parts]
    return Histograms(offsets(lengths), np.concatenate(buckets), np.concatenate(weights))


def _sketches(parts: list[Sketches]) -> Sketches:
    lengths = np.concatenate([np.diff(s.offset) for s in parts])
    return Sketches(offsets(lengths), np.concatenate([s.data for s in parts]))


def samples_of(store: Store, name: str, kind: Kind, rows: list[Row]) -> SampleBatch:
    """Samples of a series, which is made if it is new."""
    series = store.create([name], [kind])[0]
    times = [round((NOW_S + r[0]) * 1000) for r in rows]
    weights = [r[2] if len(r) == 3 else 1.0 for r in rows]
    return SampleBatch.of([series] * len(rows), times, [r[1] for r in rows], weight=weights, kind=kind)


def tally(store: Store, name: str, kind: Kind, rows: list[Row]) -> int:
    """Append slots of one series that its sender made of samples; returns the ticket."""
    return store.append(NOTHING, tallied_by_sender(samples_of(store, name, kind, rows)))


class Tallies(Basis):
    """See `tallystick.store.contract.StoreWriter.append`."""

    def test_tallied_slots_have_the_statistics_of_their_samples(self, store: Store) -> None:
        tally(store, "a", Kind.TIMING, [(0, 1.0), (1, 2.0), (2, 6.0), (10, 10.0), (11, 1.0, 10.0)])
        for _ in range(2):
            expected = {S.AVG: [3.0, 20 / 11], S.MAX: [6.0, 10.0], S.MIN: [1.0, 1.0], S.COUNT: [3.0, 11.0]}
            expected |= {S.SUM: [9.0, 20.0], S.LAST: [6.0, 1.0]}
            found = {s: row(store, "a", s, slots=2) for s in expected}
            assert all(found[s] == pytest.approx(expected[s]) for s in expected)
            assert row(store, "a", S.SDEV) == pytest.approx([np.std([1, 2, 6])])
            ids = one(store, "a")
            median = store.percentiles(ids, NOW_S, NOW_S + 60, 60, (50.0,))[50.0]
            np.testing.assert_allclose(median, [[1.0]], rtol=0.012)
            self.settle(store)

    def test_samples_and_tallies_of_one_slot_merge(self, store: Store) -> None:
        put(store, "a", Kind.TIMING, [(0, 1.0), (3, 2.0)])
        tally(store, "a", Kind.TIMING, [(0, 3.0), (1, 4.0)])
        put(store, "a", Kind.TIMING, [(4, 5.0)])
        tally(store, "a", Kind.TIMING, [(5, 6.0)])
        for _ in range(2):
            assert row(store, "a", S.COUNT) == [6.0]
            assert row(store, "a", S.SUM) == [21.0]
            assert row(store, "a", S.SDEV) == pytest.approx([np.std(np.arange(1, 7))])
            ids = one(store, "a")
            found = store.percentiles(ids, NOW_S, NOW_S + 10, 10, (0.0, 50.0, 100.0))
            for rank, value in ((0.0, 1.0), (50.0, 3.0), (100.0, 6.0)):
                np.testing.assert_allclose(found[rank], [[value]], rtol=0.012)
            self.settle(store)

    def test_the_last_value_is_that_of_the_last_to_arrive(self, store: Store) -> None:
        put(store, "a", Kind.GAUGE, [(5, 1.0)])
        tally(store, "a", Kind.GAUGE, [(0, 9.0), (1, 2.0)])
        assert row(store, "a") == [2.0]
        put(store, "a", Kind.GAUGE, [(4, 3.0)])
        assert row(store, "a") == [2.0], "a sample is older than one that was there before the tally"
        put(store, "a", Kind.GAUGE, [(5, 4.0)])
        for _ in range(2):
            assert row(store, "a") == [4.0]
            self.settle(store)
        tally(store, "a", Kind.GAUGE, [(0, 5.0)])
        for _ in range(2):
            assert row(store, "a") == [5.0]
            assert row(store, "a", S.COUNT) == [6.0]
            self.settle(store)

    def test_samples_come_before_the_tallies_of_the_same_batch(self, store: Store) -> None:
        samples = samples_of(store, "a", Kind.GAUGE, [(9, 1.0)])
        store.append(samples, tallied_by_sender(samples_of(store, "a", Kind.GAUGE, [(0, 2.0)])))
        for _ in range(2):
            assert row(store, "a") == [2.0]
            assert row(store, "a", S.SUM) == [3.0]
            self.settle(store)

    def test_sets_that_were_tallied_are_unions(self, store: Store) -> None:
        tally(store, "s", Kind.SET, [(k % 10, member(k)) for k in range(40)])
        put(store, "s", Kind.SET, [(0, member(k)) for k in range(30, 50)])
        tally(store, "s", Kind.SET, [(0, member(k)) for k in range(45, 60)])
        for _ in range(3):
            assert row(store, "s") == [pytest.approx(60.0, rel=0.02)]
            self.settle(store)

    def test_tallies_of_another_step_fall_into_the_slots_of_the_series(self, store: Store) -> None:
        series = samples_of(store, "fine.a", Kind.COUNTER, [(0, 1.0), (3, 2.0), (12, 4.0)])
        store.append(NOTHING, tallied_by_sender(series, 5))
        series = samples_of(store, "web.a", Kind.COUNTER, [(0, 1.0), (3, 2.0), (12, 4.0)])
        store.append(NOTHING, tallied_by_sender(series, 1))
        for _ in range(2):
            assert row(store, "fine.a", step_s=1, slots=3) == [3.0, None, None]
            assert row(store, "fine.a", step_s=10, slots=2) == [3.0, 4.0]
            assert row(store, "web.a", slots=2) == [3.0, 4.0]
            self.settle(store)

    def test_late_tallies_merge_into_what_is_there(self, store: Store) -> None:
        put(store, "a", Kind.COUNTER, [(0, 1.0), (10, 2.0), (-86_400, 64.0)])
        self.settle(store)
        tally(store, "a", Kind.COUNTER, [(-86_400, 4.0), (0, 8.0), (-10, 16.0), (-86_399, 32.0)])
        for _ in range(3):
            assert row(store, "a", start=-10, slots=3) == [16.0, 9.0, 2.0]
            assert row(store, "a", S.COUNT, start=-10, slots=3) == [1.0, 2.0, 1.0]
            assert row(store, "a", start=-86_400) == [100.0]
            self.settle(store)

    def test_a_gauge_that_was_tallied_is_what_changes_build_on(self, store: Store) -> None:
        tally(store, "a", Kind.GAUGE, [(0, 1.0), (1, 40.0)])
        put(store, "a", Kind.GAUGE, [(10, 2.0)], GAUGE_DELTA)
        for _ in range(2):
            assert row(store, "a", slots=2) == [40.0, 42.0]
            self.settle(store)

    def test_nothing_is_taken_if_a_series_of_either_is_gone(self, store: Store) -> None:
        gone = samples_of(store, "gone", Kind.COUNTER, [(0, 1.0)])
        kept = samples_of(store, "kept", Kind.COUNTER, [(0, 2.0)])
        store.delete(one(store, "gone"))
        numbered = Numbered("agent", 1)
        for samples, tallies in ((kept, gone), (gone, kept)):
            with pytest.raises(ForgottenSeriesError) as caught:
                store.append(samples, tallied_by_sender(tallies), numbered)
            assert caught.value.ids == gone.ids.tolist()
        assert row(store, "kept") == [None]
        assert store.last_number("agent") == 0

    def test_numbers_of_senders_are_known_and_never_go_back(self, store: Store) -> None:
        samples = samples_of(store, "a", Kind.COUNTER, [(0, 1.0)])
        assert store.last_number("agent one") == 0
        store.append(NOTHING, tallied_by_sender(samples), Numbered("agent one", 3))
        store.append(samples, None, Numbered("agent one", 2))
        store.append(NOTHING, None, Numbered("agent two", 7))
        with pytest.raises(TallystickError):
            store.append(NOTHING, TallyBatch.empty())
        self.settle(store)
        assert [store.last_number(f"agent {word}") for word in ("one", "two", "three")] == [3, 7, 0]
        assert row(store, "a") == [2.0]

    def test_arrays_of_tallies_are_not_written_to(self, store: Store) -> None:
        batch = tallied_by_sender(samples_of(store, "a", Kind.TIMING, [(0, 1.0), (1, 2.0), (-9999, 3.0)]))
        assert batch.histograms is not None
        s, h = batch.spread, batch.histograms
        columns: list[NDArray[np.generic]] = [batch.ids, batch.timestamp, batch.kind, batch.last, h.offset, h.bucket]
        columns += [h.weight, s.count, s.sum, s.m2, s.min, s.max]
        for column in columns:
            column.setflags(write=False)
        store.append(NOTHING, batch)
        store.append(NOTHING, batch)
        assert row(store, "a", S.COUNT) == [4.0]
