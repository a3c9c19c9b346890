"""Series are deleted, renamed and forgotten: nothing of them comes back, and nothing of others is lost."""

import errno
from pathlib import Path

import numpy as np
import pytest

from faults import RefusingFiles
from stores import NOW_S, found, open_store, opened, put, wait_durable
from tallystick.model.clock import ManualClock
from tallystick.model.errors import ForgottenSeriesError, StoreError
from tallystick.model.kind import Kind
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.memory import MemoryStore

EXPIRED_S = 3 * 365 * 86400.0


def series(store: EmbeddedStore | MemoryStore, name: str) -> int:
    (one,) = store.catalog.find(name).tolist()
    return int(one)


def delete(store: EmbeddedStore | MemoryStore, *names: str) -> None:
    store.delete(np.array([series(store, name) for name in names], np.int32))


def names(store: EmbeddedStore | MemoryStore) -> list[str]:
    return sorted(store.catalog.names(store.catalog.ids()))


@pytest.mark.parametrize("sealed", [False, True])
def test_a_deleted_series_is_found_nowhere_also_after_a_restart(tmp_path: Path, sealed: bool):
    with opened(tmp_path) as store:
        put(store, "a.b", {0: 1.0})
        wait_durable(store, put(store, "a.c", {0: 2.0}))
        if sealed:
            store.maintenance.seal()
        gone = series(store, "a.b")
        delete(store, "a.b")
        ids = np.array([gone], np.int32)
        assert np.isnan(store.read(ids, NOW_S, NOW_S + 10, 10)[Statistic.DEFAULT]).all()
        assert store.last_seen(ids).tolist() == [-1]
    for _ in range(2):
        with opened(tmp_path) as store:
            assert names(store) == ["a.c"]
            assert [node.path for node in store.catalog.children("a.*")] == ["a.c"]
            assert store.catalog.search("b", 10) == []
            assert found(store, "a.c") == {0: 2.0}
            assert store.problems() == []


def test_a_branch_whose_last_series_is_deleted_is_gone(tmp_path: Path):
    with opened(tmp_path) as store:
        put(store, "dead.branch.leaf", {0: 1.0})
        put(store, "living.leaf", {0: 1.0})
        delete(store, "dead.branch.leaf")
        assert [node.path for node in store.catalog.children("*")] == ["living"]


@pytest.mark.parametrize("how", ["head", "log", "sealed", "compacted"])
def test_a_series_that_is_sent_again_after_its_deletion_begins_anew(tmp_path: Path, how: str):
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "a", {0: 1.0, 10: 2.0}))
        if how in ("sealed", "compacted"):
            store.maintenance.seal()
        delete(store, "a")
        if how == "compacted":
            store.maintenance.compact()
        if how != "log":
            wait_durable(store, put(store, "a", {20: 3.0}))
            assert found(store, "a") == {20: 3.0}
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "a", {30: 4.0}))
        assert found(store, "a") == ({30: 4.0} if how == "log" else {20: 3.0, 30: 4.0})
        store.maintenance.seal()
        assert found(store, "a") == ({30: 4.0} if how == "log" else {20: 3.0, 30: 4.0})


def test_samples_of_a_series_that_is_no_more_are_refused_and_nothing_of_the_batch_is_taken(tmp_path: Path):
    memory = MemoryStore()
    with opened(tmp_path) as embedded:
        for store in (embedded, memory):
            ids = store.create(["a", "b"], [Kind.COUNTER] * 2)
            delete(store, "a")
            batch = SampleBatch.of(ids, [NOW_S * 1000] * 2, [1.0, 2.0], kind=Kind.COUNTER)
            with pytest.raises(ForgottenSeriesError, match="cannot take samples of 1 series") as refusal:
                store.append(batch)
            assert list(refusal.value.ids) == [int(ids[0])]
            assert np.isnan(store.read(ids, NOW_S, NOW_S + 10, 10)[Statistic.DEFAULT]).all()


def test_an_id_is_given_away_only_once_nothing_refers_to_it(tmp_path: Path):
    with opened(tmp_path) as store:
        for name in ("a", "b", "c", "d", "e"):
            last = put(store, name, {0: 1.0})
        wait_durable(store, last)
        store.maintenance.seal()
        delete(store, "b")
        assert put(store, "new.0", {10: 2.0}) and series(store, "new.0") == 5
        store.maintenance.seal()
        store.maintenance.compact()
        put(store, "new.1", {10: 2.0})
        assert series(store, "new.1") == 6, "a block has samples of the old series still"
        delete(store, "a")  # now more than a quarter of the block is dead
        store.maintenance.seal()
        store.maintenance.compact()
        assert next(b.block.series.tolist() for b in store.block_set.snapshot()) == [2, 3, 4]
        put(store, "new.2", {20: 3.0})
        put(store, "new.3", {20: 4.0})
        assert (series(store, "new.2"), series(store, "new.3")) == (0, 1)
        assert found(store, "new.2") == {20: 3.0}
        wait_durable(store, put(store, "new.3", {30: 4.0}))
    with opened(tmp_path) as store:
        assert names(store) == ["c", "d", "e", "new.0", "new.1", "new.2", "new.3"]
        assert found(store, "new.3") == {20: 4.0, 30: 4.0}
        assert found(store, "c") == {0: 1.0}


