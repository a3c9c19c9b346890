"""Fetching, merging for pixels, statistics, limits."""

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.errors import LimitError, QueryError
from tallystick.model.kind import Kind
from tallystick.model.retention import AggregationRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.query import Evaluator, QueryLimits, Request
from tallystick.store.memory import MemoryStore

from .conftest import NOW_S, Ask, names


def test_a_range_is_exclusive_at_its_start_and_aligned(ask: Ask) -> None:
    (grid,) = ask("web.a.load")
    assert grid.start_s == NOW_S - 290
    assert grid.end_s == NOW_S
    assert grid.step_s == 10
    # Slot 31 holds 31 and 131; the last sample is its value.
    assert grid.values[0, 0] == 131.0


def test_names_come_sorted_and_kinds_have_their_own_statistic(ask: Ask) -> None:
    grids = ask("web.a.*")
    assert names(grids) == ["web.a.hits", "web.a.load", "web.a.took", "web.a.users"]
    first = {row.name: values[0] for grid in grids for row, values in zip(grid.rows, grid.values, strict=True)}
    assert first == {"web.a.hits": 51 + 151, "web.a.load": 131, "web.a.took": (61 + 161) / 2, "web.a.users": 2}


def test_fewer_slots_are_merged_from_samples_not_from_averages(ask: Ask) -> None:
    (grid,) = ask("consolidateBy(web.a.load,'max')", slots_max=10)
    assert grid.step_s == 30
    assert grid.values[0, 0] == 100 + (grid.start_s - (NOW_S - 600)) // 10 + 2
    (lowest,) = ask("alias(consolidateBy(web.a.load,'min'),'low')", slots_max=10)
    assert lowest.values[0, 0] == (lowest.start_s - (NOW_S - 600)) // 10


def test_the_default_of_a_gauge_in_coarser_slots_is_its_average(ask: Ask) -> None:
    (grid,) = ask("web.a.load", slots_max=10)
    first = (grid.start_s - (NOW_S - 600)) // 10
    assert grid.values[0, 0] == pytest.approx(np.mean([first, first + 1, first + 2]) + 50)
    assert grid.values.shape[1] <= 10


def test_a_counter_is_summed_for_pixels(ask: Ask) -> None:
    fine, coarse = (ask("web.a.hits", slots_max=slots)[0] for slots in (None, 10))
    assert coarse.step_s == 30
    offset = (coarse.start_s - fine.start_s) // 10
    assert coarse.values[0, 0] == fine.values[0, offset : offset + 3].sum()


def test_results_of_functions_are_joined_by_their_rows(ask: Ask) -> None:
    (grid,) = ask("consolidateBy(scale(web.a.load,2),'max')", slots_max=10)
    (fine,) = ask("scale(web.a.load,2)")
    offset = (grid.start_s - fine.start_s) // 10
    assert grid.step_s == 30
    assert grid.start_s % 30 == 0
    assert grid.values[0, 0] == fine.values[0, offset : offset + 3].max()


@pytest.mark.parametrize("target", ["web.a.load", "scale(web.a.load,2)", "group(web.a.load,scale(web.b.load,1))"])
@pytest.mark.parametrize("slots", [1, 2, 3, 7, 29, 30, 31])
def test_there_are_never_more_slots_than_asked_for(ask: Ask, target: str, slots: int) -> None:
    assert all(1 <= grid.values.shape[1] <= slots for grid in ask(target, slots_max=slots))


def test_stat_reads_another_statistic_from_the_store(ask: Ask) -> None:
    for word, value in {"min": 31, "max": 131, "avg": 81, "sum": 162, "count": 2, "sdev": 50, "last": 131}.items():
        (grid,) = ask(f"stat(web.a.load,'{word}')")
        assert grid.values[0, 0] == value, word
        assert names([grid]) == [f'stat(web.a.load,"{word}")']


def test_stat_reaches_every_path_inside_and_only_those(ask: Ask) -> None:
    inside, outside = ask("sumSeries(stat(sumSeries(web.*.load),'min'),web.a.load)", "web.a.load")
    assert inside.values[0, 0] == 31 + 41 + 131
    assert outside.values[0, 0] == 131


