"""Promises: durability, threads, ownership and errors."""

import threading

import numpy as np
import pytest

from tallystick.model.errors import ForgottenSeriesError, TallystickError
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.conformance.basis import NOW_S, Basis, put, row
from tallystick.store.contract import Store

_WAIT_S = 60.0


class Promises(Basis):
    """See `tallystick.store.contract.StoreWriter`."""

    def test_a_ticket_is_durable_in_the_end_and_tells_so(self, store: Store) -> None:
        tickets = [put(store, "a", Kind.COUNTER, [(k, 1.0)]) for k in range(20)]
        done = threading.Event()
        store.when_durable(tickets[-1], done.set)
        assert done.wait(_WAIT_S)
        assert all(store.durable(ticket) for ticket in tickets)
        at_once = threading.Event()
        store.when_durable(tickets[0], at_once.set)
        assert at_once.is_set()

    def test_arrays_that_were_read_belong_to_the_caller(self, store: Store) -> None:
        put(store, "a", Kind.GAUGE, [(0, 1.0), (10, 2.0)])
        ids = store.catalog.find("a")
        for _ in range(2):
            for statistics in ([Statistic.DEFAULT], [Statistic.LAST, Statistic.SUM, Statistic.DEFAULT]):
                for matrix in store.read(ids, NOW_S, NOW_S + 20, 10, statistics).values():
                    matrix[:] = -1.0
            store.catalog.kinds(ids)[:] = 77
            store.catalog.find("a")[:] = 99
            assert row(store, "a", slots=2) == [1.0, 2.0]
            assert row(store, "a", Statistic.SUM, slots=2) == [1.0, 2.0]
            assert store.catalog.kinds(ids).tolist() == [Kind.GAUGE]
            self.settle(store)

    def test_arrays_that_were_given_are_not_written_to(self, store: Store) -> None:
        ids = store.create(["a"], [Kind.GAUGE])
        columns = [
            np.repeat(ids, 3),
            np.array([NOW_S * 1000] * 3),
            np.arange(3.0),
            np.ones(3),
            np.zeros(3, np.uint8),
        ]
        for column in columns:
            column.setflags(write=False)
        store.append(SampleBatch(*columns))
        ids.setflags(write=False)
        assert store.read(ids, NOW_S, NOW_S + 10, 10)[Statistic.DEFAULT].item() == 2.0

    def test_an_empty_batch_is_an_error(self, store: Store) -> None:
        with pytest.raises(TallystickError):
            store.append(SampleBatch.of([], [], []))

    @pytest.mark.parametrize("series", [-1, -2, 2, 1 << 30])
    def test_a_batch_with_an_id_that_is_none_is_an_error_and_nothing_of_it_is_taken(
        self, store: Store, series: int
    ) -> None:
        ids = store.create(["a", "b"], [Kind.COUNTER] * 2)
        put(store, "b", Kind.COUNTER, [(0, 1.0)])
        with pytest.raises(ForgottenSeriesError):
            store.append(SampleBatch.of([*ids, series], [NOW_S * 1000] * 3, [64.0] * 3, kind=Kind.COUNTER))
        assert row(store, "a") == [None]
        assert row(store, "b") == [1.0]

    def test_threads_that_append_create_and_read_lose_and_tear_nothing(self, store: Store) -> None:
        """Each batch puts one sample into each of 20 series: a read between two batches finds all series alike."""
        names = [f"torn.n{k:02}" for k in range(20)]
        shared = store.create(names, [Kind.COUNTER] * 20)
        batches, writers = 40, 3
        torn: list[str] = []
        over = threading.Event()

        def write(k: int) -> None:
            own = store.create([f"own.w{k}"], [Kind.COUNTER])
            for j in range(batches):
                batch = np.concatenate([shared, own])
                store.append(SampleBatch.of(batch, [(NOW_S + j) * 1000] * 21, [1.0] * 21, kind=Kind.COUNTER))

        def read() -> None:
            before = np.zeros(4)
            while not over.is_set():
                counts = store.read(shared, NOW_S, NOW_S + 40, 10, [Statistic.COUNT])[Statistic.COUNT]
                counts = np.nan_to_num(counts)
                if (counts != counts[0]).any():
                    torn.append(f"series differ: {counts.tolist()}")
                if (counts[0] < before).any():
                    torn.append(f"{before.tolist()} became {counts[0].tolist()}")
                before = counts[0]

        readers = [threading.Thread(target=read) for _ in range(2)]
        workers = [threading.Thread(target=write, args=(k,)) for k in range(writers)]
        for thread in (*readers, *workers):
            thread.start()
        for _ in range(3):
            self.settle(store)
        for thread in workers:
            thread.join(_WAIT_S)
        over.set()
        for thread in readers:
            thread.join(_WAIT_S)
        assert torn == []
        for name in names:
            assert row(store, name, Statistic.COUNT, slots=4) == [10.0 * writers] * 4
        assert [row(store, f"own.w{k}", Statistic.COUNT, slots=4) for k in range(writers)] == [[10.0] * 4] * writers
