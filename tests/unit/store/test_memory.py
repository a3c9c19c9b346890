"""The model that engines are compared with."""

import math

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.contract import Node
from tallystick.store.memory import MemoryStore
from tallystick.store.memory_catalog import glob_expression

EVERY = tuple(Statistic)


def one_slot(kind: Kind, samples: list[tuple[int, float, float]], step_s: int = 10) -> dict[Statistic, float]:
    """The statistics of samples (milliseconds, value, weight) in the slot that begins at 0."""
    store = MemoryStore()
    ids = store.create(["a"], [kind])
    times, values, weights = zip(*samples, strict=True)
    store.append(SampleBatch.of([0] * len(samples), times, values, weight=weights, kind=kind))
    return {word: float(matrix[0, 0]) for word, matrix in store.read(ids, 0, step_s, step_s, EVERY).items()}


def test_weights_scale_counts_and_sums() -> None:
    found = one_slot(Kind.COUNTER, [(0, 2.0, 10.0), (5, 4.0, 30.0)])
    assert found == {
        Statistic.DEFAULT: 140.0,
        Statistic.LAST: 4.0,
        Statistic.AVG: 3.5,
        Statistic.SUM: 140.0,
        Statistic.COUNT: 40.0,
        Statistic.MIN: 2.0,
        Statistic.MAX: 4.0,
        Statistic.SDEV: math.sqrt((10 * 1.5**2 + 30 * 0.5**2) / 40),
    }


def test_the_last_sample_is_the_latest_by_time_then_by_arrival() -> None:
    assert one_slot(Kind.GAUGE, [(9, 1.0, 1), (3, 2.0, 1)])[Statistic.LAST] == 1.0
    assert one_slot(Kind.GAUGE, [(3, 1.0, 1), (3, 2.0, 1)])[Statistic.LAST] == 2.0


@pytest.mark.parametrize(
    ("kind", "fine", "coarse"),
    [
        (Kind.GAUGE, 5.0, 3.0),
        (Kind.COUNTER, 6.0, 9.0),
        (Kind.TIMING, 3.0, 3.0),
        (Kind.SET, 2.0, 3.0),
        (Kind.CUMULATIVE, 5.0, 3.0),
    ],
)
def test_each_kind_has_its_default_statistic(kind: Kind, fine: float, coarse: float) -> None:
    samples = [(0, 1.0, 1), (1, 5.0, 1), (10_000, 3.0, 1)]
    assert one_slot(kind, samples)[Statistic.DEFAULT] == fine
    assert one_slot(kind, samples, step_s=20)[Statistic.DEFAULT] == coarse


def test_a_delta_is_added_to_the_gauge() -> None:
    store = MemoryStore()
    ids = store.create(["a"], [Kind.GAUGE])
    kinds = [Kind.GAUGE, Kind.GAUGE | GAUGE_DELTA, Kind.GAUGE | GAUGE_DELTA]
    store.append(SampleBatch.of([0, 0, 0], [0, 1, 10_000], [5.0, -2.0, 10.0], kind=kinds))
    np.testing.assert_array_equal(store.read(ids, 0, 30, 10)[Statistic.DEFAULT], [[3.0, 13.0, np.nan]])


def test_percentiles_are_of_weighted_samples_of_timings_only() -> None:
    store = MemoryStore()
    ids = store.create(["t", "g"], [Kind.TIMING, Kind.GAUGE])
    store.append(SampleBatch.of([0, 0, 1], [0, 1, 0], [1.0, 9.0, 5.0], weight=[1.0, 3.0, 1.0]))
    found = store.percentiles(ids, 0, 10, 10, (25, 26, 100))
    assert [float(found[rank][0, 0]) for rank in (25, 26, 100)] == [1.0, 9.0, 9.0]
    assert np.isnan(found[25][1, 0])


