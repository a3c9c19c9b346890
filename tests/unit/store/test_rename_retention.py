"""A series gets a name that is kept otherwise: its history can be read at every step of the way."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stores import NOW_S, opened, put
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore

RULES = (
    RetentionRule("fine.*", Retention.parse("1s:6h,10s:10d,1m:30d")),
    RetentionRule("minutes.*", Retention.parse("1m:30d,1h:2y")),
    RetentionRule("*", Retention.parse("10s:10d,5m:90d")),
)
HISTORY = {-3600 * 30: 1.0, -3600 * 5: 2.0, -3600 * 5 + 10: 4.0, -600: 8.0, -590: 16.0, 0: 32.0}
LATER = {-600: 64.0, 20: 128.0}
SPAN_S = 3600 * 40


def read_at(store: EmbeddedStore, name: str, step_s: int) -> dict[int, tuple[float, float]]:
    """Sum and maximum of each slot, by its seconds from `NOW_S`."""
    ids = store.catalog.find(name)
    start_s, until_s = (NOW_S - SPAN_S) // step_s * step_s, (NOW_S + 3600) // step_s * step_s
    found = store.read(ids, start_s, until_s, step_s, (Statistic.SUM, Statistic.MAX))
    sums, highest = found[Statistic.SUM][0], found[Statistic.MAX][0]
    return {
        start_s + int(k) * step_s - NOW_S: (float(sums[k]), float(highest[k])) for k in np.flatnonzero(~np.isnan(sums))
    }


def slots_of(history: list[dict[int, float]], step_s: int) -> dict[int, tuple[float, float]]:
    """What must be read."""
    slots: dict[int, list[float]] = {}
    for samples in history:
        for second, value in samples.items():
            slots.setdefault((NOW_S + second) // step_s * step_s - NOW_S, []).append(value)
    return {slot: (sum(values), max(values)) for slot, values in sorted(slots.items())}


def check(store: EmbeddedStore, name: str, history: list[dict[int, float]]) -> None:
    """Read all of a series at the step that the store says it can be read at, and at coarser ones."""
    ids = store.catalog.find(name)
    assert len(ids) == 1
    step_s = int(store.steps(ids, NOW_S - SPAN_S, NOW_S + 60)[0])
    assert step_s <= 3600
    for wider in {step_s, 5 * step_s, 3600}:
        if wider % step_s == 0:
            assert read_at(store, name, wider) == slots_of(history, wider), f"{name} in slots of {wider} s"
    for part in store.parts(ids, NOW_S - SPAN_S, NOW_S + 60):
        found = store.read(ids, part.start_s, part.until_s, part.step_s, (Statistic.SUM,))[Statistic.SUM]
        inside = [v for h in history for s, v in h.items() if part.start_s <= NOW_S + s < part.until_s]
        assert np.nansum(found) == sum(inside), f"{name} in {part}"


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("old", ["fine.a", "minutes.a", "web.a"])
@pytest.mark.parametrize("new", ["fine.b", "minutes.b", "web.b"])
def test_the_history_of_a_renamed_series_stays_readable(tmp_path: Path, old: str, new: str, sealed: bool):
    clock = ManualClock(float(NOW_S))
    work: list[Callable[[EmbeddedStore], object]] = [
        lambda store: None,
        lambda store: store.maintenance.seal(),
        lambda store: store.maintenance.compact(),
        lambda store: store.maintenance.compact(),
    ]
    with opened(tmp_path, clock, rules=RULES) as store:
        put(store, old, HISTORY, Kind.COUNTER)
        put(store, f"{old}.neighbour", HISTORY, Kind.COUNTER)
        if sealed:
            store.maintenance.seal()
            store.maintenance.compact()
        store.rename(int(store.catalog.find(old)[0]), new)
        check(store, new, [HISTORY])
        put(store, new, LATER, Kind.COUNTER)
        check(store, new, [HISTORY, LATER])
    for step in work:
        with opened(tmp_path, clock, rules=RULES) as store:
            check(store, new, [HISTORY, LATER])
            step(store)
            check(store, new, [HISTORY, LATER])
            check(store, f"{old}.neighbour", [HISTORY])
            assert len(store.catalog.find(old)) == 0
            assert store.problems() == []
    assert not any(entry.stale for entry in store.block_set.manifest.blocks)
