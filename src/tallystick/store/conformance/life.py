"""The life of a series: deleted, renamed, seen last."""

import numpy as np
import pytest

from tallystick.model.errors import ForgottenSeriesError, StoreError
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.store.conformance.basis import NOW_S, Basis, one, put, row
from tallystick.store.contract import Store


class Life(Basis):
    """See `Store.delete`, `Store.rename`, `Store.when_forgotten` and `Store.last_seen`."""

    def test_a_deleted_series_is_found_nowhere_and_begins_anew_when_it_is_sent_again(self, store: Store) -> None:
        put(store, "a.b", Kind.COUNTER, [(0, 1.0)])
        put(store, "a.c", Kind.COUNTER, [(0, 2.0)])
        self.settle(store)
        gone = one(store, "a.b")
        store.delete(gone)
        assert [node.path for node in store.catalog.children("a.*")] == ["a.c"]
        assert store.catalog.search("b", 9) == []
        assert store.last_seen(gone).tolist() == [-1]
        put(store, "a.b", Kind.COUNTER, [(10, 3.0)])
        for _ in range(2):
            assert row(store, "a.b", slots=2) == [None, 3.0]
            assert row(store, "a.c", slots=2) == [2.0, None]
            self.settle(store)

    def test_nothing_is_taken_of_a_batch_with_a_series_that_is_no_more(self, store: Store) -> None:
        ids = store.create(["a", "b"], [Kind.COUNTER] * 2)
        store.delete(ids[:1])
        with pytest.raises(ForgottenSeriesError) as refusal:
            store.append(SampleBatch.of(ids, [NOW_S * 1000] * 2, [1.0, 2.0], kind=Kind.COUNTER))
        assert list(refusal.value.ids) == ids[:1].tolist()
        assert row(store, "b") == [None]

    def test_a_renamed_series_keeps_what_it_has_and_its_old_name_is_free(self, store: Store) -> None:
        put(store, "old", Kind.COUNTER, [(0, 1.0)])
        self.settle(store)
        store.rename(int(one(store, "old")[0]), "new.name")
        put(store, "old", Kind.COUNTER, [(10, 2.0)])
        for _ in range(2):
            assert row(store, "new.name", slots=2) == [1.0, None]
            assert row(store, "old", slots=2) == [None, 2.0]
            self.settle(store)

    def test_a_name_that_is_taken_is_refused(self, store: Store) -> None:
        ids = store.create(["a", "b"], [Kind.GAUGE] * 2)
        with pytest.raises(StoreError, match="'a' to 'b'"):
            store.rename(int(ids[0]), "b")
        assert store.catalog.names(ids) == ["a", "b"]

    def test_whoever_asked_is_told_of_series_that_their_names_no_longer_lead_to(self, store: Store) -> None:
        told: list[list[int]] = []
        store.when_forgotten(lambda ids: told.append(ids.tolist()))
        first, second = store.create(["a", "b"], [Kind.GAUGE] * 2).tolist()
        store.delete(np.array([first], np.int32))
        store.rename(second, "c")
        assert told == [[first], [second]]

    def test_the_newest_slot_is_known(self, store: Store) -> None:
        put(store, "a", Kind.GAUGE, [(-600, 1.0), (0, 1.0)])
        self.settle(store)
        put(store, "a", Kind.GAUGE, [(-300, 1.0)])
        put(store, "b", Kind.GAUGE, [(25, 1.0)])
        ids = store.create(["b", "empty", "a"], [Kind.GAUGE] * 3)
        assert store.last_seen(ids).tolist() == [NOW_S + 20, -1, NOW_S]
