"""The names that StatsD makes are found as if they were stored, and what is found is what is evaluated."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.name import tags_of
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, Request
from tallystick.query.statsd_names import Bins, Marks, Naming, StatsdView
from tallystick.query.statsd_names.catalog import NamesCatalog
from tallystick.store.memory import MemoryStore
from tallystick.store.memory_catalog import MemoryCatalog
from tallystick.store.names.catalog import SeriesCatalog

NOW_S = 1_700_000_000

WORDS = st.sampled_from(["a", "b", "stats", "timers", "count", "upper", "gauges"])
TAGS = st.sampled_from(["", "", ";h=x", ";h=y;k=b"])
NAMES = st.builds(lambda words, tags: ".".join(words) + tags, st.lists(WORDS, min_size=1, max_size=3), TAGS)
KINDS = st.sampled_from([Kind.GAUGE, Kind.COUNTER, Kind.TIMING, Kind.SET, Kind.CUMULATIVE])
NAMINGS = st.sampled_from(
    [
        Naming(idle_s=60),
        Naming(histogram=(Bins("b", (1.0, float("inf"))), Bins("", (0.5,))), idle_s=60),
        Naming(legacy_namespace=False, percent_threshold=(99.9, -10), idle_s=60),
        Naming(
            legacy_namespace=False,
            global_prefix="",
            prefix_gauge="",
            prefix_timer="a.t",
            global_suffix="end.x",
            idle_s=60,
        ),
        Naming(flush_counts=False, calculated_timer_metrics=("count", "upper_percent"), idle_s=60),
    ]
)
GLOBS = st.sampled_from(["*", "?", "a", "b", "[ab]", "{a,b}", "count", "*p*", "upper_90", "histogram"]) | WORDS
ENDS = st.sampled_from(["", "", "", ";h=x", ";*", "*", ";{h=x,h=y;k=b}"])


@st.composite
def patterns(draw: st.DrawFn) -> str:
    first = draw(st.sampled_from(["stats", "stats_counts", "s*", "{stats,a}", "counters", "a", "sets", "timers"]))
    return ".".join([first, *draw(st.lists(GLOBS, max_size=5))]) + draw(ENDS)


def filled(names: dict[str, Kind], marked: set[str]) -> tuple[MemoryStore, Marks]:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    ids = store.create(list(names), list(names.values()))
    store.append(
        SampleBatch.of(ids, [NOW_S * 1000] * len(ids), [1.0] * len(ids), kind=[int(k) for k in names.values()])
    )
    marks = Marks(store)
    chosen = [i for i, name in zip(ids.tolist(), names, strict=True) if name in marked]
    marks.note(np.array(chosen, np.int32))
    return store, marks


def every_name(names: dict[str, Kind], marked: set[str], naming: Naming) -> set[str]:
    """All names there are, made the plain way."""
    found = set(names)
    for form in naming.forms():
        for name in marked:
            if names[name] != form.kind:
                continue
            number = getattr(form.value, "histogram", None)
            first = next((i for i, one in enumerate(naming.histogram) if one.metric in name), -1)
            if number in (None, first):
                found.add(form.name_of(name))
    return found


@given(names=st.dictionaries(NAMES, KINDS, min_size=1, max_size=6), naming=NAMINGS, data=st.data())
def test_finding_is_as_if_the_names_made_were_stored(
    names: dict[str, Kind], naming: Naming, data: st.DataObject
) -> None:
    marked = data.draw(st.sets(st.sampled_from(sorted(names))))
    store, marks = filled(names, marked)
    every = every_name(names, marked, naming)
    plain = MemoryCatalog({i: (name, Kind.GAUGE) for i, name in enumerate(sorted(every))})
    view = StatsdView(store, marks, naming, ManualClock(float(NOW_S)))
    columns = SeriesCatalog()
    columns.create(list(names), list(names.values()))
    for _ in range(3):
        pattern = data.draw(patterns())
        catalog = view.catalog
        other = NamesCatalog(columns, marks, naming.forms(), naming.histogram)
        assert catalog.names(catalog.find(pattern)) == other.names(other.find(pattern)), pattern
        assert catalog.children(pattern) == other.children(pattern), pattern
        found = catalog.names(catalog.find(pattern))
        assert found == plain.names(plain.find(pattern)), pattern
        assert catalog.children(pattern) == plain.children(pattern), pattern
        for leaves_only in (False, True):
            assert catalog.paths(pattern, leaves_only=leaves_only) == plain.paths(pattern, leaves_only=leaves_only)
        request = Request(NOW_S - 20, NOW_S, NOW_S)
        grids = Evaluator(view, ManualClock(0.0)).evaluate([pattern], request)
        assert [row.name for grid in grids for row in grid.rows] == found, pattern
    assert {node.name for node in view.catalog.children("*")} == {node.name for node in plain.children("*")}


@given(names=st.dictionaries(NAMES, KINDS, min_size=1, max_size=6), naming=NAMINGS, data=st.data())
def test_a_name_made_is_found_by_its_name_and_tags(names: dict[str, Kind], naming: Naming, data: st.DataObject) -> None:
    store, marks = filled(names, set(names))
    catalog = StatsdView(store, marks, naming, ManualClock(float(NOW_S))).catalog
    name = data.draw(st.sampled_from(sorted(every_name(names, set(names), naming))))
    path, *tags = name.split(";")
    found = catalog.tagged([f"name={path}", *tags])
    assert name in catalog.names(found)
    shown = [tags_of(one) for one in catalog.names(catalog.tagged([f"name={path}", *tags], by_name=False))]
    assert catalog.tag_keys(found) == sorted(set().union(*shown))
    for key in catalog.tag_keys(found):
        assert catalog.tag_values(key, found) == Counter(one[key] for one in shown if key in one)


@given(names=st.dictionaries(NAMES, KINDS, min_size=1, max_size=8), data=st.data())
def test_nodes_among_some_series_are_those_of_a_catalog_of_these(names: dict[str, Kind], data: st.DataObject) -> None:
    catalog = SeriesCatalog()
    ids = catalog.create(list(names), list(names.values()))
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names))))
    kept = {i: (name, Kind.GAUGE) for i, name, has in zip(ids.tolist(), names, chosen.tolist(), strict=True) if has}
    pattern = ".".join(data.draw(st.lists(GLOBS, min_size=1, max_size=4)))
    among = np.zeros(int(ids.max()) + 1, np.bool_)
    among[ids[chosen]] = True
    assert catalog.children(pattern, among) == MemoryCatalog(kept).children(pattern)


def test_a_pattern_that_begins_with_a_wildcard_means_stored_names_only() -> None:
    store, marks = filled({"requests": Kind.COUNTER, "app.requests": Kind.COUNTER}, {"requests", "app.requests"})
    catalog = StatsdView(store, marks, Naming(), ManualClock(float(NOW_S))).catalog
    assert catalog.names(catalog.find("*.requests")) == ["app.requests"]
    assert catalog.names(catalog.find("stats*.requests")) == ["stats.requests", "stats_counts.requests"]
    assert [node.name for node in catalog.children("*")] == ["app", "requests", "stats", "stats_counts"]


def test_more_names_than_an_id_can_tell_are_refused() -> None:
    with pytest.raises(ValueError, match="expected fewer percentiles"):
        Naming(percent_threshold=tuple(float(p) for p in range(1, 12))).forms()
