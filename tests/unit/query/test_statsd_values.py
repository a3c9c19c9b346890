"""What the names that StatsD makes say, beside StatsD's own arithmetic on the same samples."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.query import Evaluator, Request
from tallystick.query.statsd_names import Bins, Marks, Naming, StatsdView
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000
BUCKET_ERROR = 0.0115
EXACT = ("count", "count_ps", "sum", "mean", "upper", "lower", "std", "sum_squares")


def made(store: MemoryStore, naming: Naming | None = None, now_s: float = NOW_S + 3600) -> StatsdView:
    marks = Marks(store)
    ids = store.catalog.ids()
    marks.note(ids)
    return StatsdView(store, marks, naming or Naming(idle_s=0), ManualClock(float(now_s)))


def put(store: MemoryStore, name: str, kind: Kind, samples: dict[int, Sequence[float]], weight: float = 1.0) -> None:
    series = store.create([name], [kind])
    rows = [((NOW_S + second) * 1000, value) for second, values in samples.items() for value in values]
    times, values = [row[0] for row in rows], [row[1] for row in rows]
    store.append(SampleBatch.of(np.repeat(series, len(rows)), times, values, weight=weight, kind=int(kind)))


def known(view: StatsdView, target: str, slots: int = 1, **asked: int) -> list[float]:
    request = Request(NOW_S - 1, NOW_S + 10 * slots - 1, NOW_S + 3600, **asked)
    (grid,) = Evaluator(view, ManualClock(0.0)).evaluate([target], request)
    return [value for value in grid.values[0].tolist() if not math.isnan(value)]


def of_statsd(values: Sequence[float], percents: Sequence[float]) -> dict[str, float]:
    """A timer's statistics as StatsD computes them of one flush."""
    ordered, n = sorted(values), len(values)
    mean = sum(ordered) / n
    found = {
        "count": n,
        "count_ps": n / 10,
        "sum": sum(ordered),
        "sum_squares": sum(value**2 for value in ordered),
        "mean": mean,
        "upper": ordered[-1],
        "lower": ordered[0],
        "std": math.sqrt(sum((value - mean) ** 2 for value in ordered) / n),
        "median": (ordered[(n - 1) // 2] + ordered[n // 2]) / 2,
    }
    for percent in percents:
        taken = math.floor(abs(percent) / 100 * n + 0.5) if n > 1 else n
        if taken:
            part = ordered[:taken] if percent > 0 else ordered[n - taken :]
            word = f"{percent:g}".replace(".", "_").replace("-", "top")
            found |= {
                f"count_{word}": taken,
                f"mean_{word}": sum(part) / taken,
                f"upper_{word}" if percent > 0 else f"lower_{word}": part[-1] if percent > 0 else part[0],
                f"sum_{word}": sum(part),
                f"sum_squares_{word}": sum(value**2 for value in part),
            }
    return found


@given(st.lists(st.floats(0.001, 1e6) | st.integers(0, 20).map(float), min_size=1, max_size=40))
def test_a_timer_says_what_statsd_says(values: list[float]) -> None:
    percents = (90.0, 99.9, 50.0, -10.0)
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "k", Kind.TIMING, {0: values})
    view = made(store, Naming(percent_threshold=percents, idle_s=0))
    expected = of_statsd(values, percents)
    for name in view.catalog.names(view.catalog.find("stats.timers.k.*")):
        word = name.rpartition(".")[2]
        found = known(view, name)
        if word not in expected:
            assert found == []
            continue
        tolerance = 1e-9 if word in EXACT else BUCKET_ERROR * (2 if "squares" in word else 1)
        assert found == [pytest.approx(expected[word], rel=tolerance, abs=1e-6 * max(map(abs, values)) ** 2)], word


def test_counters_are_rates_and_counts_of_a_step() -> None:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "k", Kind.COUNTER, {0: [3, 4], 10: [3]}, weight=2.0)
    view = made(store)
    assert known(view, "stats.k", 2) == [1.4, 0.6]
    assert known(view, "stats_counts.k", 2) == [14.0, 6.0]
    assert known(view, "sumSeries(stats_counts.*)", 2) == [14.0, 6.0]
    fresh = made(store, Naming(legacy_namespace=False, idle_s=0))
    assert known(fresh, "stats.counters.k.rate", 2) == [1.4, 0.6]
    assert known(fresh, "stats.counters.k.count", 2) == [14.0, 6.0]


def test_a_coarser_slot_is_computed_from_its_samples() -> None:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "t", Kind.TIMING, {0: [1] * 90, 10: [1000] * 10})
    put(store, "c", Kind.COUNTER, {0: [10], 10: [30]})
    view = made(store)
    assert known(view, "stats.timers.t.upper_90", 2, step_s=20) == [1.0]
    assert known(view, "stats.timers.t.upper", 2, step_s=20) == [1000.0]
    assert known(view, "stats.timers.t.count", 2, step_s=20) == [100.0]
    assert known(view, "stats.c", 2, step_s=20) == [2.0]
    assert known(view, 'stat(stats.c,"max")', 2, step_s=20) == [3.0]
    assert known(view, 'stat(stats.timers.t.upper_90,"avg")', 2, step_s=20) == [pytest.approx(500.5, rel=0.02)]
    assert known(view, 'consolidateBy(stats_counts.c,"sum")', 2, slots_max=1) == [40.0]


