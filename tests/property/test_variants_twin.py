"""The table of variants against a dictionary."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.kernels.variants import FREE, add_variants, find_variants

pairs = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 50)), max_size=120)
"""Sorts of senders, and entries."""


@given(known=pairs, asked=pairs)
def test_a_table_of_variants_is_a_dictionary(known: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    twin = {pair: number for number, pair in enumerate(dict.fromkeys(known))}
    keys, values = np.full(256, FREE, np.int64), np.zeros(256, np.int32)
    added = np.array([sort << 32 | entry for sort, entry in twin], np.int64)
    add_variants(added, np.array(list(twin.values()), np.int32), keys, values)
    ids = np.array([entry for _, entry in asked], np.int32)
    sorts = np.array([sort for sort, _ in asked], np.int32)
    out = np.empty(len(asked), np.int32)
    missing = find_variants(ids, sorts, keys, values, out)
    expected = [twin.get(pair, -1) for pair in asked]
    assert out.tolist() == expected
    assert missing == expected.count(-1)
