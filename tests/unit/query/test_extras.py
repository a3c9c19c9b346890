"""Functions of carbonapi that Graphite has not."""

import numpy as np
import pytest

from tallystick.model.errors import QueryError

from .conftest import Ask, names


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("total", [210.0]),
        ("totalSeries", [210.0]),
        ("average", [105.0]),
        ("avgSeries", [105.0]),
        ("avg_zero", [105.0]),
        ("min", [100.0]),
        ("max", [110.0]),
        ("first", [100.0]),
        ("last", [110.0]),
        ("current", [110.0]),
        ("median", [105.0]),
        ("count", [2.0]),
        ("diff", [-10.0]),
        ("multiply", [11000.0]),
        ("range", [10.0]),
        ("rangeOf", [10.0]),
        ("stddev", [5.0]),
    ],
)
def test_a_summarizer_makes_one_series_of_many(ask: Ask, word: str, values: list[float]):
    [grid] = ask(f"{word}(web.a.load|offset(0)|scale(0)|offset(100),web.b.load|scale(0)|offset(110))")
    assert np.unique(grid.values).tolist() == values


def test_a_summarizer_can_be_a_callback_and_a_name_of_its_own(ask: Ask):
    assert names(ask('groupByNode(web.*.load,2,"max")')) == ["load"]
    assert names(ask("max(web.*.load)")) == ["maxSeries(web.*.load)"]


def test_series_are_chosen_by_their_extremes(ask: Ask):
    assert names(ask("highestMin(web.*.load,1)")) == names(ask("highestMax(web.*.load,1)")) == ["web.b.load"]
    assert names(ask("lowestMin(web.*.load,1)")) == names(ask("lowestMax(web.*.load,1)")) == ["web.a.load"]


def test_series_of_nothing_but_zeros_are_left_out(ask: Ask):
    assert names(ask("removeZeroSeries(group(web.a.load,scale(web.b.load,0)))")) == ["web.a.load"]
    assert names(ask("removeZeroSeries(changed(web.a.load),0.99)")) == []


def test_series_above_a_value_are_renamed(ask: Ask):
    assert names(ask('aboveSeries(web.*.load,165,"load","is high")')) == ["web.b.is high"]


def test_a_weighted_average_begins_with_the_first_value_and_keeps_gaps(ask: Ask):
    [plain] = ask("removeBelowValue(stat(web.a.load,'min'),33)")
    [grid] = ask("ewma(removeBelowValue(stat(web.a.load,'min'),33),0.75)")
    state, expected = None, []
    for value in plain.values[0].tolist():
        if not np.isnan(value):
            state = value if state is None else 0.75 * state + 0.25 * value
        expected.append(np.nan if np.isnan(value) else state)
    np.testing.assert_allclose(grid.values[0], expected)
    assert grid.rows[0].name.startswith("exponentialWeightedMovingAverage(")
    with pytest.raises(QueryError, match="alpha"):
        ask("ewma(web.a.load,1)")


def test_lists_are_raised_to_powers_pair_by_pair(ask: Ask):
    found = ask("powSeriesLists(scale(web.*.load,0)|offset(3),scale(web.*.load,0)|offset(2))")
    assert {value for grid in found for value in np.unique(grid.values)} == {9.0}
    with pytest.raises(QueryError, match="pair"):
        ask("powSeriesLists(web.*.load,web.a.load)")


def test_an_objective_is_met_for_a_share_of_each_interval(ask: Ask):
    [grid] = ask("slo(stat(web.a.load,'min'),'1min','above',40)")
    [known] = ask("summarize(stat(web.a.load,'min'),'1min','min')")
    assert grid.step_s == 60
    assert grid.values[0][known.values[0] > 40].tolist() == [1.0] * int((known.values[0] > 40).sum())
    assert 0.0 in grid.values[0]
    [left] = ask("sloErrorBudget(stat(web.a.load,'min'),'1min','above',40,0.5)")
    np.testing.assert_allclose(left.values, (grid.values - 0.5) * 60)
    with pytest.raises(QueryError, match="method"):
        ask("slo(web.a.load,'1min','near',1)")


@pytest.mark.parametrize(
    ("ours", "same"),
    [("isNotNull", "isNonNull"), ("logarithm", "log"), ("toUpperCase", "upper"), ("toLowerCase", "lower")],
)
def test_other_names_mean_the_same(ask: Ask, ours: str, same: str):
    assert names(ask(f"{ours}(web.a.load)")) == names(ask(f"{same}(web.a.load)"))