def test_bins_are_those_of_the_first_histogram_that_fits() -> None:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "api.lat", Kind.TIMING, {0: [1, 2, 30, 400]})
    put(store, "db", Kind.TIMING, {0: [1, 2, 30, 400]})
    naming = Naming(idle_s=0, histogram=(Bins("lat", (10, math.inf)), Bins("", (2.5,))))
    view = made(store, naming)
    assert known(view, "stats.timers.api.lat.histogram.bin_10") == [2.0]
    assert known(view, "stats.timers.api.lat.histogram.bin_inf") == [2.0]
    assert known(view, "stats.timers.db.histogram.bin_2_5") == [2.0]
    assert len(view.catalog.find("stats.timers.db.histogram.*")) == 1


def test_an_idle_key_is_zero_or_stays_as_statsd_has_it() -> None:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "c", Kind.COUNTER, {-30: [5], 20: [7]})
    put(store, "g", Kind.GAUGE, {-30: [5], 20: [7]})
    put(store, "t", Kind.TIMING, {-30: [5]})
    put(store, "s", Kind.SET, {0: [1.0]})
    view = made(store, Naming(idle_s=60), now_s=NOW_S + 65)
    assert known(view, "stats_counts.c", 10) == [0.0, 0.0, 7.0, 0.0, 0.0]  # the sixth slot may be on its way
    assert known(view, "stats.gauges.g", 10) == [5.0, 5.0, 7.0, 7.0, 7.0]
    assert known(view, "stats.timers.t.count", 10) == [0.0, 0.0, 0.0, 0.0]  # for a minute behind its last sample
    assert known(view, "stats.timers.t.mean", 10) == []
    assert known(view, "stats.sets.s.count", 10) == [1.0, 0.0, 0.0, 0.0, 0.0]
    silent = made(store, Naming(delete_idle_stats=True), now_s=NOW_S + 65)
    assert known(silent, "stats_counts.c", 10) == [7.0]


@pytest.mark.parametrize(("step_s", "over_s"), [(10, 10), (60, 10), (1, 1)])
def test_a_slot_is_not_idle_before_an_agent_can_have_sent_it(step_s: int, over_s: int) -> None:
    store = MemoryStore((RetentionRule("*", Retention.parse(f"{step_s}s:1d")),), ManualClock(float(NOW_S)))
    put(store, "c", Kind.COUNTER, {0: [5]})
    begin_s = NOW_S // step_s * step_s
    for now_s, expected in ((begin_s + 2 * step_s + over_s - 0.5, [5.0]), (begin_s + 2 * step_s + over_s, [5.0, 0.0])):
        view = made(store, Naming(idle_s=600), now_s=now_s)
        ids = view.catalog.find("stats_counts.c")
        values = view.read(ids, begin_s, begin_s + 9 * step_s, step_s)[Statistic.DEFAULT][0]
        assert values[~np.isnan(values)].tolist() == expected


def test_what_came_long_before_is_spoken_of_for_a_day() -> None:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "g", Kind.GAUGE, {-80_000: [3], -79_990: [5]})
    put(store, "c", Kind.COUNTER, {-40: [5]})
    put(store, "old", Kind.COUNTER, {-90_000: [5]})
    view = made(store, Naming(), now_s=NOW_S + 65)
    assert known(view, "stats.gauges.g", 10) == [5.0] * 5
    assert known(view, "stats_counts.c", 10) == [0.0] * 5
    assert known(view, "stats_counts.old", 10) == []
    assert known(view, "stats_counts.c", 9, step_s=30) == [0.0]


def test_a_stored_series_of_the_name_goes_on_into_the_one_made() -> None:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "stats_counts.k", Kind.GAUGE, {0: [1], 10: [2]})
    put(store, "k", Kind.COUNTER, {10: [20], 20: [30]})
    marks = Marks(store)
    marks.note(store.catalog.find("k"))
    view = StatsdView(store, marks, Naming(idle_s=0), ManualClock(float(NOW_S)))
    assert known(view, "stats_counts.k", 3) == [1.0, 2.0, 30.0]
    assert view.catalog.names(view.catalog.find("stats_counts.*")) == ["stats_counts.k"]


def test_series_and_names_made_are_read_together() -> None:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    put(store, "k", Kind.TIMING, {0: [1, 3]})
    view = made(store)
    ids = np.concatenate([view.catalog.find("k"), view.catalog.find("stats.timers.k.{lower,median,upper}")])
    found = view.read(ids, NOW_S, NOW_S + 10, 10, (Statistic.DEFAULT, Statistic.COUNT))
    assert found[Statistic.DEFAULT].tolist() == [[2.0], [1.0], [pytest.approx(2.0, rel=BUCKET_ERROR)], [3.0]]
    assert found[Statistic.COUNT].tolist() == [[2.0], [1.0], [1.0], [1.0]]
    ranks = view.percentiles(ids, NOW_S, NOW_S + 10, 10, [50.0])[50.0]
    assert np.isnan(ranks[:, 0]).tolist() == [False, True, True, True]
    assert view.catalog.kinds(ids).tolist() == [Kind.TIMING, Kind.GAUGE, Kind.GAUGE, Kind.GAUGE]
