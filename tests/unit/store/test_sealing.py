"""Sealing: from the head and the log into blocks, without loss, whatever fails on the way."""

import errno
from pathlib import Path

import numpy as np
import pytest

from faults import RefusingFiles
from servers import wait_until
from stores import NOW_S, found, open_store, opened, put, wait_durable
from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore

RULES = (
    RetentionRule("fine.*", Retention.parse("1s:1d,10s:10d,1m:30d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d")),
)


def files_below(directory: Path) -> list[str]:
    return sorted(p.name for folder in ("log", "blocks") for p in (directory / folder).iterdir() if p.stat().st_size)


def test_sealing_moves_samples_from_the_log_into_blocks_and_changes_no_answer(tmp_path: Path):
    with opened(tmp_path) as store:
        wait_durable(store, put(store, "a", {0: 1.0, 10: 2.0}))
        assert files_below(tmp_path) == ["0000000001.log"]
        store.maintenance.seal()
        assert files_below(tmp_path) == ["0000000001.block"]
        assert store.head_rows() == 0
        assert found(store, "a") == {0: 1.0, 10: 2.0}
    with opened(tmp_path) as store:
        assert found(store, "a") == {0: 1.0, 10: 2.0}


def test_sealing_nothing_makes_no_block(tmp_path: Path):
    with opened(tmp_path) as store:
        store.maintenance.seal()
        assert files_below(tmp_path) == []


def test_what_an_earlier_life_left_in_the_log_is_sealed_soon_after_a_start(tmp_path: Path):
    clock = ManualClock(float(NOW_S))
    with opened(tmp_path, clock) as store:
        wait_durable(store, put(store, "a", {0: 1.0, 10: 2.0}))
    with opened(tmp_path, clock) as store:
        store.start()
        assert files_below(tmp_path) == ["0000000001.log"]
        clock.advance(61)
        wait_until(lambda: files_below(tmp_path) == ["0000000001.block"], "the log to be sealed")
        assert found(store, "a") == {0: 1.0, 10: 2.0}