def test_what_arrived_later_still_counts_where_an_older_block_was_written_anew(tmp_path: Path):
    with opened(tmp_path) as store:
        for name in ("a", "b", "c"):
            put(store, name, {0: 1.0}, Kind.GAUGE)
        store.maintenance.seal()
        put(store, "c", {0: 2.0}, Kind.GAUGE)
        store.maintenance.seal()
        delete(store, "a", "b")
        assert store.maintenance.compact() == 1
        assert found(store, "c", Statistic.LAST) == {0: 2.0}


def test_a_renamed_series_keeps_all_that_it_has_and_its_old_name_is_free(tmp_path: Path):
    told: list[list[int]] = []
    with opened(tmp_path) as store:
        store.when_forgotten(lambda ids: told.append(ids.tolist()))
        wait_durable(store, put(store, "old", {0: 1.0}))
        store.maintenance.seal()
        put(store, "old", {10: 2.0})
        store.rename(series(store, "old"), "new.name")
        assert told == [[0]]
        assert found(store, "new.name") == {0: 1.0, 10: 2.0}
        wait_durable(store, put(store, "old", {20: 3.0}))
        assert found(store, "old") == {20: 3.0}
    with opened(tmp_path) as store:
        assert found(store, "new.name") == {0: 1.0, 10: 2.0}
        assert found(store, "old") == {20: 3.0}


def test_a_name_that_is_taken_is_refused(tmp_path: Path):
    memory = MemoryStore()
    with opened(tmp_path) as embedded:
        for store in (embedded, memory):
            store.create(["a", "b"], [Kind.GAUGE] * 2)
            with pytest.raises(StoreError, match="cannot rename 'a' to 'b': there is a series of that name"):
                store.rename(series(store, "a"), "b")
            with pytest.raises(StoreError, match="cannot rename series 77: there is none"):
                store.rename(77, "c")
            assert names(store) == ["a", "b"]


def test_what_the_disk_refuses_is_not_done(tmp_path: Path):
    files = RefusingFiles()
    with opened(tmp_path, files=files) as store:
        wait_durable(store, put(store, "a", {0: 1.0}))
        files.fail(errno.ENOSPC)
        with pytest.raises(StoreError, match="cannot write the series file: No space left"):
            delete(store, "a")
        with pytest.raises(StoreError, match="cannot write the series file: No space left"):
            store.rename(series(store, "a"), "b")
        files.recover()
        assert found(store, "a") == {0: 1.0}
    with opened(tmp_path) as store:
        assert names(store) == ["a"]
        assert found(store, "a") == {0: 1.0}


def test_a_series_without_data_is_forgotten_once_a_sealing_has_passed(tmp_path: Path):
    clock, told = ManualClock(float(NOW_S)), []
    with opened(tmp_path, clock) as store:
        store.when_forgotten(lambda ids: told.extend(ids.tolist()))
        store.create(["never.sent"], [Kind.GAUGE])
        wait_durable(store, put(store, "sent", {0: 1.0}))
        for _ in range(3):
            assert "sent" in names(store)
            store.maintenance.seal()
            store.maintenance.compact()
        assert names(store) == ["sent"]
        assert told == [0]
        clock.advance(EXPIRED_S)
        wait_durable(store, put(store, "new", {int(EXPIRED_S): 1.0}))
        for _ in range(5):  # each coarser resolution lives on for longer
            store.maintenance.compact()
        assert names(store) == ["new"], "the samples of the other are older than anything is kept"
    with opened(tmp_path, clock) as store:
        assert names(store) == ["new"]


