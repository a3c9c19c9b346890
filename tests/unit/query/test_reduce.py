"""Reductions, windows and buckets against what the words mean, written out one value at a time."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.query.align import aligned, consolidated
from tallystick.query.functions.exponential_moving_average import smoothed
from tallystick.query.patterns import substitute
from tallystick.query.reduce import OF_NOTHING, REDUCTIONS, percentile, reduction
from tallystick.query.series import SeriesList
from tallystick.query.windows import bucketed, moving

VALUES = st.one_of(st.just(math.nan), st.integers(-50, 50).map(float))
MATRICES = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 12)), elements=VALUES)

PLAIN = {
    "average": statistics.fmean,
    "avg": statistics.fmean,
    "count": len,
    "current": lambda known: known[-1],
    "diff": lambda known: known[0] - sum(known[1:]),
    "first": lambda known: known[0],
    "last": lambda known: known[-1],
    "max": max,
    "median": statistics.median,
    "min": min,
    "range": lambda known: max(known) - min(known),
    "rangeOf": lambda known: max(known) - min(known),
    "stddev": statistics.pstdev,
    "sum": sum,
    "total": sum,
}


@given(MATRICES, st.sampled_from(sorted(PLAIN)), st.integers(0, 1))
def test_a_reduction_is_what_its_name_says_of_the_known_values(values: np.ndarray, word: str, axis: int) -> None:
    lines = values if axis == 1 else values.T
    expected = []
    for line in lines:
        known = [value for value in line.tolist() if not math.isnan(value)]
        expected.append(PLAIN[word](known) if known or word == "count" else math.nan)
    np.testing.assert_allclose(reduction(word)(values, axis), expected, atol=1e-9)


def test_a_product_needs_all_its_factors_and_zeros_stand_for_gaps_if_asked() -> None:
    values = np.array([[2.0, 3.0], [np.nan, 3.0]])
    np.testing.assert_array_equal(reduction("multiply")(values, 1), [6.0, np.nan])
    np.testing.assert_array_equal(reduction("avg_zero")(values, 1), [2.5, 1.5])


@pytest.mark.parametrize("word", sorted(REDUCTIONS))
def test_nothing_reduces_to_nothing(word: str) -> None:
    result = reduction(word)(np.empty((2, 0)), 1)
    assert result.shape == (2,)
    assert np.isnan(result).all() or word in ("count", "avg_zero")


def test_an_input_is_never_changed_and_may_be_read_only() -> None:
    values = np.array([[3.0, np.nan, 1.0]])
    values.setflags(write=False)
    for word in REDUCTIONS:
        reduction(word)(values[:, ::-1], 1)
        moving(values, 2, word, 0.0)


def test_percentiles_can_be_named_and_follow_graphites_rule() -> None:
    values = np.array([[4.0, 1.0, 3.0, 2.0, np.nan]])
    assert reduction("p50")(values, 1)[0] == 3.0
    assert reduction("p99.9")(values, 1)[0] == 4.0
    assert percentile(values, 50, 1, interpolate=True)[0] == 2.5
    assert percentile(values, 0, 1)[0] == 1.0
    with pytest.raises(QueryError, match="p101"):
        reduction("p101")


@given(
    MATRICES, st.integers(1, 6), st.sampled_from(["sum", "average", "min", "max", "range", "count", "median", "last"])
)
def test_a_window_holds_its_last_values(values: np.ndarray, width: int, word: str) -> None:
    result = moving(values, width, word, 0.0)
    for row, line in enumerate(values):
        windows = [line[i : i + width] for i in range(max(0, len(line) - width + 1))]
        expected = [math.nan if np.isnan(one).all() else float(reduction(word)(one, 0)) for one in windows]
        np.testing.assert_allclose(result[row], expected, atol=1e-9)


def test_sums_over_windows_do_not_inherit_errors_from_values_that_left() -> None:
    values = np.array([[1e17, 1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_array_equal(moving(values, 2, "sum", 0.0)[0, 1:], [3.0, 5.0, 7.0])


def test_half_a_window_can_be_too_little() -> None:
    values = np.array([[1.0, np.nan, np.nan, 2.0], [1.0, np.nan, np.nan, 2.0]])
    result = moving(values, 2, "sum", np.array([0.0, 0.6]))
    np.testing.assert_array_equal(result, [[1.0, np.nan, 2.0], [np.nan, np.nan, np.nan]])


@given(MATRICES, st.integers(1, 5))
def test_buckets_hold_what_falls_into_them(values: np.ndarray, width: int) -> None:
    bucket = np.arange(values.shape[1]) // width - 1
    buckets = int(bucket[-1]) + 2
    reduced, known = bucketed(values, bucket, buckets, "sum")
    for row, line in enumerate(values):
        for i in range(buckets):
            inside = [v for v, b in zip(line, bucket, strict=True) if b == i and not math.isnan(v)]
            assert known[row, i] == len(inside)
            assert reduced[row, i] == sum(inside) if inside else math.isnan(reduced[row, i])


@given(MATRICES, st.floats(0.001, 1.0))
def test_smoothing_in_blocks_is_smoothing_value_by_value(values: np.ndarray, weight: float) -> None:
    first = np.full(len(values), 7.0)
    result = smoothed(values, first, weight)
    for row, line in enumerate(values):
        state = 7.0
        for i, value in enumerate(line.tolist()):
            if math.isnan(value):
                assert math.isnan(result[row, i])
            else:
                state = weight * value + (1 - weight) * state
                assert result[row, i] == pytest.approx(state, abs=1e-8)


def grid(values: list[float], start_s: int, step_s: int, **row: object) -> Grid:
    return Grid(np.array([values], np.float64), (Row(f"s{step_s}", "s", **row),), start_s, step_s)


def test_series_of_different_steps_meet_by_time() -> None:
    fine = grid([1, 2, 3, 4, 5, 6, 7, 8, 9], 10, 10, consolidation="sum")
    coarse = grid([100, 200], 30, 30)
    both = aligned(SeriesList((fine, coarse)))
    assert (both.start_s, both.step_s) == (30, 30)
    np.testing.assert_array_equal(both.values, [[3 + 4 + 5, 6 + 7 + 8, 9], [100, 200, np.nan]])


def test_series_of_one_step_that_begin_apart_are_filled_up() -> None:
    both = aligned(SeriesList((grid([1, 2], 60, 60), grid([3], 180, 60))))
    np.testing.assert_array_equal(both.values, [[1, 2, np.nan], [np.nan, np.nan, 3]])


def test_each_row_is_joined_in_its_own_way() -> None:
    values = np.array([[1.0, 2.0, 3.0, 4.0]] * 3)
    rows = (Row("a", "a"), Row("b", "b", consolidation="max"), Row("c", "c", consolidation="sum", x_files_factor=1.0))
    (joined,) = consolidated(SeriesList((Grid(values, rows, 100, 20),)), 2, 0.0).grids
    assert (joined.start_s, joined.step_s) == (120, 40)
    np.testing.assert_array_equal(joined.values, [[2.5, 4.0], [3.0, 4.0], [5.0, np.nan]])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1000), st.sampled_from([1, 10, 60]))
def test_joined_slots_are_aligned_and_few_enough(slots: int, slots_max: int, start: int, step_s: int) -> None:
    series = SeriesList((grid([1.0] * slots, start * step_s, step_s),))
    (joined,) = consolidated(series, slots_max, 0.0).grids
    assert joined.values.shape[1] <= slots_max
    if slots > slots_max > 1:
        assert joined.start_s % joined.step_s == 0
        assert joined.start_s >= start * step_s
    assert joined.end_s >= (start + slots) * step_s or slots_max == 1


def test_a_pattern_is_linear_and_knows_groups() -> None:
    assert substitute(r"^web\.(\w+)", r"\1!", "web.a.load") == "a!.load"
    with pytest.raises(QueryError, match="RE2"):
        substitute("(?=a)", "", "a")
    assert substitute("(a*)*$", "", "a" * 500 + "b") == "a" * 500 + "b"


@pytest.mark.parametrize("word", [*REDUCTIONS, "p95"])
def test_only_counts_have_a_result_where_nothing_is_known(word: str) -> None:
    reduce = reduction(word)
    with np.errstate(all="ignore"):
        result = reduce(np.full((3, 2), np.nan), 0)
    assert np.isnan(result).all() == (reduce not in OF_NOTHING)
