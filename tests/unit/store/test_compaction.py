"""Compaction, roll-ups and retention: fewer blocks, the same answers, and nothing older than it is kept."""

import random
from pathlib import Path

import pytest

from stores import NOW_S, found, opened, put
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore

WINDOW_S = 7200
SHORT = (RetentionRule("*", Retention.parse("10s:1d,1m:3d,5m:9d")),)


def entries(store: EmbeddedStore) -> list[tuple[int, bool, bool]]:
    return sorted((b.entry.step_s, b.entry.rolled, b.entry.compressed) for b in store.block_set.snapshot())


def test_blocks_of_a_window_that_is_over_become_one(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        for k in range(5):
            put(store, "a", {0: 1.0, 10 * k + 10: 1.0})
            put(store, f"b.{k}", {k: 7.0})
            store.maintenance.seal()
        before = [found(store, name) for name in ("a", "b.1", "b.4")]
        store.maintenance.compact()
        assert len(entries(store)) == 5
        clock.advance(WINDOW_S)
        assert store.maintenance.compact() == 1
        assert entries(store) == [(10, False, True)]
        assert [found(store, name) for name in ("a", "b.1", "b.4")] == before
        assert before[0] == {0: 5.0, 10: 1.0, 20: 1.0, 30: 1.0, 40: 1.0, 50: 1.0}
        assert [p.name for p in (tmp_path / "blocks").iterdir()] == ["0000000006.block"]


def test_the_maximum_of_what_was_rolled_up_is_the_real_maximum(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    random.seed(5)
    values = {10 * k: round(random.gauss(100, 20), 2) for k in range(-300, 300)}
    with opened(tmp_path, clock) as store:
        put(store, "a", values, Kind.GAUGE)
        store.maintenance.seal()
        clock.advance(400 * 86400.0)  # only hours are left of it
        while store.maintenance.compact():
            pass
        assert {e.step_s for e in store.block_set.manifest.blocks} == {3600}
        assert max(found(store, "a", Statistic.MAX, 3600).values()) == max(values.values())
        assert min(found(store, "a", Statistic.MIN, 3600).values()) == min(values.values())
        assert sum(found(store, "a", Statistic.COUNT, 3600).values()) == len(values)
        assert sum(found(store, "a", Statistic.SUM, 3600).values()) == pytest.approx(sum(values.values()))
        assert found(store, "a") == {}


def test_a_late_sample_after_a_roll_up_is_counted_exactly_once(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock, rules=SHORT) as store:
        put(store, "a", {0: 1.0, 10: 1.0, 60: 1.0})
        store.maintenance.seal()
        clock.advance(14 * 3600.0)
        store.maintenance.compact()
        assert (10, True, True) in entries(store)
        for late, total in ((1.0, 3.0), (2.0, 5.0)):
            put(store, "a", {0: late})
            assert found(store, "a", step_s=60) == {0: total, 60: 1.0}
            store.maintenance.seal()
            assert found(store, "a", step_s=60) == {0: total, 60: 1.0}
            store.maintenance.compact()
            assert found(store, "a") == {0: total - 1.0, 10: 1.0, 60: 1.0}
            assert found(store, "a", step_s=60) == {0: total, 60: 1.0}
            assert found(store, "a", step_s=300) == {0: total + 1.0}
        clock.advance(86400.0)
        store.maintenance.compact()
        assert found(store, "a") == {}
        assert found(store, "a", step_s=60) == {0: 5.0, 60: 1.0}


def test_what_is_older_than_the_longest_retention_is_forgotten(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock, rules=SHORT) as store:
        put(store, "a", {0: 1.0})
        store.maintenance.seal()
        for days, steps in ((0.7, {10, 60}), (2.0, {60, 300}), (4.0, {300}), (10.0, set())):
            clock.advance(NOW_S + days * 86400.0 - clock.now())
            store.maintenance.compact()
            assert {e.step_s for e in store.block_set.manifest.blocks} == steps
            if steps:
                coarsest = max(steps)
                assert found(store, "a", step_s=coarsest) == {0: 1.0}
        assert list((tmp_path / "blocks").iterdir()) == []


def test_a_clock_that_ran_ahead_and_back_again_changes_no_answer(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock, rules=SHORT) as store:
        put(store, "a", {0: 1.0, 10: 2.0})
        store.maintenance.seal()
        clock.jump(0.7 * 86400)
        store.maintenance.compact()
        clock.jump(-0.7 * 86400)
        put(store, "a", {10: 4.0})
        store.maintenance.seal()
        store.maintenance.compact()
        assert found(store, "a") == {0: 1.0, 10: 6.0}
        assert found(store, "a", step_s=60) == {0: 7.0}


def test_of_pieces_that_were_sealed_apart_the_last_to_arrive_has_the_last_value(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        put(store, "g", {9: 1.0}, Kind.GAUGE)
        store.maintenance.seal()
        put(store, "g", {1: 2.0}, Kind.GAUGE)  # earlier in the same slot, but it came later
        assert found(store, "g", Statistic.LAST) == {0: 2.0}
        store.maintenance.seal()
        clock.advance(2 * WINDOW_S)
        store.maintenance.compact()
        assert found(store, "g", Statistic.LAST) == {0: 2.0}


@pytest.mark.parametrize("rank", [0.0, 50.0, 90.0, 100.0])
def test_a_percentile_of_what_was_rolled_up_is_that_of_all_samples(tmp_path: Path, rank: float):
    clock = ManualClock(float(NOW_S))
    values = {10 * k: float(k * k + 1) for k in range(300)}
    with opened(tmp_path, clock) as store:
        put(store, "t", values, Kind.TIMING)
        put(store, "t", values, Kind.TIMING)
        store.maintenance.seal()
        clock.advance(40 * 86400.0)
        store.maintenance.compact()
        ids = store.catalog.find("t")
        (value,) = store.percentiles(ids, NOW_S, NOW_S + 3600, 3600, [rank])[rank][0]
        exact = sorted(values.values())[max(0, round(rank / 100 * 300) - 1)]
        assert value == pytest.approx(exact, rel=0.011)
