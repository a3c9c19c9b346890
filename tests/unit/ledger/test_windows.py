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


@given(postings, st.lists(st.tuples(st.integers(0, 100), st.integers(101, 200)), max_size=8))
def test_what_moves_to_other_cells_is_as_if_it_had_always_been_there(
    posted: list[tuple[int, int, int]], moves: list[tuple[int, int]]
):
    into = dict(moves)
    there, moved = Windows(windows_max=5), Windows(windows_max=5)
    for windows in (there, moved):
        windows.grow(201)
        for number, cell, count in posted:
            windows.counting(number)[into.get(cell, cell) if windows is there else cell, RECEIVED] += count
    moved.move(np.array(list(into), np.int32), np.array(list(into.values()), np.int32))
    assert (moved.total(201) == there.total(201)).all()
    assert (moved.last_counted(201) == there.last_counted(201)).all()
    assert moved.numbers() == there.numbers()
    for number in there.numbers():
        assert (moved.window(number, 201) == there.window(number, 201)).all()


def test_a_window_that_is_not_in_memory_is_empty():
    assert Windows().window(7, 3).shape == (3, COLUMNS)
