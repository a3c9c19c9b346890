"""Kernels that fill or sum up matrices do what NumPy does, only faster."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from tallystick.kernels.accumulate import write_columns
from tallystick.kernels.page import last_into
from tallystick.kernels.reduce import add_rows, count_rows
from tallystick.model.tally import Tally
from tallystick.store.blocks.page import PageColumns, copy_last, encode_page
from tallystick.store.head.head import write_last

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12)
CELLS = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6))


@given(arrays.arrays(np.float64, SHAPES, elements=CELLS))
@settings(deadline=None)
def test_known_values_are_summed_and_counted_in_each_column(values: NDArray[np.float64]):
    total, known, counted = (np.zeros(values.shape[1], dtype) for dtype in (np.float64, np.int64, np.int64))
    add_rows(values, total, known)
    count_rows(values, counted)
    expected = np.count_nonzero(~np.isnan(values), axis=0)
    assert known.tolist() == counted.tolist() == expected.tolist()
    np.testing.assert_allclose(total, np.nansum(values, axis=0), rtol=1e-9, atol=1e-6)


@given(st.data(), st.integers(1, 6), st.integers(1, 6))
@settings(deadline=None)
def test_columns_are_written_in_their_order(data: st.DataObject, n_rows: int, width: int):
    row = np.array(sorted(data.draw(st.sets(st.integers(0, n_rows - 1)))), np.int64)
    column = np.array(data.draw(st.lists(st.integers(0, width - 1), max_size=8)), np.int64)
    rows = np.random.default_rng(0).random((len(column), len(row)))
    values, twin = np.full((n_rows, width), np.nan), np.full((n_rows, width), np.nan)
    write_columns(rows, row, column, values)
    for k, one in enumerate(column.tolist()):
        twin[row, one] = rows[k]
    np.testing.assert_array_equal(values, twin)


SERIES = st.sets(st.integers(0, 7), min_size=1).map(lambda ids: np.array(sorted(ids), np.int32))


@given(st.data(), st.lists(SERIES, min_size=1, max_size=3), SERIES, st.integers(-3, 8))
@settings(deadline=None)
def test_of_finished_slots_the_last_assignment_stays(
    data: st.DataObject, columns: list[NDArray[np.int32]], ids: NDArray[np.int32], first: int
):
    tallies, twin = [], np.full((len(ids), 5), np.nan)
    for number in range(data.draw(st.integers(0, 12))):
        series = data.draw(st.sampled_from(columns))
        if data.draw(st.booleans()):
            slot = np.broadcast_to(np.array(data.draw(st.integers(0, 6)), np.int64), len(series))
        else:
            slot = np.array(data.draw(st.lists(st.integers(0, 6), min_size=len(series), max_size=len(series))))
        last = np.arange(len(series)) + 10.0 * number
        tallies.append(Tally(10, series, slot, last))
        for one, column, value in zip(series.tolist(), (slot - first).tolist(), last.tolist(), strict=True):
            if one in ids and 0 <= column < 5:
                twin[ids.tolist().index(one), column] = value
    values = np.full((len(ids), 5), np.nan)
    write_last(tallies, ids, first, values)
    np.testing.assert_array_equal(values, twin)


@given(st.sets(st.integers(0, 40), min_size=1), st.integers(-45, 25), st.integers(1, 20))
@settings(deadline=None)
def test_a_page_is_copied_into_the_cells_of_its_slots(slots: set[int], shift: int, width: int):
    offset = np.array(sorted(slots), np.uint16)
    last = np.random.default_rng(len(slots)).random(len(offset))
    page = encode_page(PageColumns(offset, last))
    twin = np.full(width, np.nan)
    for column, value in zip((offset.astype(int) + shift).tolist(), last.tolist(), strict=True):
        if 0 <= column < width:
            twin[column] = value
    one = np.full(width, np.nan)
    copy_last(memoryview(page), shift, one)
    np.testing.assert_array_equal(one, twin)
    many = np.full((2, width), np.nan)
    nothing, first = np.zeros(1, np.int64), np.array([1], np.int32)
    last_into(np.frombuffer(page, np.uint8), nothing, nothing, last, first, shift, many)
    np.testing.assert_array_equal(many[1], twin)
    assert np.isnan(many[0]).all()
