"""What gauges are in coarse slots, by rules for names."""

from pathlib import Path

import numpy as np

from stores import NOW_S, put
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import AggregationRule, Retention, RetentionRule
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.store.embedded import EmbeddedStore
from tallystick.store.options import StoreOptions
from tallystick.store.view import StoreView

RULES = [RetentionRule("*", Retention.parse("10s:10d,1m:30d"))]
PEAKS = [AggregationRule("*.peak", Statistic.MAX), AggregationRule("*", Statistic.SUM, r"^sum(?!mer)")]


def opened(directory: Path, aggregation: list[AggregationRule] | None) -> EmbeddedStore:
    options = StoreOptions(commit_interval_s=0.001)
    return EmbeddedStore(directory, RULES, ManualClock(float(NOW_S)), options, aggregation=aggregation)


def values(store: EmbeddedStore | StoreView, *, step_s: int = 60) -> dict[str, float]:
    ids = store.catalog.find("*.*")
    found = store.read(ids, NOW_S, NOW_S + step_s, step_s)[Statistic.DEFAULT][:, 0]
    return dict(zip(store.catalog.names(ids), found.tolist(), strict=True))


def filled(directory: Path, aggregation: list[AggregationRule] | None) -> EmbeddedStore:
    store = opened(directory, aggregation)
    for name in ("a.peak", "sum.a", "summer.a"):
        put(store, name, {0: 1.0, 10: 5.0, 20: 3.0}, Kind.GAUGE)
    return store


def test_the_first_rule_for_a_name_says_what_its_coarse_slots_are(tmp_path: Path):
    store = filled(tmp_path, PEAKS)
    for work in (lambda: None, store.maintenance.seal, store.maintenance.compact):
        work()
        assert values(store) == {"a.peak": 5.0, "sum.a": 9.0, "summer.a": 3.0}
        assert values(store, step_s=10) == {"a.peak": 1.0, "sum.a": 1.0, "summer.a": 1.0}
    ids = store.catalog.find("*.*")
    assert [STATISTICS[k] for k in store.defaults(ids, 60)] == [Statistic.MAX, Statistic.SUM, Statistic.AVG]
    assert [STATISTICS[k] for k in store.defaults(ids, 10)] == [Statistic.LAST] * 3
    store.close()


def test_other_rules_count_for_all_that_is_stored_and_nothing_is_written_anew(tmp_path: Path):
    store = filled(tmp_path, None)
    assert set(values(store).values()) == {3.0}
    store.maintenance.seal()
    store.close()
    store = opened(tmp_path, PEAKS)
    assert values(store) == {"a.peak": 5.0, "sum.a": 9.0, "summer.a": 3.0}
    assert not any(entry.stale for entry in store.block_set.manifest.blocks)
    store.close()


def test_whoever_only_looks_sees_what_the_server_saw(tmp_path: Path):
    filled(tmp_path, PEAKS).close()
    seen = {"a.peak": 5.0, "sum.a": 9.0, "summer.a": 3.0}
    assert values(StoreView(tmp_path, clock=ManualClock(float(NOW_S)))) == seen
    opened(tmp_path, None).close()
    assert values(StoreView(tmp_path, RULES, ManualClock(float(NOW_S)))) == seen
    opened(tmp_path, []).close()
    assert set(values(StoreView(tmp_path, RULES, ManualClock(float(NOW_S)))).values()) == {3.0}


def test_a_series_that_is_renamed_is_what_its_new_name_says(tmp_path: Path):
    store = filled(tmp_path, PEAKS)
    store.rename(int(store.catalog.find("a.peak")[0]), "a.level")
    store.rename(int(store.catalog.find("summer.a")[0]), "b.peak")
    seen = {"a.level": 3.0, "b.peak": 5.0, "sum.a": 9.0}
    assert values(store) == seen
    store.close()
    store = opened(tmp_path, PEAKS)
    assert values(store) == seen
    store.close()


def test_other_kinds_are_what_they_are(tmp_path: Path):
    store = opened(tmp_path, [AggregationRule("*", Statistic.MIN)])
    put(store, "a.hits", {0: 1.0, 10: 5.0}, Kind.COUNTER)
    put(store, "a.took", {0: 1.0, 10: 5.0}, Kind.TIMING)
    put(store, "a.seen", {0: 1.0, 10: 5.0}, Kind.CUMULATIVE)
    assert values(store) == {"a.hits": 6.0, "a.seen": 5.0, "a.took": 3.0}
    assert np.isnan(list(values(store, step_s=10).values())).sum() == 0
    store.close()