def test_the_maximum_of_merged_slots_is_that_of_their_samples(ask: Ask) -> None:
    (grid,) = ask("stat(web.a.load,'max')", slots_max=1)
    assert grid.values.max() == 59 + 100


def test_percentile_reads_timings_and_knows_no_other_kind(ask: Ask) -> None:
    timing, gauge = ask("percentile(web.a.took,100)", "percentile(web.a.load,50)")
    assert timing.values[0, 0] == 161
    assert np.isnan(gauge.values).all()


def test_percentile_of_a_long_time_is_of_all_its_samples(ask: Ask) -> None:
    (grid,) = ask("percentile(web.a.took,50)", slots_max=2)
    assert grid.values.shape[1] <= 2
    assert 30 < grid.values[0, -1] < 200


def test_nothing_is_read_before_it_happens(ask: Ask, store: MemoryStore) -> None:
    evaluator = Evaluator(store, ManualClock())
    (grid,) = evaluator.evaluate(["web.a.load"], Request(NOW_S - 100, NOW_S + 5000, NOW_S))
    assert grid.end_s == NOW_S + 10
    assert evaluator.evaluate(["web.a.load"], Request(NOW_S + 10, NOW_S + 100, NOW_S)) == []


def test_an_unknown_name_gives_no_series(ask: Ask) -> None:
    assert ask("no.such.thing", "sumSeries(no.such.*)", "movingAverage(no.such,5)") == []


