"""What is done for series of few slots gives what is done for those of many: merging, making pages, keeping a head."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tallystick.files import bytes_of
from tallystick.fold import fold_batch
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Tally
from tallystick.store.accumulator import Accumulator
from tallystick.store.blocks.block_writer import Pages, pages_of
from tallystick.store.blocks.page import PageColumns, decode_page
from tallystick.store.blocks.row_pages import pages_of_rows
from tallystick.store.blocks.scattered import merged_rows
from tallystick.store.head import gathering
from tallystick.store.head.gathering import FinishedSlots

KINDS = np.array([Kind.GAUGE, Kind.COUNTER, Kind.TIMING, Kind.TIMING, Kind.SET], np.uint8)
IDS = np.array([3, 5, 8, 900, 1001], np.int32)
TIMING = KINDS == Kind.TIMING
FIRST, WIDTH = 1000, 24
SAMPLES = st.lists(
    st.tuples(
        st.integers(0, len(KINDS) - 1),
        st.integers(FIRST * 10 - 50, (FIRST + WIDTH) * 10 + 50),  # some lie outside
        st.integers(-20, 20).map(lambda k: k / 8),
        st.sampled_from([1.0, 1.0, 10.0]),
    ),
    min_size=1,
    max_size=40,
)


def tallies_of(batches: Sequence[list[tuple[int, int, float, float]]], steps: Sequence[int]) -> list[Tally]:
    """Each batch folded into slots of a step; ``series`` are positions in `IDS`."""
    found: list[Tally] = []
    for drawn, step_s in zip(batches, steps, strict=True):
        ids = np.array([series for series, *_ in drawn], np.int32)
        times = np.array([second * 1000 for _, second, _, _ in drawn], np.int64)
        value, weight = (np.array([row[k] for row in drawn]) for k in (2, 3))
        weight[~TIMING[ids]] = 1.0
        found += fold_batch(SampleBatch(ids, times, value, weight, KINDS[ids]), step_s)
    return found


def assert_same_tally(one: Tally, other: Tally) -> None:
    columns = [(one.series, other.series), (one.slot, other.slot), (one.last, other.last)]
    columns += [(getattr(one.full, name), getattr(other.full, name)) for name in ("count", "sum", "m2", "min", "max")]
    for name in ("histograms", "sketches"):
        a, b = getattr(one, name), getattr(other, name)
        if a is None:
            assert b is None or not b.offset[-1]
        else:
            columns += [(getattr(a, column), getattr(b, column)) for column in a.__slots__]
    for a, b in columns:
        np.testing.assert_array_equal(a, b)


def decoded(pages: Pages) -> dict[int, PageColumns]:
    data, ends = memoryview(bytes(bytes_of(pages.data))), np.cumsum(pages.size)
    assert not np.any(pages.size % 8)
    assert pages.size.sum() == len(data)
    return {
        series: decode_page(data[end - size : end])
        for series, size, end in zip(pages.series.tolist(), pages.size.tolist(), ends.tolist(), strict=True)
    }


def assert_same_pages(one: Pages, other: Pages) -> None:
    ours, theirs = decoded(one), decoded(other)
    assert ours.keys() == theirs.keys()
    for series in ours:
        for name in PageColumns.__slots__:
            a, b = getattr(ours[series], name), getattr(theirs[series], name)
            assert (a is None) == (b is None), name
            for x, y in zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]:
                np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("step_s", [10, 20, 30])
@given(st.lists(st.tuples(SAMPLES, st.sampled_from([1, 10, 20])), max_size=5), st.booleans())
@settings(deadline=None, max_examples=60)
def test_rows_merge_as_they_do_in_a_matrix(
    step_s: int, drawn: list[tuple[list[tuple[int, int, float, float]], int]], compress: bool
):
    tallies = tallies_of([samples for samples, _ in drawn], [step for _, step in drawn])
    first, width = FIRST * 10 // step_s, WIDTH * 10 // step_s
    matrix = Accumulator(len(IDS), first, width, step_s, histograms=True)
    for tally in tallies:
        matrix.add(tally, tally.series, TIMING)
    rows = merged_rows(tallies, IDS, TIMING, first, width, step_s)
    pages = pages_of_rows(rows, first, compress=compress)
    assert_same_pages(pages, pages_of(matrix, IDS, first, compress=compress))
    expected = matrix.tally()
    assert_same_tally(rows, expected.take(np.arange(len(expected)), IDS[expected.series]))


def slot_tally(slot: int, series: NDArray[np.int32], arrival: int, *, full: bool) -> Tally:
    last = np.arange(len(series)) + 1000.0 * arrival
    tally = Tally(10, series, np.broadcast_to(np.int64(slot), len(series)), last)
    return Tally(10, series, tally.slot, last, tally.full) if full else tally


@given(st.lists(st.tuples(st.integers(0, 5), st.sets(st.integers(0, 9), min_size=1), st.integers(0, 10)), max_size=30))
@settings(deadline=None)
def test_of_gathered_pieces_of_a_slot_the_last_stays_last(drawn: list[tuple[int, set[int], int]]):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "FEW_ROWS", 4)  # larger ones are kept as they are
        finished, expected, n = FinishedSlots(), {}, 0
        for arrival, (slot, chosen, cut) in enumerate(drawn):
            series = np.array(sorted(chosen), np.int32)
            parts = [(series[series < cut], False), (series[series >= cut], True)]
            finished.add([slot_tally(slot, part, arrival, full=full) for part, full in parts if len(part)])
            for part, _ in parts:
                values = (np.arange(len(part)) + 1000.0 * arrival).tolist()
                expected |= {(one, slot): value for one, value in zip(part.tolist(), values, strict=True)}
            n += len(series)
        assert len(finished) == n
        found: dict[tuple[int, int], float] = {}
        for tally in finished.tallies():
            assert (np.diff(tally.series.astype(np.int64) * 100 + tally.slot) >= 0).all()
            keys = zip(tally.series.tolist(), tally.slot.tolist(), strict=True)
            found |= dict(zip(keys, tally.last.tolist(), strict=True))
        assert found == expected
        assert sum(map(len, finished.tallies())) == n


def test_slots_of_few_rows_are_gathered_into_few_tallies():
    finished = FinishedSlots()
    for slot in range(1000):
        finished.add([slot_tally(slot, np.array([slot % 7, 7 + slot % 3], np.int32), slot, full=False)])
    assert len(finished.tallies()) <= 11
    assert len(finished) == 2000
