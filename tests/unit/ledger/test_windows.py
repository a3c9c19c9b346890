"""Windows in memory: what happened when, and the sum of all that was ever counted."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.ledger.terms import COLUMNS, RECEIVED
from tallystick.ledger.windows import Windows

postings = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 200), st.integers(1, 9)), max_size=60)


@given(postings)
def test_every_window_and_the_sum_of_all_hold_what_was_counted(posted: list[tuple[int, int, int]]):
    windows = Windows(windows_max=40)
    expected: Counter[tuple[int, int]] = Counter()
    for number, cell, count in posted:
        windows.grow(cell + 1)
        windows.counting(number)[cell, RECEIVED] += count
        expected[number, cell] += count
    windows.grow(201)
    total = windows.total(201)
    assert total[:, RECEIVED].sum() == sum(expected.values())
    for number in windows.numbers():
        counts = windows.window(number, 201)
        assert {(number, c): counts[c, RECEIVED] for c in np.flatnonzero(counts[:, RECEIVED]).tolist()} == {
            key: count for key, count in expected.items() if key[0] == number
        }
    some = np.array([3, 5, 200])
    assert (windows.total_of(some) == total[some]).all()


@given(postings)
def test_memory_is_bounded_and_what_left_it_is_in_the_sum(posted: list[tuple[int, int, int]]):
    windows = Windows(windows_max=5)
    windows.grow(201)
    for number, cell, count in posted:
        windows.counting(number)[cell, RECEIVED] += count
    assert len(windows.numbers()) <= 5 + 4
    assert windows.total(201)[:, RECEIVED].sum() == sum(count for _, _, count in posted)


def test_a_window_that_is_not_in_memory_is_empty():
    assert Windows().window(7, 3).shape == (3, COLUMNS)
