"""Keeping: what was durable when a store was closed is there when it is opened again."""

import threading
from pathlib import Path

import numpy as np

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.numbered import Numbered
from tallystick.model.statistic import Statistic
from tallystick.store.conformance.basis import NOW_S, RULES, Basis, member, one, put, row
from tallystick.store.conformance.tallies import NOTHING, samples_of, tallied_by_sender

S = Statistic
_WAIT_S = 60.0


class Keeping(Basis):
    """For stores that outlive their process: each test opens its own several times."""

    def test_what_was_durable_is_there_when_it_is_opened_again(self, tmp_path: Path, clock: ManualClock) -> None:
        for k in range(3):
            with self.opened(tmp_path, RULES, clock) as store:
                ids = store.create([f"a{k}", "b"], [Kind.COUNTER, Kind.TIMING])
                done = threading.Event()
                store.when_durable(put(store, f"a{k}", Kind.COUNTER, [(0, 1.0), (0, 2.0)]), done.set)
                put(store, "b", Kind.TIMING, [(k, 1.0)])
                assert done.wait(_WAIT_S)
                if k == 1:
                    self.settle(store)
                assert store.catalog.kinds(ids).tolist() == [Kind.COUNTER, Kind.TIMING]
        with self.opened(tmp_path, RULES, clock) as store:
            assert store.catalog.names(store.catalog.find("*")) == ["a0", "a1", "a2", "b"]
            assert [row(store, f"a{k}", Statistic.COUNT) for k in range(3)] == [[2.0]] * 3
            assert row(store, "b", Statistic.COUNT) == [3.0]

    def test_what_was_tallied_is_there_when_it_is_opened_again(self, tmp_path: Path, clock: ManualClock) -> None:
        for k in range(4):
            with self.opened(tmp_path, RULES, clock) as store:
                assert store.last_number("agent") == k
                samples = samples_of(store, "a", Kind.TIMING, [(0, 1.0 + k), (1, 2.0), (10, 3.0)])
                sets = samples_of(store, "s", Kind.SET, [(0, member(k)), (0, member(77))])
                store.append(NOTHING, tallied_by_sender(sets))
                done = threading.Event()
                ticket = store.append(NOTHING, tallied_by_sender(samples), Numbered("agent", k + 1))
                store.when_durable(ticket, done.set)
                assert done.wait(_WAIT_S)
                if k == 1:
                    self.settle(store)
        with self.opened(tmp_path, RULES, clock) as store:
            assert store.last_number("agent") == 4
            assert row(store, "a", S.COUNT, slots=2) == [8.0, 4.0]
            assert row(store, "a", S.MAX, slots=2) == [4.0, 3.0]
            assert row(store, "s") == [5.0]
            found = store.percentiles(one(store, "a"), NOW_S, NOW_S + 10, 10, (100.0,))[100.0]
            np.testing.assert_allclose(found, [[4.0]], rtol=0.012)

    def test_deletion_and_a_new_name_last_beyond_the_end(self, tmp_path: Path, clock: ManualClock) -> None:
        with self.opened(tmp_path / "again", RULES, clock) as store:
            for name in ("a", "b", "c"):
                put(store, name, Kind.COUNTER, [(0, 1.0)])
            store.delete(one(store, "a"))
            store.rename(int(one(store, "b")[0]), "d")
        with self.opened(tmp_path / "again", RULES, clock) as store:
            assert sorted(store.catalog.names(store.catalog.ids())) == ["c", "d"]
            assert row(store, "d") == [1.0]
