"""What stored statistics, histograms and the ledger can tell that Graphite cannot."""

from collections.abc import Callable

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, Request
from tallystick.store.memory import MemoryStore

from .conftest import NOW_S, Ask, names

START_S = NOW_S - NOW_S % 3600 - 3600
Filled = Callable[[str], list[Grid]]


def filled(series: dict[str, tuple[Kind, list[tuple[int, float]]]]) -> Filled:
    """Asks a store with these samples, seconds from an hour's start, about the half hour after that."""
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    for name, (kind, samples) in series.items():
        ids = store.create([name], [kind])
        times, values = [(START_S + t) * 1000 for t, _ in samples], [value for _, value in samples]
        store.append(SampleBatch.of(np.full(len(samples), ids[0]), times, values, kind=kind))
    request = Request(START_S - 1, START_S + 1799, NOW_S)
    return lambda target: Evaluator(store, ManualClock()).evaluate([target], request)


@pytest.fixture(scope="module")
def took() -> Filled:
    """Two timings of very different sizes: their percentiles cannot be had from each other's."""
    random = np.random.default_rng(1)
    fast = [(int(t), float(v)) for t, v in zip(random.integers(0, 1800, 4000), random.uniform(1, 2, 4000), strict=True)]
    slow = [
        (int(t), float(v)) for t, v in zip(random.integers(0, 1800, 400), random.uniform(100, 200, 400), strict=True)
    ]
    return filled(
        {"app.a.time": (Kind.TIMING, fast), "app.b.time": (Kind.TIMING, slow), "app.load": (Kind.GAUGE, slow)}
    )


def test_a_percentile_over_a_window_is_that_of_its_samples(took: Filled):
    [grid] = took("percentile(app.a.time,50,'15min')")
    assert (grid.step_s, grid.rows[0].name) == (900, 'percentile(app.a.time,50,"15min")')
    np.testing.assert_allclose(grid.values[0], 1.5, rtol=0.03)


def test_a_merged_percentile_is_that_of_all_samples_of_a_group(took: Filled):
    [grid] = took("mergedPercentile(app.*.time,95,'30min')")
    # 4,000 of 4,400 samples are below 2: of the others, 45 % lie below the 95th percentile.
    np.testing.assert_allclose(grid.values[0], 145.0, rtol=0.03)
    assert grid.step_s == 1800
    assert names([grid]) == ['mergedPercentile(app.*.time,95,"30min")']


def test_it_takes_slots_as_they_are_without_a_window_and_leaves_out_what_is_no_timing(took: Filled):
    [grid] = took("mergedPercentile(group(app.*.time,app.load),50)")
    assert grid.step_s == 10
    assert np.nanmax(grid.values) < 200
    assert took("mergedPercentile(app.load,50)") == []
    assert took("mergedPercentile(no.such,50)") == []


def test_it_follows_what_selects_series_and_refuses_what_computes_them(took: Filled):
    [grid] = took("mergedPercentile(exclude(app.*.time,'b'),50,'30min')")
    np.testing.assert_allclose(grid.values[0], 1.5, rtol=0.03)
    with pytest.raises(QueryError, match="expected paths"):
        took("mergedPercentile(scale(app.*.time,2),50)")
    with pytest.raises(QueryError, match="expected 0 to 100"):
        took("mergedPercentile(app.*.time,101)")


def test_a_band_is_the_extremes_of_samples_around_their_mean(ask: Ask):
    grids = ask("band(web.*.load)", slots_max=2)
    assert names(grids) == [f'band(web.{host}.load,"{part}")' for host in "ab" for part in ("min", "avg", "max")]
    low, mean, high = (row for grid in grids for row in grid.values[:3])
    [lowest], [highest] = (ask(f"stat(web.a.load,'{word}')", slots_max=2) for word in ("min", "max"))
    assert low.tolist() == lowest.values[0].tolist()
    assert high.tolist() == highest.values[0].tolist()
    assert (low < mean).all() and (mean < high).all()


COUNTED = [(-20, 5.0), (0, 10.0), (10, 30.0), (40, 60.0), (50, 4.0), (60, 24.0)]


def test_a_rate_goes_on_over_resets_and_gaps():
    ask = filled({"net.rx": (Kind.CUMULATIVE, COUNTED)})
    [grid] = ask("rate(net.rx)")
    assert (grid.start_s, grid.rows[0].name) == (START_S, "rate(net.rx)")
    expected = [5 / 20, 2.0, np.nan, np.nan, 1.0, 0.4, 2.0]
    np.testing.assert_allclose(grid.values[0, :7], expected)


def test_an_increase_adds_up_to_all_that_was_counted():
    ask = filled({"net.rx": (Kind.CUMULATIVE, COUNTED)})
    [grid] = ask("increase(net.rx)")
    assert np.nansum(grid.values) == 5 + 20 + 30 + 4 + 20
    [whole] = ask("increase(net.rx,'30min')")
    assert whole.step_s == 1800
    assert np.nansum(whole.values) == 79.0


def test_completeness_is_told_by_the_counts_of_the_longest_prefix():
    counts = "tallystick.ledger.prefixes"
    ask = filled(
        {
            "web.h1.cpu": (Kind.GAUGE, [(0, 1.0)]),
            "db.h1.cpu": (Kind.GAUGE, [(0, 1.0)]),
            "other": (Kind.GAUGE, [(0, 1.0)]),
            f"{counts}.web.h1.stored": (Kind.COUNTER, [(0, 90.0), (10, 50.0)]),
            f"{counts}.web.h1.lost": (Kind.COUNTER, [(0, 10.0)]),
            f"{counts}.web.stored": (Kind.COUNTER, [(0, 1.0)]),
            f"{counts}.db.stored": (Kind.COUNTER, [(0, 7.0)]),
        }
    )
    first, second, third = (
        row for grid in ask("completeness(group(web.h1.cpu,db.h1.cpu,other))") for row in grid.values
    )
    assert first[:2].tolist() == [0.9, 1.0]
    assert second[0] == 1.0
    assert np.isnan(third).all()
    assert names(ask("completeness(web.h1.cpu)")) == ["completeness(web.h1.cpu)"]


@pytest.mark.parametrize("word", ["avg", "count", "max", "min", "sdev", "sum"])
def test_istatds_sub_counters_are_statistics(ask: Ask, word: str):
    [plain], [named] = ask(f"stat(web.*.load,'{word}')"), ask(f"web.*.load.{word}")
    np.testing.assert_array_equal(plain.values, named.values)
    assert names([named]) == [f"web.a.load.{word}", f"web.b.load.{word}"]
    assert ask(f"no.such.{word}") == []


def test_a_series_that_has_the_name_itself_is_no_sub_counter():
    ask = filled({"a.max": (Kind.GAUGE, [(0, 7.0)]), "a": (Kind.GAUGE, [(0, 1.0), (5, 2.0)])})
    assert np.nanmax(ask("a.max")[0].values) == 7.0
    assert np.nanmax(ask("a.min")[0].values) == 1.0
