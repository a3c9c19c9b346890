"""History in bulk: what is taken, where it is kept, and what an import that is repeated does."""

import errno
from pathlib import Path

import numpy as np
import pytest

from faults import RefusingFiles
from stores import NOW_S, found, open_store, opened, put
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Spread, Tally
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.history import History, Loaded, Overlap

DAY_S = 86_400


def history(values: dict[int, float], step_s: int = 10, name: str = "a", kind: Kind = Kind.COUNTER) -> History:
    """Slots named by their seconds from `NOW_S`."""
    slot = np.array([(NOW_S + second) // step_s for second in sorted(values)], np.int64)
    last = np.array([values[second] for second in sorted(values)], np.float64)
    return History([name], [kind], Tally(step_s, np.zeros(len(slot), np.int32), slot, last))


def steps(store: EmbeddedStore) -> list[tuple[int, bool]]:
    return sorted((b.entry.step_s, b.entry.primary) for b in store.block_set.snapshot())


def test_loaded_slots_are_read_as_appended_ones_are(tmp_path: Path):
    values = {10 * k: float(k % 7) for k in range(-900, 0)}
    with opened(tmp_path / "a") as loaded, opened(tmp_path / "b") as appended:
        assert loaded.load(history(values)) == Loaded(taken=900)
        put(appended, "a", values)
        for statistic in Statistic:
            for step_s in (10, 60, 300):
                assert found(loaded, "a", statistic, step_s, 10_800) == pytest.approx(
                    found(appended, "a", statistic, step_s, 10_800)
                )


def test_what_was_loaded_is_there_after_a_crash(tmp_path: Path):
    store = open_store(tmp_path / "a")
    store.load(history({-10: 3.0}))
    # A copy of the directory, as it is at this moment.
    for path in (tmp_path / "a").rglob("*"):
        target = tmp_path / "b" / path.relative_to(tmp_path / "a")
        if path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    store.close()
    with opened(tmp_path / "b") as copy:
        assert found(copy, "a") == {-10: 3.0}


@pytest.mark.parametrize("sealed", [False, True])
def test_slots_that_are_there_stay_unless_they_shall_be_merged(tmp_path: Path, sealed: bool):
    with opened(tmp_path) as store:
        put(store, "a", {-30: 1.0, -10: 2.0})
        if sealed:
            store.maintenance.seal()
        piece = history({-40: 5.0, -30: 5.0, -20: 5.0, -10: 5.0})
        assert store.load(piece) == Loaded(taken=2, present=2)
        assert found(store, "a") == {-40: 5.0, -30: 1.0, -20: 5.0, -10: 2.0}
        assert store.load(piece) == Loaded(present=4)
        assert store.load(piece, Overlap.MERGE) == Loaded(taken=4)
        assert found(store, "a") == {-40: 10.0, -30: 6.0, -20: 10.0, -10: 7.0}


def test_each_age_goes_to_the_first_resolution_that_keeps_it(tmp_path: Path):
    ages = [DAY_S, 11 * DAY_S, 31 * DAY_S, 91 * DAY_S, 800 * DAY_S]
    with opened(tmp_path) as store:
        assert store.load(history({-age: 1.0 for age in ages})) == Loaded(taken=4, out_of_time=1)
        assert steps(store) == [(10, False), (60, True), (300, True), (3600, True)]
        before = [found(store, "a", Statistic.SUM, 3600, 100 * DAY_S)]
        assert sum(before[0].values()) == 4.0
        store.maintenance.compact()
        assert [found(store, "a", Statistic.SUM, 3600, 100 * DAY_S)] == before


def test_a_step_between_two_resolutions_goes_to_the_next_coarser_one_that_holds_it_whole(tmp_path: Path):
    with opened(tmp_path) as store:
        store.load(history({-600: 1.0, -570: 2.0, -540: 4.0}, step_s=30))
        assert steps(store) == [(60, True)]
        assert found(store, "a", Statistic.SUM, 60) == {-600: 3.0, -540: 4.0}


def test_a_step_that_no_resolution_holds_counts_where_it_begins(tmp_path: Path):
    with opened(tmp_path) as store:
        store.load(history({-700: 1.0, -7: 2.0}, step_s=7))
        assert sum(found(store, "a", Statistic.SUM, 300).values()) == 3.0


def test_a_day_is_one_value_at_its_beginning_where_hours_are_the_coarsest(tmp_path: Path):
    with opened(tmp_path) as store:
        assert store.load(history({-3 * DAY_S: 9.0}, step_s=DAY_S)).taken == 1
        assert steps(store) == [(3600, True)]


def test_the_future_beyond_its_limit_is_not_taken(tmp_path: Path):
    with opened(tmp_path) as store:
        assert store.load(history({600: 1.0, 610: 1.0})) == Loaded(taken=1, out_of_time=1)


def test_names_of_another_kind_and_names_that_are_none_are_refused(tmp_path: Path):
    with opened(tmp_path) as store:
        put(store, "a", {0: 1.0})
        assert store.load(history({-20: 1.0}, kind=Kind.GAUGE)) == Loaded(refused=1)
        assert store.load(history({-20: 1.0}, name="a;b=2;a=1")) == Loaded(refused=1)
        assert store.load(history({-20: 1.0}, name="")) == Loaded(refused=1)
        assert len(store.catalog) == 1


def test_statistics_that_are_no_numbers_are_refused(tmp_path: Path):
    with opened(tmp_path) as store:
        assert store.load(history({-20: float("nan"), -10: float("inf"), 0: 1.0})) == Loaded(taken=1, refused=2)
        tally = history({-30: 1.0}).tally
        zero = Spread(*(np.zeros(1) for _ in range(5)))
        empty = History(["a"], [Kind.COUNTER], Tally(10, tally.series, tally.slot, tally.last, zero))
        assert store.load(empty) == Loaded(refused=1)


def test_a_name_without_anything_to_keep_makes_no_series(tmp_path: Path):
    with opened(tmp_path) as store:
        assert store.load(history({-3000 * DAY_S: 1.0})) == Loaded(out_of_time=1)
        assert len(store.catalog) == 0


def test_pieces_of_one_import_become_one_block_for_each_window(tmp_path: Path):
    with opened(tmp_path) as store:
        with store.loading() as loading:
            for k in range(40):
                assert loading.add(history({-10: float(k), -7210: 1.0}, name=f"s.{k:02}")).taken == 2
        assert steps(store) == [(10, False)] * 2
        assert [found(store, f"s.{k:02}")[-10] for k in range(40)] == list(range(40))


def test_pieces_of_one_import_do_not_shut_each_other_out(tmp_path: Path):
    old = -20 * DAY_S  # kept by the minute
    with opened(tmp_path) as store:
        with store.loading() as loading:
            assert loading.add(history({old: 1.0, old + 10: 1.0})).taken == 2
            loading.finish()
            assert loading.add(history({old + 20: 1.0})).taken == 1
        assert found(store, "a", Statistic.COUNT, 60, 30 * DAY_S) == {old: 3.0}
        with store.loading() as loading:
            assert loading.add(history({old + 20: 1.0})).present == 1


def test_series_in_any_order_of_their_ids_are_loaded(tmp_path: Path):
    names = ["c", "a", "b", "a"]
    with opened(tmp_path) as store:
        store.create(["b", "a", "c"], [Kind.COUNTER] * 3)
        series = np.array([0, 0, 1, 2, 3], np.int32)
        slot = NOW_S // 10 + np.array([-2, -1, -2, -2, -3])
        tally = Tally(10, series, slot, np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
        assert store.load(History(names, [Kind.COUNTER] * 4, tally)).taken == 5
        assert [found(store, name) for name in "abc"] == [{-30: 5.0, -20: 3.0}, {-20: 4.0}, {-20: 1.0, -10: 2.0}]


def test_a_disk_that_refuses_takes_nothing_and_is_told_so(tmp_path: Path):
    files = RefusingFiles()
    with opened(tmp_path, files=files) as store:
        store.load(history({-10: 1.0}))
        files.fail(errno.ENOSPC, "write_whole")
        with pytest.raises(StoreError, match="nothing of it was taken"):
            store.load(history({-20: 1.0}))
        files.recover()
        assert found(store, "a") == {-10: 1.0}
        assert len(list((tmp_path / "blocks").iterdir())) == 1
        assert store.load(history({-20: 1.0})) == Loaded(taken=1)
        assert found(store, "a") == {-20: 1.0, -10: 1.0}


def test_a_coarse_import_covers_the_finer_slots_of_its_time(tmp_path: Path):
    with opened(tmp_path) as store:
        store.load(history({-600: 6.0}, step_s=60))
        assert store.load(history({-600: 1.0, -550: 1.0, -540: 1.0})) == Loaded(taken=1, present=2)
        assert found(store, "a", Statistic.SUM, 60) == {-600: 6.0, -540: 1.0}


def test_damage_that_an_import_meets_is_set_aside_and_loaded_anew(tmp_path: Path):
    with opened(tmp_path) as store:
        store.load(history({-10: 1.0}))
    block = next((tmp_path / "blocks").iterdir())
    content = bytearray(block.read_bytes())
    content[20] ^= 1
    block.write_bytes(content)
    with opened(tmp_path, ManualClock(float(NOW_S))) as store:
        assert store.load(history({-10: 1.0})) == Loaded(taken=1)
        assert found(store, "a") == {-10: 1.0}
        assert "set aside" in store.problems()[0]
