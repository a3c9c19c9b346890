"""Folding agrees with its plain twin: the open slot, folding at once, and merging in any order and any grouping."""

import math
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference.fold import Key, Sample, Statistics, bound, bucket, slots_of, statistics_of
from tallystick.fold import OpenSlot, fold_batch
from tallystick.fold.histogram import bucket_column
from tallystick.kernels.fold import kinds_present, slot_ranges
from tallystick.kernels.histogram import SHIFT, percentile_of_cells
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally
from tallystick.store.accumulator import Accumulator

STEP_S = 10
FIRST = 170_000_000
SLOTS = 6
KINDS = [Kind.GAUGE, Kind.COUNTER, Kind.TIMING, Kind.TIMING, Kind.SET, Kind.CUMULATIVE]
WITHOUT_COMPILER = bool(os.environ.get("NUMBA_DISABLE_JIT"))
EXAMPLES = 15 if WITHOUT_COMPILER else 150

values = st.one_of(
    st.integers(-1000, 1000).map(float),
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, -0.0, 1e-12, 1e100, -1e100, 5e-324, 2.0, 1024.0]),
)


@st.composite
def sample_lists(draw: st.DrawFn, min_size: int = 1) -> list[Sample]:
    """Samples of several series of all kinds, in any order, many at the same moment."""
    found = []
    for series, at, value, weight in draw(
        st.lists(
            st.tuples(
                st.integers(0, len(KINDS) - 1),
                st.integers(0, SLOTS * 10 - 1),
                values,
                st.sampled_from([1.0, 1.0, 1.0, 10.0, 1 / 0.3]),
            ),
            min_size=min_size,
            max_size=60,
        )
    ):
        kind = KINDS[series]
        if kind == Kind.SET:
            value, weight = float(np.array([int(abs(value)) % 9 + 1]).view(np.float64)[0]), 1.0
        found.append(Sample(series, (FIRST * STEP_S + at) * 1000, value, weight, kind))
    return found


def batch_of(samples: list[Sample]) -> SampleBatch:
    return SampleBatch.of(
        [s.series for s in samples],
        [s.timestamp_ms for s in samples],
        [s.value for s in samples],
        weight=[s.weight for s in samples],
        kind=[s.kind for s in samples],
    )


def by_open_slots(samples: list[Sample], parts: int = 1) -> list[Tally]:
    found = []
    slot = OpenSlot(STEP_S, FIRST - 1, 1)
    for number in range(FIRST, FIRST + SLOTS):
        slot.begin(number)
        n = 0
        for part in np.array_split(np.arange(len(samples)), parts):
            batch = batch_of([samples[k] for k in part])
            if len(batch):
                n += slot.fold(batch, kinds_present(batch.kind)[0], len(KINDS))
        assert n == sum(s.timestamp_ms // (STEP_S * 1000) == number for s in samples)
        found += slot.tallies()
    return found


def agree(tallies: Iterable[Tally], samples: list[Sample]) -> None:
    """Each slot is in exactly one tally, with the statistics of its samples."""
    expected = {key: statistics_of(part) for key, part in slots_of(samples, STEP_S).items()}
    seen: set[Key] = set()
    for tally in tallies:
        order = list(zip(tally.series.tolist(), tally.slot.tolist(), strict=True))
        assert order == sorted(order)
        assert not seen & set(order)
        seen |= set(order)
        for row, key in enumerate(order):
            row_agrees(tally, row, expected[key], Kind(KINDS[key[0]]))
    assert seen == set(expected)


def row_agrees(tally: Tally, row: int, expected: Statistics, kind: Kind) -> None:
    if kind == Kind.SET:
        assert tally.last[row] == expected.members
        return
    assert tally.last[row] == expected.last
    spread = tally.full
    near(spread.count[row], expected.count, expected.count)
    near(spread.sum[row], expected.sum, scale(expected))
    near(spread.m2[row], expected.m2, scale(expected) * largest(expected))
    assert (spread.min[row], spread.max[row]) == (expected.min, expected.max)
    if tally.spread is None:
        assert expected.count == 1.0
    elif kind == Kind.TIMING:
        assert tally.histograms is not None
        begin, end = tally.histograms.offset[row : row + 2]
        buckets = tally.histograms.bucket[begin:end].tolist()
        assert buckets == sorted(expected.buckets)
        for number, weight in zip(buckets, tally.histograms.weight[begin:end].tolist(), strict=True):
            near(weight, expected.buckets[number], expected.count)


def largest(statistics: Statistics) -> float:
    return max(abs(statistics.min), abs(statistics.max))


def scale(statistics: Statistics) -> float:
    """What rounding errors are measured by."""
    return statistics.count * largest(statistics)


def near(a: float, b: float, size: float) -> None:
    assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12 * size + 1e-300), (a, b)


@given(sample_lists(), st.integers(1, 4))
@settings(max_examples=EXAMPLES, deadline=None)
def test_an_open_slot_keeps_the_statistics_of_its_samples(samples: list[Sample], parts: int):
    agree(by_open_slots(samples, parts), samples)