def test_a_block_stays_within_one_window(tmp_path: Path):
    with opened(tmp_path) as store:
        put(store, "a", {-7200: 1.0, -10: 2.0, 0: 3.0, 7200: 4.0})
        store.maintenance.seal()
        entries = [b.entry for b in store.block_set.snapshot()]
        assert all(e.start_s // 7200 == (e.end_s - 1) // 7200 for e in entries)
        assert len(entries) == 3
        assert found(store, "a", span_s=10_000) == {-7200: 1.0, -10: 2.0, 0: 3.0, 7200: 4.0}


@pytest.mark.parametrize("only", ["0000000001.block", "0000000002.block", "manifest"])
def test_a_seal_that_fails_half_way_loses_nothing_and_is_done_later(tmp_path: Path, only: str):
    files = RefusingFiles()
    expected = {-7200: 1.0, 0: 2.0}
    with opened(tmp_path, files=files) as store:
        put(store, "a", expected)
        files.fail(errno.ENOSPC, "write_whole", only=only)
        with pytest.raises(OSError, match="No space left"):
            store.maintenance.seal()
        assert found(store, "a", span_s=10_000) == expected
        put(store, "a", {0: 4.0, 20: 8.0})
        if only != "manifest":
            assert list((tmp_path / "blocks").glob("*.block")) == []
        files.recover()
        for _ in range(2):
            store.maintenance.seal()
            assert found(store, "a", span_s=10_000) == {-7200: 1.0, 0: 6.0, 20: 8.0}
    with opened(tmp_path) as store:
        assert found(store, "a", span_s=10_000) == {-7200: 1.0, 0: 6.0, 20: 8.0}


def test_what_arrived_while_a_seal_had_failed_survives_a_restart(tmp_path: Path):
    files = RefusingFiles()
    with opened(tmp_path, files=files) as store:
        put(store, "a", {0: 1.0})
        files.fail(errno.EIO, "write_whole")
        with pytest.raises(OSError, match="Input/output"):
            store.maintenance.seal()
        put(store, "a", {0: 2.0})
    with opened(tmp_path) as store:
        assert found(store, "a") == {0: 3.0}


def test_a_read_that_began_before_a_seal_sees_every_sample_once(tmp_path: Path):
    with opened(tmp_path) as store:
        put(store, "a", {0: 1.0})
        ids = store.catalog.find("a")

        def reader():
            return store._reader(ids, NOW_S, NOW_S + 10, 10)

        before = reader()
        frozen, _ = store.freeze()
        put(store, "a", {0: 2.0})
        between = reader()
        store.maintenance.seal()
        after = reader()
        assert len(frozen) == 1
        assert [r.read([Statistic.SUM])[Statistic.SUM][0, 0] for r in (before, between, after)] == [1.0, 3.0, 3.0]


def test_series_of_different_retentions_are_in_blocks_of_their_own(tmp_path: Path):
    with opened(tmp_path, rules=RULES) as store:
        put(store, "fine.a", {0: 1.0, 1: 2.0})
        put(store, "a", {0: 4.0, 1: 8.0})
        store.maintenance.seal()
        assert sorted((b.entry.step_s, b.entry.retention) for b in store.block_set.snapshot()) == [
            (1, "1s:1d,10s:10d,1m:30d"),
            (10, "10s:10d,1m:30d,5m:90d"),
        ]
        assert found(store, "fine.a", step_s=1, span_s=60) == {0: 1.0, 1: 2.0}
        assert found(store, "fine.a") == {0: 3.0}
        assert found(store, "a") == {0: 12.0}
        assert store.steps(store.catalog.find("*"), NOW_S - 10, NOW_S).tolist() == [10]
        assert store.steps(store.catalog.find("fine.*"), NOW_S - 2 * 86400, NOW_S).tolist() == [10]
    with opened(tmp_path, rules=RULES) as store:
        assert found(store, "fine.a", step_s=1, span_s=60) == {0: 1.0, 1: 2.0}


def test_a_seal_that_failed_for_one_retention_is_repeated_for_all(tmp_path: Path):
    files = RefusingFiles()
    with opened(tmp_path, rules=RULES, files=files) as store:
        put(store, "fine.a", {0: 1.0})
        put(store, "a", {0: 2.0})
        files.fail(errno.ENOSPC, "write_whole", only="0000000002.block")
        with pytest.raises(OSError, match="No space"):
            store.maintenance.seal()
        files.recover()
        store.maintenance.seal()
        assert (found(store, "fine.a"), found(store, "a")) == ({0: 1.0}, {0: 2.0})
        assert len(list((tmp_path / "blocks").iterdir())) == 2


class TestGauges:
    """Changes of gauges build on the last value, wherever that is."""

    def change(self, store: EmbeddedStore, second: int, value: float) -> None:
        put(store, "g", {second: value}, Kind.GAUGE | GAUGE_DELTA)

    def last(self, store: EmbeddedStore) -> dict[int, float]:
        return found(store, "g", Statistic.LAST)

    def test_a_change_builds_on_a_value_that_was_sealed(self, tmp_path: Path):
        with opened(tmp_path) as store:
            put(store, "g", {0: 5.0}, Kind.GAUGE)
            store.maintenance.seal()
            self.change(store, 10, 3.0)
            assert self.last(store) == {0: 5.0, 10: 8.0}

    def test_a_change_builds_on_changes_before_seals_and_restarts(self, tmp_path: Path):
        with opened(tmp_path) as store:
            put(store, "g", {0: 5.0}, Kind.GAUGE)
            self.change(store, 10, 3.0)
        with opened(tmp_path) as store:
            self.change(store, 20, -1.0)
            store.maintenance.seal()
            store.maintenance.seal()
        with opened(tmp_path) as store:
            self.change(store, 30, -1.0)
            assert self.last(store) == {0: 5.0, 10: 8.0, 20: 7.0, 30: 6.0}

    def test_changes_are_logged_as_values_and_not_applied_again_at_replay(self, tmp_path: Path):
        with opened(tmp_path) as store:
            for _ in range(3):
                self.change(store, 0, 2.0)
        for _ in range(2):
            with opened(tmp_path) as store:
                assert self.last(store) == {0: 6.0}
        with opened(tmp_path) as store:
            self.change(store, 10, 1.0)
            assert self.last(store) == {0: 6.0, 10: 7.0}

    def test_a_change_that_was_refused_was_not_made(self, tmp_path: Path):
        files = RefusingFiles()
        store = open_store(tmp_path, files=files, queue_bytes_max=500)
        files.fail(errno.ENOSPC)
        made = 0
        while made < 100:
            try:
                self.change(store, 0, 1.0)
            except Exception:
                break
            made += 1
        for _ in range(3):
            with pytest.raises(Exception, match="cannot take samples"):
                self.change(store, 0, 1.0)
        files.recover()
        ids = store.catalog.find("g")
        wait_durable(store, made)
        self.change(store, 10, 1.0)
        assert self.last(store) == {0: float(made), 10: float(made + 1)}
        assert len(ids) == 1
        store.close()


def test_every_kind_of_sample_is_the_same_after_replay_and_after_sealing(tmp_path: Path):
    random = np.random.default_rng(3)
    kinds = list(Kind)
    n = 2000
    series = random.integers(0, len(kinds), n)
    kind = np.array([kinds[k] for k in series], np.uint8)
    value = np.round(random.normal(100, 30, n), 1)
    value[kind == Kind.SET] = random.integers(1, 300, int((kind == Kind.SET).sum())).astype(np.int64).view(np.float64)
    weight = np.where((kind == Kind.TIMING) & (random.random(n) < 0.3), 10.0, 1.0)
    times = (NOW_S + random.integers(-300, 300, n)) * 1000 + random.integers(0, 1000, n)

    def answers(store: EmbeddedStore) -> list[np.ndarray]:
        ids = store.catalog.find("kind.*")
        matrices = [store.read(ids, NOW_S - 600, NOW_S + 600, s, list(Statistic)) for s in (10, 60)]
        ranks = store.percentiles(ids, NOW_S - 600, NOW_S + 600, 60, [0.0, 50.0, 99.0])
        return [m for found in matrices for m in found.values()] + list(ranks.values())

    with opened(tmp_path) as store:
        ids = store.create([f"kind.{k.name.lower()}" for k in kinds], kinds)
        for part in np.array_split(np.arange(n), 7):
            batch = SampleBatch.of(ids[series[part]], times[part], value[part], weight=weight[part], kind=kind[part])
            store.append(batch)
        expected = answers(store)
    with opened(tmp_path) as store:
        for a, b in zip(answers(store), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
        store.maintenance.seal()
        for a, b in zip(answers(store), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    with opened(tmp_path, ManualClock(NOW_S + 3 * 7200.0)) as store:
        store.maintenance.compact()
        for a, b in zip(answers(store), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_no_block_names_a_series_whose_definition_a_crash_could_lose(tmp_path: Path):
    files = RefusingFiles()
    with opened(tmp_path, files=files) as store:
        files.fail(errno.EIO, "append", only="series")
        put(store, "new", {0: 1.0})
        with pytest.raises(StoreError, match="cannot write the log"):
            store.maintenance.seal()
        assert found(store, "new") == {0: 1.0}
        assert store.block_set.snapshot() == ()
        files.recover()
        wait_durable(store, put(store, "new", {10: 2.0}))
        store.maintenance.seal()
    with opened(tmp_path) as store:
        assert found(store, "new") == {0: 1.0, 10: 2.0}