def test_names_seen_once_do_not_stay(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        wait_durable(store, put(store, "stays", {0: 1.0}))
        for generation in range(4):
            flood = [f"flood.{generation}.{k}" for k in range(12_000)]
            ids = store.create(flood, [Kind.COUNTER] * len(flood))
            assert int(ids.max()) <= 12_001, "ids are not given away again"
            batch = SampleBatch.of(
                ids, np.full(len(ids), int(clock.now()) * 1000), np.ones(len(ids)), kind=Kind.COUNTER
            )
            wait_durable(store, store.append(batch))
            clock.advance(EXPIRED_S)
            now_s = int(clock.now())
            keep = SampleBatch.of(store.create(["stays"], [Kind.COUNTER]), [now_s * 1000], [1.0], kind=Kind.COUNTER)
            wait_durable(store, store.append(keep))
            for _ in range(3):
                store.maintenance.seal()
                store.maintenance.compact()
            assert names(store) == ["stays"]
            assert store.catalog.rows < 100
            assert store.catalog.id_end == 1
        size = (tmp_path / "series").stat().st_size
    with opened(tmp_path, clock) as store:
        assert names(store) == ["stays"]
        assert (tmp_path / "series").stat().st_size < 100 < size


def test_last_seen_is_the_newest_slot_wherever_it_is(tmp_path: Path):
    memory = MemoryStore()
    with opened(tmp_path) as store:
        for name, slots in (
            ("sealed", {-600: 1.0, 0: 1.0}),
            ("gaps", {-500: 1.0, -480: 1.0, -100: 1.0}),
            ("both", {0: 1.0}),
        ):
            put(store, name, slots), put(memory, name, slots)
        store.maintenance.seal()
        for name, slots in (("both", {20: 1.0}), ("late", {-7000: 2.0}), ("gaps", {-300: 1.0})):
            put(store, name, slots), put(memory, name, slots)
        asked = ["late", "sealed", "both", "gaps"]
        for _ in range(2):
            for one in (store, memory):
                ids = np.array([series(one, name) for name in asked], np.int32)
                assert (one.last_seen(ids) - NOW_S).tolist() == [-7000, 0, 20, -100]
            store.maintenance.seal()
            store.maintenance.compact()
        nothing = store.create(["nothing"], [Kind.GAUGE])
        assert store.last_seen(nothing).tolist() == [-1]


@pytest.mark.parametrize("compacted", [False, True])
def test_a_change_of_a_gauge_builds_on_what_blocks_have(tmp_path: Path, compacted: bool):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        wait_durable(store, put(store, "g", {0: 40.0, 10: 42.0}, Kind.GAUGE))
        store.maintenance.seal()
        if compacted:
            clock.advance(86400.0)
            store.maintenance.compact()
    with opened(tmp_path, clock) as store:
        put(store, "g", {20: 3.0}, Kind.GAUGE | GAUGE_DELTA)
        assert found(store, "g", Statistic.LAST)[20] == 45.0


def test_a_gauge_that_begins_anew_begins_at_zero(tmp_path: Path):
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "g", {0: 40.0}, Kind.GAUGE))
        put(store, "g", {10: 2.0}, Kind.GAUGE | GAUGE_DELTA)
        store.maintenance.seal()
        delete(store, "g")
        put(store, "g", {20: 3.0}, Kind.GAUGE | GAUGE_DELTA)
        assert found(store, "g", Statistic.LAST) == {20: 3.0}


def test_the_series_file_is_cut_back_to_whole_records_and_goes_on(tmp_path: Path):
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "a", {0: 1.0}))
    with (tmp_path / "series").open("ab") as file:
        file.write((tmp_path / "series").read_bytes()[:-3])
    for name in ("b", "c"):
        with opened(tmp_path) as store:
            assert store.problems() == []
            wait_durable(store, put(store, name, {0: 1.0}))
    with opened(tmp_path) as store:
        assert names(store) == ["a", "b", "c"]


def test_a_damaged_record_of_a_deletion_costs_no_other_series(tmp_path: Path):
    with opened(tmp_path) as store:
        for name in ("a", "b"):
            wait_durable(store, put(store, name, {0: 1.0}))
        before = (tmp_path / "series").stat().st_size
        delete(store, "a")
        wait_durable(store, put(store, "a", {10: 2.0}))
    data = bytearray((tmp_path / "series").read_bytes())
    data[before + 18] ^= 1
    (tmp_path / "series").write_bytes(bytes(data))
    with opened(tmp_path) as store:
        assert found(store, "a") == {10: 2.0}
        assert found(store, "b") == {0: 1.0}
        assert found(store, "recovered.series.0") == {0: 1.0}
        assert any("damaged, passed over" in problem for problem in store.problems())
    assert list((tmp_path / "damaged").glob("series.*"))
    with opened(tmp_path) as store:
        assert names(store) == ["a", "b", "recovered.series.0"]
        assert store.problems() == []


def test_deleting_what_is_not_there_or_twice_is_nothing(tmp_path: Path):
    store = open_store(tmp_path)
    ids = store.create(["a", "b"], [Kind.GAUGE] * 2)
    store.delete(np.array([ids[0], ids[0], 99, -1], np.int32))
    size = (tmp_path / "series").stat().st_size
    store.delete(ids[:1])
    assert (tmp_path / "series").stat().st_size == size
    assert names(store) == ["b"]
    store.close()
    with pytest.raises(StoreError, match="the store is closed"):
        store.delete(ids)
