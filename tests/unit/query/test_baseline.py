"""What the same time looked like in the weeks before."""

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, Request
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_006_400
WEEK_S = 7 * 86400
RULES = [RetentionRule("*", Retention.parse("10s:10d,1m:90d"))]


@pytest.fixture(scope="module")
def evaluator() -> Evaluator:
    """Two gauges with two samples a minute, in week k before now k * 10 and k * 10 + 6, each minute 1 more.

    `b` has nothing in the second week before now.
    """
    store = MemoryStore(RULES, ManualClock(float(NOW_S)))
    ids = store.create(["a", "b"], [Kind.GAUGE, Kind.GAUGE])
    for week in range(5):
        minutes = np.arange(10)
        for offset in (0, 30):
            times = NOW_S - week * WEEK_S - 600 + minutes * 60 + offset
            values = 10.0 * week + minutes + offset / 5
            for series in ids.tolist():
                if (series, week) != (1, 2):
                    store.append(SampleBatch.of([series] * 10, times * 1000, values, kind=Kind.GAUGE))
    return Evaluator(store, ManualClock(float(NOW_S)))


def ask(evaluator: Evaluator, target: str) -> np.ndarray:
    (grid,) = evaluator.evaluate([target], Request(NOW_S - 601, NOW_S - 1, NOW_S))
    assert (grid.start_s, grid.step_s) == (NOW_S - 600, 60)
    assert [row.name for row in grid.rows] == [target]
    return grid.values[0]


def test_it_is_the_average_of_the_weeks_before_at_a_step_that_all_have(evaluator: Evaluator):
    np.testing.assert_allclose(ask(evaluator, "baseline(a,2)"), 15 + 3 + np.arange(10))
    np.testing.assert_allclose(ask(evaluator, "baseline(a,4)"), 25 + 3 + np.arange(10))


def test_a_week_without_data_is_left_out(evaluator: Evaluator):
    np.testing.assert_allclose(ask(evaluator, "baseline(b,3)"), (10 + 30) / 2 + 3 + np.arange(10))


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [("min", 10.0), ("max", 26.0), ("count", 4.0), ("sum", 72.0), ("avg", 18.0), ("last", 16.0)],
)
def test_inside_stat_it_is_a_statistic_of_all_samples(evaluator: Evaluator, statistic: str, expected: float):
    (grid,) = evaluator.evaluate([f'stat(baseline(a,2),"{statistic}")'], Request(NOW_S - 601, NOW_S - 1, NOW_S))
    assert grid.values[0][0] == expected


def test_the_deviation_is_that_of_all_samples(evaluator: Evaluator):
    (grid,) = evaluator.evaluate(['stat(baseline(a,2),"sdev")'], Request(NOW_S - 601, NOW_S - 1, NOW_S))
    assert grid.values[0][0] == pytest.approx(np.std([10, 16, 20, 26]))


def test_an_expression_is_evaluated_in_each_week(evaluator: Evaluator):
    (grid,) = evaluator.evaluate(["baseline(sumSeries(*),3)"], Request(NOW_S - 601, NOW_S - 1, NOW_S))
    np.testing.assert_allclose(grid.values[0], (26 + 23 + 66) / 3 + np.arange(10) * 5 / 3)


def test_the_trailing_average_counts_the_newest_week_most(evaluator: Evaluator):
    expected = 0.5 * (0.5 * 30 + 0.5 * 20) + 0.5 * 10 + 3 + np.arange(10)
    np.testing.assert_allclose(ask(evaluator, "trailing(a,0.5,3)"), expected)
    np.testing.assert_allclose(ask(evaluator, "trailing(b,0.5,3)"), 0.5 * 30 + 0.5 * 10 + 3 + np.arange(10))


@pytest.mark.parametrize("target", ["baseline(a,0)", "baseline(a,105)", "trailing(a,1.5)", "percentile(baseline(a),9)"])
def test_what_makes_no_sense_is_refused(evaluator: Evaluator, target: str):
    with pytest.raises(QueryError, match="expected"):
        evaluator.evaluate([target], Request(NOW_S - 601, NOW_S - 1, NOW_S))