def test_a_name_has_one_kind_and_one_id() -> None:
    store = MemoryStore(
        [RetentionRule("a*", Retention.parse("1s:1h")), RetentionRule("*", Retention.parse("10s:1d,1m:2d"))],
        ManualClock(200_000.0),
    )
    assert store.create(["a", "b", "a"], [Kind.GAUGE] * 3).tolist() == [0, 1, 0]
    assert store.create(["a", "c"], [Kind.COUNTER, Kind.COUNTER]).tolist() == [-1, 2]
    assert store.catalog.kinds(np.array([0, 2], np.int32)).tolist() == [Kind.GAUGE, Kind.COUNTER]
    assert store.steps(np.array([0, 1], np.int32), 100_000, 200_000).tolist() == [1, 60]
    with pytest.raises(ValueError, match="in order"):
        store.create(["a;z=1;b=2"], [Kind.GAUGE])


def test_what_was_appended_is_durable_at_once() -> None:
    store = MemoryStore()
    store.create(["a"], [Kind.GAUGE])
    called: list[bool] = []
    ticket = store.append(SampleBatch.of([0], [0], [1.0]))
    store.when_durable(ticket, lambda: called.append(store.durable(ticket)))
    assert called == [True]
    with pytest.raises(ValueError, match="ticket"):
        store.when_durable(ticket + 1, lambda: None)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("a.*.c", "a.b.c", True),
        ("a.*.c", "a.b.b.c", False),
        ("a.b?", "a.b1", True),
        ("a.b?", "a.b", False),
        ("a.[b-d]x", "a.cx", True),
        ("a.[!b-d]x", "a.cx", False),
        ("a.{b,c*}.d", "a.cat.d", True),
        ("a.{b,{c,d}e}", "a.de", True),
        ("a,b", "a,b", True),
        ("a+(b)", "a+(b)", True),
        (r"a\*.\{b,c\}", "a*.{b,c}", True),
        (r"a\*", "ab", False),
        (r"{a\,b,c}", "a,b", True),
        ("disk*;host=*", "disk.used;host=h.1", False),
        ("disk.*;host=h.1", "disk.used;host=h.1", True),
    ],
)
def test_a_glob_matches_within_parts(pattern: str, name: str, matches: bool) -> None:
    assert (glob_expression(pattern).fullmatch(name) is not None) == matches


@pytest.mark.parametrize("pattern", ["a.[b", "a.{b", "a.b}", "a.[z-a]", "a\\"])
def test_an_unbalanced_glob_is_refused(pattern: str) -> None:
    with pytest.raises(QueryError, match="glob"):
        glob_expression(pattern)


def test_children_are_branches_and_leaves_at_the_depth_of_the_pattern() -> None:
    store = MemoryStore()
    store.create(["a.b", "a.b.c", "a.d.e", "x"], [Kind.GAUGE] * 4)
    assert store.catalog.children("a.*") == [Node("b", "a.b", True, True), Node("d", "a.d", False, True)]
    assert [node.path for node in store.catalog.children("*")] == ["a", "x"]


def test_tags_are_matched_by_value_and_by_expression() -> None:
    store = MemoryStore()
    names = ["cpu;dc=a;host=h1", "cpu;dc=b;host=h2", "mem"]
    store.create(names, [Kind.GAUGE] * 3)

    def found(*expressions: str) -> list[str]:
        return store.catalog.names(store.catalog.tagged(expressions))

    assert found("name=cpu") == names[:2]
    assert found("name=~c", "dc!=a") == names[1:2]
    assert found("host=~h[12]", "host!=~h1") == names[1:2]
    assert found("name=~.+", "dc=") == ["mem"]
    for wrong in ("dc", "dc!=a", "=a", "dc=~("):
        with pytest.raises(QueryError):
            found(wrong)


def test_names_are_searched_by_words_shortest_first() -> None:
    store = MemoryStore()
    store.create(["web.h1.cpu.user", "web.h1.cpu", "db.cpu"], [Kind.GAUGE] * 3)
    assert store.catalog.search("CPU h1", 5) == ["web.h1.cpu", "web.h1.cpu.user"]
    assert store.catalog.search("cpu", 1) == ["db.cpu"]