def test_a_path_is_read_once_in_a_request(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    read = store.read
    monkeypatch.setattr(store, "read", lambda *args: reads.append(args) or read(*args))
    Evaluator(store, ManualClock()).evaluate(
        ["web.a.load", "scale(web.a.load,2)", "asPercent(web.a.load,web.a.load)"], Request(NOW_S - 300, NOW_S, NOW_S)
    )
    assert len(reads) == 1


def test_values_of_one_target_are_not_changed_by_another(ask: Ask) -> None:
    plain, *_ = ask("web.a.load", "removeAboveValue(web.a.load,0)", "transformNull(web.a.load)", "web.a.load")
    assert plain.values[0, 0] == 131


def test_an_x_files_factor_holds_for_its_own_series_only(ask: Ask) -> None:
    marked, plain = ask("setXFilesFactor(web.a.load,0.9)", "web.b.load")
    assert marked.rows[0].x_files_factor == 0.9
    assert plain.rows[0].x_files_factor is None


def test_tags_select_series(ask: Ask) -> None:
    assert names(ask("seriesByTag('host=x')")) == ["disk;host=x"]
    with pytest.raises(QueryError, match="empty"):
        ask("seriesByTag('host!=x')")


def test_request_templates_win_over_those_of_the_target(ask: Ask) -> None:
    assert names(ask("template(web.$h.load,h='a')", template={"h": "b"})) == ["web.b.load"]


@pytest.mark.parametrize(
    ("limits", "target", "key"),
    [
        (QueryLimits(series_max=3), "web.a.*", "series_max"),
        (QueryLimits(points_max=50), "web.a.*", "points_max"),
        (QueryLimits(points_max=10), "identity('x')|scale(2)", None),
        (QueryLimits(points_max=3), "identity('x')", "points_max"),
    ],
)
def test_a_limit_is_named_when_it_is_hit(ask: Ask, limits: QueryLimits, target: str, key: str | None) -> None:
    if key is None:
        assert ask(target, limits=limits)
        return
    with pytest.raises(LimitError, match=key):
        ask(target, limits=limits)


def test_a_query_that_takes_too_long_is_stopped(store: MemoryStore) -> None:
    class Hasty(ManualClock):
        def monotonic(self) -> float:
            self.advance(20.0)
            return self.elapsed_s

    with pytest.raises(LimitError, match="time_s_max"):
        Evaluator(store, Hasty(), QueryLimits()).evaluate(
            ["scale(scale(web.a.load,2),2)"], Request(NOW_S - 300, NOW_S, NOW_S)
        )


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("bogus(web.a.load)", "unknown function"),
        ("SCALE(web.a.load,2)", "perhaps scale"),
        ("scale(web.a.load)", "'factor' is missing"),
        ("scale(web.a.load,'x')", "'factor' cannot be 'x'; expected float"),
        ("scale(web.a.load,2,3)", "too many"),
        ("scale(web.a.load,faktor=2)", "no parameter 'faktor'"),
        ("scale(web.a.load,2,factor=2)", "too many|given twice"),
        ("scale(5,2)", "'seriesList' cannot be 5"),
        ("summarize(web.a.load,'5m')", "intervalString"),
        ("summarize(web.a.load,'0min')", "interval"),
        ("movingAverage(web.a.load,0)", "windowSize"),
        ("aggregate(web.a.load,'best')", "func"),
        ("grep(web.a.load,'(')", "regular expression"),
        ("aliasSub(web.a.load,'a','\\9')", "replacement"),
        ("stat(web.a.load,'mode')", "statistic"),
        ("scale(web.a.load,template(web.a.load))", "factor"),
        ("movingAverage(5,3)", "plain value"),
        ("web.[a.load", "glob"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(ask: Ask, target: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        ask(target)


def test_a_path_that_is_named_many_times_is_no_way_around_the_limits(store: MemoryStore) -> None:
    evaluator = Evaluator(store, ManualClock(float(NOW_S)), QueryLimits(points_max=1000))
    request = Request(NOW_S - 300, NOW_S, NOW_S)
    many = ",".join(["web.a.load"] * 50)
    assert len(evaluator.evaluate(["web.a.load"] * 30, request)) == 30
    for targets in ([f"group({many})"], [f"sumSeries({many})"], ["web.a.load"] * 50):
        with pytest.raises(LimitError, match="points_max = 1000"):
            evaluator.evaluate(targets, request)
    session = evaluator.new_session()
    with pytest.raises(LimitError, match="points_max = 1000"):
        for _ in range(50):
            evaluator.evaluate_bands("web.a.load", request, session)


def test_marks_of_a_template_that_multiply_are_refused(ask: Ask) -> None:
    levels = [f"'{f'${k + 1}' * 10}'" for k in range(1, 9)]
    with pytest.raises(LimitError, match="cannot use template"):
        ask(f"template(web.$1,{','.join(levels)},'b')")


def test_a_window_of_a_million_medians_ends_at_the_time_limit(store: MemoryStore) -> None:
    class Running(ManualClock):
        def monotonic(self) -> float:
            self.elapsed_s += 1.0
            return self.elapsed_s

    evaluator = Evaluator(store, Running(float(NOW_S)), QueryLimits(time_s_max=8))
    with pytest.raises(LimitError, match="time_s_max = 8"):
        evaluator.evaluate(["movingMedian(web.a.load,'20d')"], Request(NOW_S - 40 * 86400, NOW_S, NOW_S))


def test_slots_are_joined_as_aggregation_rules_say() -> None:
    rules = [AggregationRule("*.peak", Statistic.MAX), AggregationRule("*.total", Statistic.SUM)]
    store = MemoryStore(clock=ManualClock(float(NOW_S)), aggregation=rules)
    ids = store.create(["a.level", "a.peak", "a.total"], [Kind.GAUGE] * 3)
    start_s = NOW_S // 60 * 60 - 300
    for series in ids.tolist():
        store.append(SampleBatch.of([series] * 6, [(start_s + 10 * k) * 1000 for k in range(6)], list(range(6))))
    evaluator = Evaluator(store, ManualClock())

    def joined(target: str) -> dict[str, float]:
        asked = Request(start_s - 1, start_s + 59, NOW_S, slots_max=1)
        return {
            row.name: float(grid.values[i, 0])
            for grid in evaluator.evaluate([target], asked)
            for i, row in enumerate(grid.rows)
        }

    assert joined("a.*") == {"a.level": 2.5, "a.peak": 5.0, "a.total": 15.0}
    assert joined("scale(a.*,2)") == {"scale(a.level,2)": 5.0, "scale(a.peak,2)": 10.0, "scale(a.total,2)": 30.0}
    assert joined("consolidateBy(a.peak,'min')") == {'consolidateBy(a.peak,"min")': 0.0}
