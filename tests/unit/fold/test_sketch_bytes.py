"""Bytes that pass for sketches can be read and merged; all of ours pass."""

from functools import cache

import datasketches
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.fold.sketch import merge_sketches, sketch_members
from tallystick.fold.sketch_bytes import is_sketch


@cache
def sketch(members: int, seed: int = 0) -> bytes:
    return sketch_members(np.random.default_rng(seed).integers(1 << 62, size=members))[0]


@pytest.mark.parametrize("members", [0, 1, 7, 8, 9, 30, 100, 300, 383, 384, 385, 5000, 100_000])
def test_what_we_make_is_a_sketch_and_so_is_what_we_merge(members: int):
    assert is_sketch(sketch(members))
    for other in (0, 5, 200, 50_000):
        assert is_sketch(merge_sketches([sketch(members), sketch(other, seed=1)])[0])


@given(
    st.sampled_from([0, 3, 8, 40, 390, 50_000]),
    st.lists(st.tuples(st.integers(0, 47), st.integers(0, 255)), max_size=4),
    st.lists(st.tuples(st.integers(0, 2100), st.integers(0, 255)), max_size=2),
    st.integers(-9, 9),
)
@settings(deadline=None)
def test_what_passes_after_bytes_were_changed_can_be_merged(
    members: int, front: list[tuple[int, int]], anywhere: list[tuple[int, int]], more: int
):
    changed = bytearray(sketch(members))
    for place, byte in (*front, *anywhere):
        if place < len(changed):
            changed[place] = byte
    changed = changed[:more] if more < 0 else changed + bytes(more)
    if is_sketch(bytes(changed)):
        merged, found = merge_sketches([bytes(changed), sketch(10, seed=2), sketch(2000, seed=3)])
        assert is_sketch(merged)
        assert 0 <= found < 1e19


def test_bytes_of_another_size_or_kind_of_sketch_are_none():
    large = datasketches.hll_sketch(14, datasketches.tgt_hll_type.HLL_4)
    other = datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_8)
    for one in (large, other):
        one.update(1)
        assert not is_sketch(one.serialize_compact())
    assert not is_sketch(b"")
    assert not is_sketch(b"garbage" * 3)
    assert not is_sketch(other.serialize_updatable())
