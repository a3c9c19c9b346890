"""Whatever the rules are changed to, in whatever order: each sample counts once at every step, at every moment."""

import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from stores import NOW_S, opened
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Resolution, Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.embedded import EmbeddedStore

HOUR_S, DAY_S = 3600, 86400
NAMES = ["a", "b", "b.c"]
STATISTICS = (Statistic.SUM, Statistic.COUNT)


@st.composite
def retentions(draw: st.DrawFn) -> Retention:
    """Up to three resolutions; what is at most two days old is always kept."""
    step_s = draw(st.sampled_from([5, 10, 15, 20, 30, 60, 300]))
    keep_s = draw(st.sampled_from([HOUR_S, 6 * HOUR_S, DAY_S]))
    found = [Resolution(step_s, keep_s)]
    for factor in draw(st.lists(st.sampled_from([2, 3, 4, 6, 10]), max_size=2)):
        keep_s *= draw(st.sampled_from([2, 3, 5]))
        found.append(Resolution(found[-1].step_s * factor, keep_s))
    return Retention((*found[:-1], Resolution(found[-1].step_s, max(found[-1].keep_s, 2 * DAY_S))))


def kept(b: str, others: str) -> list[RetentionRule]:
    return [RetentionRule("b*", Retention.parse(b)), RetentionRule("*", Retention.parse(others))]


rules = st.tuples(retentions(), retentions()).map(lambda two: [RetentionRule("b*", two[0]), RetentionRule("*", two[1])])
samples = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30 * HOUR_S)), min_size=1, max_size=40)
stage = st.tuples(rules, samples, st.integers(0, 20), st.booleans())


class Plain:
    """All samples by series and second."""

    def __init__(self) -> None:
        self.count = [Counter[int]() for _ in NAMES]

    def slots(self, series: int, start_s: int, until_s: int, step_s: int) -> np.ndarray:
        found = np.zeros((until_s - start_s) // step_s)
        for second, count in self.count[series].items():
            if start_s <= second < until_s:
                found[(second - start_s) // step_s] += count
        return found


def check(store: EmbeddedStore, plain: Plain, ids: np.ndarray, now_s: int) -> None:
    start_s, until_s = now_s - 2 * DAY_S + HOUR_S, now_s + HOUR_S
    for group in ([0], [1], [2], [0, 1, 2]):
        parts = store.parts(ids[group], start_s, until_s)
        assert parts[0].start_s <= start_s < parts[0].start_s + parts[0].step_s
        assert parts[-1].until_s >= until_s > parts[-1].until_s - parts[-1].step_s
        assert all(a.until_s == b.start_s and a.step_s != b.step_s for a, b in pairwise(parts))
        for part in parts:
            agrees(store, plain, ids, group, (part.start_s, part.until_s, part.step_s))
        step_s = int(np.lcm.reduce(store.steps(ids[group], start_s, until_s)))
        for step in (step_s, 2 * step_s, 3 * step_s):
            agrees(store, plain, ids, group, (-(-start_s // step) * step, until_s // step * step, step))


def changed(
    store: EmbeddedStore, plain: Plain, ids: np.ndarray, change: Callable, *args: object, **more: object
) -> None:
    change(*args, **more)
    check(store, plain, ids, int(store._clock.now()))


def agrees(store: EmbeddedStore, plain: Plain, ids: np.ndarray, group: list[int], where: tuple[int, int, int]) -> None:
    if where[0] >= where[1]:
        return
    found = store.read(ids[group], *where, STATISTICS)
    expected = np.stack([plain.slots(series, *where) for series in group])
    for statistic in STATISTICS:
        np.testing.assert_array_equal(np.nan_to_num(found[statistic]), expected, err_msg=f"{statistic} {where}")


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes; the seed is printed
)
@given(st.lists(stage, min_size=2, max_size=4))
@example(
    # The first slot of a part begins before the range asked for, where slots of 40 minutes lie that fit into none.
    [
        (kept("5m:1h,20m:3h,40m:2d", "5s:1d,30s:2d"), [(2, 11), (2, 1585)], 20, False),
        (kept("15s:6h,45s:2d", "30s:1h,1m:2h,10m:2d"), [(1, 830), (0, 5488), (2, 912)], 14, False),
        (kept("5m:2d", "1m:1d,3m:3d,12m:9d"), [(1, 352), (0, 1095)], 14, True),
        (kept("10s:2d", "5m:1h,30m:3h,3h:2d"), [(1, 2599), (2, 1576)], 14, False),
    ]
)
def test_every_sample_counts_once_at_every_moment_of_a_change_of_the_rules(stages: list):
    with tempfile.TemporaryDirectory() as directory:
        clock, plain = ManualClock(float(NOW_S)), Plain()
        for rules, rows, hours, crash in stages:
            with opened(Path(directory), clock, rules=rules) as store:
                ids = store.create(NAMES, [Kind.COUNTER] * len(NAMES))
                check(store, plain, ids, int(clock.now()))
                times = [int(clock.now()) - age_s for _, age_s in rows]
                batch = SampleBatch.of(
                    ids[[series for series, _ in rows]], [t * 1000 for t in times], [1.0] * len(rows), kind=Kind.COUNTER
                )
                store.append(batch)
                for (series, _), second in zip(rows, times, strict=True):
                    plain.count[series][second] += 1
                store.maintenance.seal()
                if crash:
                    continue  # the rules change once more before compaction has seen it
                change = partial(changed, store, plain, ids, store.block_set.change)
                store.block_set.change = change
                store.maintenance.compact()
                assert not any(b.entry.stale for b in store.block_set.snapshot())
                clock.advance(hours * HOUR_S)
                store.maintenance.compact()
