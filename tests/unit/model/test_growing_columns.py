"""Columns that grow with the numbers that are given out."""

import numpy as np

from tallystick.model.columns import grown


def test_a_column_that_has_room_stays_the_same() -> None:
    column = np.arange(4)
    assert grown(column, 4) is column
    assert grown(column, 0) is column


def test_new_rows_are_filled_and_old_ones_kept() -> None:
    column = grown(np.array([1.0, 2.0]), 3, np.nan)
    assert column[:2].tolist() == [1.0, 2.0]
    assert np.isnan(column[2:]).all()
    assert len(column) == 4, "it is twice as long at least"


def test_an_empty_column_and_one_of_several_values_a_row_grow_as_well() -> None:
    assert grown(np.empty(0, np.int16), 5, -1).tolist() == [-1] * 5
    wide = grown(np.ones((2, 3), np.int64), 9)
    assert wide.shape == (9, 3)
    assert wide.dtype == np.int64
    assert (wide.sum(), wide[:2].sum()) == (6, 6)
