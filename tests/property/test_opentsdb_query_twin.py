"""OpenTSDB's queries on arrays, and the same ones point by point: they agree."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reference import opentsdb_query as plain
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import QueryLimits
from tallystick.query.opentsdb import (
    AGGREGATORS,
    Question,
    Rate,
    SubQuery,
    answer,
    find_aggregator,
    parse_downsampling,
    tag_filter,
)
from tallystick.query.session import Session
from tallystick.store.memory import MemoryStore

BEGIN_S = 1_356_998_400
HOURS = 2
NOW_S = BEGIN_S + HOURS * 3600

slots = st.integers(0, HOURS * 360 - 1)
values = st.integers(-200, 200).map(lambda k: k / 4)
points = st.dictionaries(slots, values, max_size=25).map(
    lambda d: [(BEGIN_S + 10 * k, v) for k, v in sorted(d.items())]
)
hosts = st.sampled_from(["web01", "web02"])
several = st.lists(st.tuples(hosts, points), min_size=1, max_size=5).map(
    lambda every: [plain.Series({"host": host, "k": str(k)}, found) for k, (host, found) in enumerate(every)]
)


@st.composite
def questions(draw: st.DrawFn) -> plain.Asked:
    start_s = BEGIN_S + draw(st.integers(0, HOURS * 3600 - 1))
    interval_s = draw(st.sampled_from([None, 0, 10, 30, 60, 70, 420, 900, 3600]))
    return plain.Asked(
        start_s,
        draw(st.integers(start_s, NOW_S - 1)),
        draw(st.sampled_from(sorted(AGGREGATORS))),
        interval_s,
        draw(st.sampled_from(sorted(set(AGGREGATORS) - {"none"}))),
        draw(st.sampled_from(["none", "nan", "null", "zero"])) if interval_s else "none",
        rate=draw(st.booleans()),
        counter=draw(st.booleans()),
        counter_max=draw(st.sampled_from([float(2**63 - 1), 100.0])),
        reset_value=draw(st.sampled_from([0.0, 1.0])),
        drop_resets=draw(st.booleans()),
        group_by=draw(st.sampled_from([(), ("host",)])),
    )


some_values = st.one_of(values, st.just(float("nan")))


@given(st.lists(st.lists(st.tuples(some_values, st.booleans()), min_size=4, max_size=4), min_size=1, max_size=6))
def test_each_aggregator_is_the_plain_one_of_the_values_that_count(columns: list[list[tuple[float, bool]]]) -> None:
    table = np.array([[value for value, _ in column] for column in columns])
    counts = np.array([[there for _, there in column] for column in columns])
    for name, aggregator in AGGREGATORS.items():
        with np.errstate(invalid="ignore"):
            found = aggregator.reduce(table, counts, 1)
        for k, column in enumerate(columns):
            members = [value for value, counted in column if counted]
            if members:
                np.testing.assert_allclose(found[k], plain.reduce(name, members), rtol=1e-12, atol=1e-12, err_msg=name)


def stored(every: list[plain.Series], *, samples_a_slot: int = 1) -> MemoryStore:
    """A store with the series; a slot's value may be that of several samples."""
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    for one in every:
        tags = "".join(f";{key}={value}" for key, value in sorted(one.tags.items()))
        series = store.create([f"m{tags}"], [Kind.GAUGE])
        for at, value in one.points:
            times = [1000 * at + 10 * i for i in range(samples_a_slot)]
            store.append(
                SampleBatch.of(np.repeat(series, samples_a_slot), times, [value + i for i in range(samples_a_slot)])
            )
    return store


def asked_of(store: MemoryStore, asked: plain.Asked) -> list[tuple[tuple[str, ...], list[plain.Point]]]:
    down = None
    if asked.interval_s is not None:
        interval = f"{asked.interval_s}s" if asked.interval_s else "0all"
        down = parse_downsampling(f"{interval}-{asked.function}-{asked.fill}")
    rate = Rate(asked.counter, asked.counter_max, asked.reset_value, asked.drop_resets) if asked.rate else None
    filters = tuple(tag_filter(key, "*", group_by=True) for key in asked.group_by)
    query = SubQuery("m", find_aggregator(asked.aggregator), filters, down, rate)
    clock = ManualClock(float(NOW_S))
    found = answer(
        Session(store, clock, QueryLimits(), 0.0), Question(1000 * asked.start_s, 1000 * asked.end_s, (query,))
    )
    return [
        (
            (one.names[0].rpartition("=")[2],)
            if asked.aggregator == "none"
            else tuple(one.tags[key] for key in asked.group_by),
            list(zip((one.times_ms // 1000).tolist(), one.values.tolist(), strict=True)),
        )
        for one in found
    ]


def assert_same(found: object, expected: list[tuple[tuple[str, ...], list[plain.Point]]]) -> None:
    found = sorted(found)
    expected = sorted(expected)
    assert [key for key, _ in found] == [key for key, _ in expected]
    for (_, mine), (_, theirs) in zip(found, expected, strict=True):
        assert [at for at, _ in mine] == [at for at, _ in theirs]
        np.testing.assert_allclose([v for _, v in mine], [v for _, v in theirs], rtol=1e-9, atol=1e-7)


@given(several, questions())
def test_queries_on_arrays_agree_with_those_point_by_point(every: list[plain.Series], asked: plain.Asked) -> None:
    every = sorted(every, key=lambda one: (one.tags["host"], one.tags["k"]))
    assert_same(asked_of(stored(every), asked), plain.answer(every, asked))


@given(several, questions(), st.sampled_from(["sum", "avg", "min", "max", "count", "dev", "last"]))
def test_buckets_are_made_of_all_samples_where_slots_hold_several(
    every: list[plain.Series], asked: plain.Asked, function: str
) -> None:
    every = sorted(every, key=lambda one: (one.tags["host"], one.tags["k"]))
    asked = plain.Asked(asked.start_s, asked.end_s, asked.aggregator, 60, function, asked.fill, group_by=asked.group_by)
    samples = [plain.Series(one.tags, [(at, value + i) for at, value in one.points for i in range(3)]) for one in every]
    assert_same(asked_of(stored(every, samples_a_slot=3), asked), plain.answer(samples, asked))