@given(sample_lists())
@settings(max_examples=EXAMPLES, deadline=None)
def test_folding_at_once_gives_the_statistics_of_all_slots(samples: list[Sample]):
    agree(fold_batch(batch_of(samples), STEP_S), samples)


@given(st.lists(st.integers(-5000, 50_000), max_size=60), st.integers(1, 5))
@settings(max_examples=EXAMPLES, deadline=None)
def test_ranges_of_slots_are_where_their_samples_are(times: list[int], step_s: int):
    step_ms = 1000 * step_s
    slots = [t // step_ms for t in times]
    low, count = min(slots, default=0), max(slots, default=0) - min(slots, default=0) + 1
    samples, begin, end = np.zeros(count, np.int64), np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    slot_ranges(np.array(times, np.int64), step_ms, low, samples, begin, end)
    for k in range(count):
        mine = [i for i, slot in enumerate(slots) if slot == low + k]
        expected = (len(mine), mine[0], mine[-1] + 1) if mine else (0, -1, -1)
        assert (samples[k], begin[k], end[k]) == expected


def test_folding_nothing_gives_nothing():
    slot = OpenSlot(STEP_S, FIRST, 0)
    assert slot.tallies() == []
    assert slot.peek(np.array([0, 5], np.int32)) == []
    assert len(slot) == 0


@given(sample_lists())
@settings(max_examples=EXAMPLES, deadline=None)
def test_peeking_at_some_series_shows_what_the_tallies_hold(samples: list[Sample]):
    numbers = [s for s in samples if s.kind != Kind.SET and s.timestamp_ms // (STEP_S * 1000) == FIRST]
    slot = OpenSlot(STEP_S, FIRST, 1)
    if numbers:
        batch = batch_of(numbers)
        slot.fold(batch, kinds_present(batch.kind)[0], len(KINDS))
    ids = np.array([1, 3, 99], np.int32)
    mine = [s for s in numbers if s.series in (1, 3)]
    expected = {key: statistics_of(part) for key, part in slots_of(mine, STEP_S).items()}
    found = {}
    for tally in slot.peek(ids):
        for row, position in enumerate(tally.series.tolist()):
            s = tally.full
            found[int(ids[position]), int(tally.slot[row])] = (tally.last[row], s.count[row], s.min[row], s.max[row])
    assert set(found) == set(expected)
    for key, (last, count, low, high) in found.items():
        assert (last, low, high) == (expected[key].last, expected[key].min, expected[key].max)
        near(count, expected[key].count, count)


def merged(groups: list[list[Sample]], step_s: int, *, open_slots: bool) -> Accumulator:
    """Each group folded by itself, and all merged into cells of a step."""
    ratio = step_s // STEP_S
    cells = Accumulator(len(KINDS), FIRST // ratio, SLOTS // ratio + 1, step_s, histograms=True)
    timing = np.array([kind == Kind.TIMING for kind in KINDS])
    for group in groups:
        if group:
            for tally in by_open_slots(group) if open_slots else fold_batch(batch_of(group), STEP_S):
                cells.add(tally, tally.series, timing)
    return cells


@given(
    sample_lists(), st.integers(1, 5), st.randoms(use_true_random=False), st.sampled_from([10, 20, 60]), st.booleans()
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_merging_in_any_order_and_grouping_gives_the_statistics_of_all(
    samples: list[Sample], n_groups: int, random: object, step_s: int, open_slots: bool
):
    order = samples[:]
    random.shuffle(order)
    groups: list[list[Sample]] = [[] for _ in range(n_groups)]
    for sample in order:
        groups[random.randrange(n_groups)].append(sample)
    cells = merged(groups, step_s, open_slots=open_slots)
    histograms = cells.merged_histograms()
    matrices = {s: cells.statistic(s) for s in Statistic if s is not Statistic.DEFAULT}
    expected = {key: statistics_of(part) for key, part in slots_of(samples, step_s).items()}
    ratio = step_s // STEP_S
    filled = {(int(r), int(c) + FIRST // ratio) for r, c in np.argwhere(~np.isnan(matrices[Statistic.LAST]))}
    assert filled == set(expected)
    for (series, slot), e in expected.items():
        cell = series, slot - FIRST // ratio
        if KINDS[series] == Kind.SET:
            assert matrices[Statistic.LAST][cell] == e.members
            continue
        near(matrices[Statistic.COUNT][cell], e.count, e.count)
        near(matrices[Statistic.SUM][cell], e.sum, scale(e))
        near(matrices[Statistic.AVG][cell], e.sum / e.count, largest(e))
        near(matrices[Statistic.SDEV][cell] ** 2 * e.count, e.m2, scale(e) * largest(e))
        assert (matrices[Statistic.MIN][cell], matrices[Statistic.MAX][cell]) == (e.min, e.max)
        if KINDS[series] == Kind.TIMING:
            k = cell[0] * cells.last.shape[1] + cell[1]
            begin, end = histograms.offset[k : k + 2]
            assert histograms.bucket[begin:end].tolist() == sorted(e.buckets)
            near(histograms.weight[begin:end].sum(), e.count, e.count)


@given(sample_lists(), st.sampled_from([10, 20, 60]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_last_value_is_the_latest_by_time_then_by_arrival(samples: list[Sample], step_s: int):
    cells = merged([samples], step_s, open_slots=True)
    for (series, slot), part in slots_of(samples, step_s).items():
        if KINDS[series] != Kind.SET:
            assert cells.last[series, slot - FIRST // (step_s // STEP_S)] == statistics_of(part).last


def number_of(value: float) -> int:
    return int(bucket_column(np.array([value]))[0])


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=4 * EXAMPLES, deadline=None)
@example(0.0)
@example(-0.0)
@example(5e-324)
@example(1.7976931348623157e308)
@example(2.2250738585072014e-308)
@example(1.0)
@example(-1.0)
def test_a_bucket_holds_the_values_between_its_bounds(value: float):
    number = number_of(value)
    if value == 0.0:
        assert number == 0
        return
    assert (number > 0) == (value > 0)
    index = abs(number) - SHIFT
    # The logarithm is rounded: a value within some units of the last place of a bound may be on its other side.
    assert bound(index) * (1 - 1e-13) <= abs(value) <= bound(index + 1) * (1 + 1e-13)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_powers_of_two_are_the_upper_bounds_of_their_buckets(sign: float):
    for exponent in range(-1074, 1024):
        assert number_of(sign * 2.0**exponent) == sign * (32 * exponent - 1 + SHIFT) == bucket(sign * 2.0**exponent)


@given(st.lists(st.floats(-1e9, 1e9) | st.integers(-5, 5).map(float), min_size=2, max_size=50))
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_order_of_buckets_is_the_order_of_values(many: list[float]):
    numbers = bucket_column(np.sort(np.array(many)))
    assert (np.diff(numbers) >= 0).all()


@given(
    st.lists(st.floats(1e-300, 1e300) | st.floats(-1e300, -1e-300) | st.just(0.0), min_size=1, max_size=60),
    st.floats(0.0, 1.0),
)
@settings(max_examples=2 * EXAMPLES, deadline=None)
@example([1e155], 0.5)
@example([1e-170], 0.5)
@example([1.7e308, -1.7e308], 1.0)
def test_percentiles_are_within_the_relative_error_of_the_histogram(many: list[float], rank: float):
    numbers, weights = np.unique(bucket_column(np.array(many)), return_counts=True)
    out = np.empty(1)
    percentile_of_cells(np.array([0, len(numbers)]), numbers, weights.astype(float), rank, out)
    exact = sorted(many)[max(0, math.ceil(rank * len(many)) - 1)]
    assert out[0] == pytest.approx(exact, rel=0.011, abs=0.0)


def test_an_empty_histogram_has_no_percentile():
    out = np.empty(1)
    percentile_of_cells(np.array([0, 0]), np.empty(0, np.int32), np.empty(0), 0.5, out)
    assert np.isnan(out[0])


def test_a_slot_with_many_buckets_makes_room_for_them():
    n = 30_000
    series = np.arange(n, dtype=np.int32) % 3
    value = np.exp(np.linspace(-50, 50, n))
    batch = SampleBatch.of(series, np.full(n, FIRST * STEP_S * 1000), value, kind=Kind.TIMING)
    slot = OpenSlot(STEP_S, FIRST, 3)
    slot.fold(batch, kinds_present(batch.kind)[0], 3)
    (tally,) = slot.tallies()
    assert tally.histograms is not None
    assert np.add.reduceat(tally.histograms.weight, tally.histograms.offset[:-1]).tolist() == [n / 3] * 3
    for k in range(3):
        begin, end = tally.histograms.offset[k : k + 2]
        assert tally.histograms.bucket[begin:end].tolist() == sorted({number_of(v) for v in value[k::3]})


def test_many_members_are_counted_within_the_error_of_the_sketch():
    n = 60_000
    random = np.random.default_rng(1)
    hashes = random.integers(1, 1 << 62, n // 2, dtype=np.int64)
    members = np.concatenate([hashes, hashes])
    batch = SampleBatch.of(np.zeros(n, np.int32), np.full(n, FIRST * STEP_S * 1000), members.view(float), kind=Kind.SET)
    slot = OpenSlot(STEP_S, FIRST, 1)
    slot.fold(batch, kinds_present(batch.kind)[0], 1)
    (tally,) = slot.tallies()
    (at_once,) = fold_batch(batch, STEP_S)
    assert tally.last[0] == at_once.last[0] == pytest.approx(n / 2, rel=0.06)


@pytest.mark.skipif(WITHOUT_COMPILER, reason="this is the run without the compiler")
@pytest.mark.timeout(300)
def test_everything_here_is_also_so_without_the_compiler():
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not many", str(Path(__file__))],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
