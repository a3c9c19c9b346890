"""Targets that are evaluated together give what each gives alone; only the work is shared."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.model.clock import ManualClock
from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, QueryLimits, Request
from tallystick.query.grammar import parse
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000
RULES = (RetentionRule("slow.*", Retention.parse("60s:1d")), RetentionRule("*", Retention.parse("10s:1h,1m:1d")))
NAMES = {
    "web.a.load": Kind.GAUGE,
    "web.b.load": Kind.GAUGE,
    "web.a.hits": Kind.COUNTER,
    "web.b.hits": Kind.COUNTER,
    "web.a.took": Kind.TIMING,
    "slow.a.load": Kind.GAUGE,
    "slow.a.hits": Kind.COUNTER,
    "disk;host=x": Kind.GAUGE,
    "disk;host=y": Kind.GAUGE,
}
PATHS = (
    *("web.a.load", "web.*.load", "*.a.load", "*.a.*", "web.{b,a}.hits", "no.such.*", "web.[.load", "slow.a.*"),
    *("seriesByTag('name=disk')", "seriesByTag('host=y')", "seriesByTag('host!=x')"),
)
AROUND = (
    *("{}", "{}", "alias({},'x')", "sortByName({})", "{}|alias('y')|color('red')", "stat({},'max')", "stat({},'min')"),
    *("percentile({},90)", "consolidateBy({},'max')", "scale({},2)", "sumSeries({})", "averageSeries({})"),
    *("movingAverage({},3)", "movingAverage({},'2min')", "movingMax(movingAverage({},'1min'),2)", "derivative({})"),
    *("timeShift({},'5min')", "summarize({},'3min','max')", "template({})", "keepLastValue({})", "countSeries({})"),
    *("removeAboveValue({},100)", "transformNull({},0)", "highestMax({},1)", "asPercent({})", "cumulative({})"),
)


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    store = MemoryStore(RULES, ManualClock(float(NOW_S)))
    random = np.random.default_rng(5)
    for series in store.create(list(NAMES), list(NAMES.values())).tolist():
        times = np.sort(random.choice(np.arange(NOW_S - 7200, NOW_S), 900, replace=False))
        kind = int(store.catalog.kinds(np.array([series], np.int32))[0])
        values = random.uniform(0, 200, len(times)).round(1)
        store.append(SampleBatch.of(np.full(len(times), series), times * 1000, values, kind=kind))
    return store


leaves = st.sampled_from(PATHS)
targets = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda around, one: around.format(one), st.sampled_from(AROUND), inner),
        st.builds("sumSeries({},{})".format, inner, inner),
        st.builds("group({},{})".format, inner, inner),
    ),
    max_leaves=4,
)
requests = st.builds(
    Request,
    st.sampled_from([NOW_S - 300, NOW_S - 1800, NOW_S - 5400]),
    st.sampled_from([NOW_S, NOW_S - 65, NOW_S + 100]),
    st.just(NOW_S),
    slots_max=st.sampled_from([None, 1, 7, 100]),
    step_s=st.sampled_from([None, None, 30, 120]),
)


def told(grids: Sequence[Grid]) -> list[object]:
    """All there is to see of grids; arrays as bytes, in which NaN equals itself."""
    return [(list(grid.rows), grid.start_s, grid.step_s, grid.values.shape, grid.values.tobytes()) for grid in grids]


@settings(max_examples=120, deadline=None)
@given(asked=st.lists(targets, min_size=1, max_size=6), request=requests)
def test_targets_together_give_what_each_gives_alone(store: MemoryStore, asked: list[str], request: Request) -> None:
    evaluator = Evaluator(store, ManualClock())
    alone: list[object] = []
    cause = None
    for target in asked:
        try:
            alone += told(evaluator.evaluate([target], request))
        except QueryError as error:
            cause = str(error)
            break
    if cause is None:
        assert told(evaluator.evaluate(asked, request)) == alone
    else:
        with pytest.raises(QueryError) as found:
            evaluator.evaluate(asked, request)
        assert str(found.value) == cause


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(targets, min_size=1, max_size=5), request=requests)
def test_bands_together_are_those_of_each_alone(store: MemoryStore, asked: list[str], request: Request) -> None:
    evaluator = Evaluator(store, ManualClock())
    try:
        alone = [evaluator.evaluate_bands(target, request) for target in asked]
    except QueryError:
        return
    for mine, theirs in zip(evaluator.bands(asked, request), alone, strict=True):
        assert told([band.grid for band in mine]) == told([band.grid for band in theirs])
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(one.low, other.low)
            np.testing.assert_array_equal(one.high, other.high)
            np.testing.assert_array_equal(one.ids, other.ids)


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(targets, min_size=1, max_size=5), points_max=st.integers(1, 4000))
def test_whoever_is_within_the_limits_is_so_with_a_plan(store: MemoryStore, asked: list[str], points_max: int) -> None:
    request = Request(NOW_S - 1800, NOW_S, NOW_S)
    evaluator = Evaluator(store, ManualClock(), QueryLimits(points_max=points_max))

    session = evaluator.new_session()
    try:
        for target in asked:
            session.show(evaluator.series(parse(target), request, session))
    except QueryError:
        return
    evaluator.evaluate(asked, request)
