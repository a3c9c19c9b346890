"""What targets of a request share, and where a request ends before it is answered."""

from collections.abc import Sequence

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.errors import GoneError, LimitError, QueryError
from tallystick.query import Evaluator, QueryLimits, Request
from tallystick.query.functions import arithmetic
from tallystick.query.grammar import DEPTH_MAX
from tallystick.store.memory import MemoryStore

from .conftest import NOW_S, Ask, filled_store

REQUEST = Request(NOW_S - 300, NOW_S, NOW_S)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> tuple[MemoryStore, list[int]]:
    """A store, and of each read of it how many series it was for."""
    store, seen = filled_store(), list[int]()
    read = store.read

    def counted(ids: Sequence[int], *args: object) -> object:
        seen.append(len(ids))
        return read(ids, *args)

    monkeypatch.setattr(store, "read", counted)
    return store, seen


def evaluate(store: MemoryStore, *targets: str, **limits: int) -> None:
    Evaluator(store, ManualClock(), QueryLimits(**limits)).evaluate(targets, REQUEST)


def test_all_paths_of_a_dashboard_are_read_at_once(reads: tuple[MemoryStore, list[int]]) -> None:
    store, seen = reads
    evaluate(store, "web.a.load", "scale(web.b.load,2)", "sumSeries(web.*.load,disk*)", "seriesByTag('host=x')")
    assert seen == [3]


def test_paths_below_the_same_window_are_read_at_once(reads: tuple[MemoryStore, list[int]]) -> None:
    store, seen = reads
    evaluate(store, "movingAverage(web.a.load,'1min')", "movingAverage(web.b.load,'1min')", "web.a.load")
    assert seen == [2, 1]


def test_a_glob_is_looked_up_once_in_a_request(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    catalog = type(store.catalog)
    find = catalog.find
    monkeypatch.setattr(catalog, "find", lambda self, pattern: found.append(pattern) or find(self, pattern))
    evaluate(store, "web.*.load", "timeShift(web.*.load,'1min')", "stat(web.*.load,'max')", "sumSeries(web.*.load)")
    assert found == ["web.*.load"]


def test_a_call_that_is_there_twice_is_computed_once(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = []
    transformed = arithmetic.transformed
    monkeypatch.setattr(
        arithmetic, "transformed", lambda series, *args: scaled.append(len(series)) or transformed(series, *args)
    )
    evaluate(
        store, "scale(web.*.load,3)", "sumSeries(scale(web.*.load,3),scale(web.a.load,3))", "scale(web.*.load,3.0)"
    )
    assert scaled == [2, 1, 2]


def test_a_glob_that_is_wrong_is_told_when_its_target_comes(ask: Ask) -> None:
    with pytest.raises(QueryError, match="cannot call scale"):
        ask("scale(web.a.load,'x')", "web.[a.load")


def test_others_are_not_read_where_they_would_be_too_many(reads: tuple[MemoryStore, list[int]]) -> None:
    store, seen = reads
    with pytest.raises(LimitError, match="series_max = 2"):
        evaluate(store, "web.a.load", "web.*.*", series_max=2)
    assert seen == [1]


@pytest.mark.parametrize(
    ("targets", "limits", "key"),
    [
        (["web.*.*"], {"series_max": 4}, "series_max = 4"),
        (["web.*.*"], {"points_max": 100}, "points_max = 100"),
        (["web.*.*"], {"bytes_max": 800}, "bytes_max = 800"),
        (["sumSeries(" + ",".join(f"scale(web.*.*,{k})" for k in range(40)) + ")"], {"series_max": 40}, "series_max"),
        (["sumSeries(" + ",".join(f"scale(web.*.*,{k})" for k in range(40)) + ")"], {"points_max": 900}, "points_max"),
        (["sumSeries(" + ",".join(f"scale(web.*.*,{k})" for k in range(40)) + ")"], {"bytes_max": 9000}, "bytes_max"),
        ([f"scale(web.*.*,{k})" for k in range(40)], {"bytes_max": 40_000}, "bytes_max"),
        (["summarize(web.a.load,'1s')"], {"points_max": 200}, "points_max"),
        (["timeStack(web.a.load,'1min',0,100)"], {"points_max": 500}, "points_max"),
    ],
)
def test_every_limit_is_named_when_it_is_hit(
    store: MemoryStore, targets: list[str], limits: dict[str, int], key: str
) -> None:
    with pytest.raises(LimitError, match=key):
        evaluate(store, *targets, **limits)


def test_values_that_wait_for_others_count_as_memory(store: MemoryStore) -> None:
    """At each level of nesting one list waits while the next is made."""
    nested = "web.*.*"
    for k in range(30):
        nested = f"sumSeries(scale(web.*.*,{k}),{nested})"
    with pytest.raises(LimitError, match="bytes_max = 60000"):
        evaluate(store, nested, bytes_max=60_000)
    evaluate(store, nested, bytes_max=200_000)


@pytest.mark.parametrize("target", ["a" + "|absolute()" * 5000, "absolute(" * 5000 + "a" + ")" * 5000])
def test_nesting_is_refused_before_the_stack_ends(ask: Ask, target: str) -> None:
    with pytest.raises(QueryError, match=f"nested at most {DEPTH_MAX} deep"):
        ask(target)


def test_nesting_as_deep_as_may_be_is_evaluated(ask: Ask) -> None:
    (grid,) = ask("web.a.load" + "|absolute()" * (DEPTH_MAX - 1))
    assert grid.rows[0].name.count("absolute(") == DEPTH_MAX - 1


def test_nested_windows_cost_no_power_of_two(reads: tuple[MemoryStore, list[int]]) -> None:
    store, seen = reads
    nested = "web.a.load"
    for _ in range(25):
        nested = f"movingMax({nested},2)"
    evaluate(store, nested)
    assert len(seen) <= 26


def test_a_request_ends_when_who_asked_has_gone(reads: tuple[MemoryStore, list[int]]) -> None:
    store, seen = reads
    targets = [f"stat(web.*.load,'{word}')" for word in ("min", "max", "avg", "sum")]
    with pytest.raises(GoneError):
        Evaluator(store, ManualClock()).evaluate(targets, REQUEST, lambda: len(seen) >= 2)
    assert len(seen) == 2


def test_much_is_read_in_pieces_and_given_whole(
    reads: tuple[MemoryStore, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, seen = reads
    (whole,) = Evaluator(store, ManualClock()).evaluate(["web.*.load"], REQUEST)
    monkeypatch.setattr("tallystick.query.selection._PIECE_VALUES", 40)
    (pieces,) = Evaluator(store, ManualClock()).evaluate(["web.*.load"], REQUEST)
    assert seen == [2, 1, 1]
    np.testing.assert_array_equal(whole.values, pieces.values)
