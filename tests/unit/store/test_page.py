"""Pages: what is written is read back to the same bits, coded or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tallystick.kernels.page import (
    CODED,
    HEADER_BYTES,
    HISTOGRAM,
    SKETCH,
    SLOT_LIST,
    SPREAD,
    page_bytes_max,
    write_raw_pages,
)
from tallystick.model.errors import DamageError
from tallystick.store.blocks.page import PageColumns, decode_page, encode_page

WIDTH = 720
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def slots(draw: st.DrawFn) -> NDArray[np.uint16]:
    """Ascending offsets within a window: every so many slots, or any."""
    if draw(st.booleans()):
        stride, n = draw(st.integers(1, 60)), draw(st.integers(1, 12))
        first = draw(st.integers(0, WIDTH - 1 - stride * (n - 1)))
        return (first + stride * np.arange(n)).astype(np.uint16)
    return np.array(sorted(draw(st.sets(st.integers(0, WIDTH - 1), min_size=1, max_size=40))), np.uint16)


def column(draw: st.DrawFn, n: int, values: st.SearchStrategy[float] = finite) -> NDArray[np.float64]:
    """Values of any kind, or one value throughout, or values as gauges have them."""
    shape = draw(st.integers(0, 2))
    if shape == 0:
        return np.full(n, draw(values))
    if shape == 1:
        return np.round(np.random.default_rng(draw(st.integers(0, 99))).normal(50, 10, n), 2)
    return np.array(draw(st.lists(values, min_size=n, max_size=n)))


@st.composite
def pages(draw: st.DrawFn) -> PageColumns:
    offset = draw(slots())
    n = len(offset)
    spread = np.stack([column(draw, n) for _ in range(5)]) if draw(st.booleans()) else None
    histogram = sketch = None
    if draw(st.booleans()):
        lengths = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), np.uint32)
        m = int(lengths.sum())
        bucket = np.array(draw(st.lists(st.integers(-80_000, 80_000), min_size=m, max_size=m)), np.int32)
        histogram = lengths, bucket, column(draw, m)
    if draw(st.booleans()):
        parts = draw(st.lists(st.binary(max_size=9), min_size=n, max_size=n))
        data = np.frombuffer(b"".join(parts), np.uint8)
        sketch = np.array([len(p) for p in parts], np.uint32), data
    return PageColumns(offset, column(draw, n), spread, histogram, sketch)


def same(found: PageColumns, expected: PageColumns) -> None:
    for name in PageColumns.__slots__:
        a, b = getattr(found, name), getattr(expected, name)
        assert (a is None) == (b is None), name
        for x, y in zip(a if isinstance(a, tuple) else [a], b if isinstance(b, tuple) else [b], strict=True):
            np.testing.assert_array_equal(x, y, err_msg=name)


@given(pages())
@settings(max_examples=300, deadline=None)
def test_a_coded_page_is_read_back(page: PageColumns):
    data = encode_page(page)
    assert len(data) % 8 == 0
    assert bool(data[0] & CODED)
    assert bool(data[0] & SPREAD) == (page.spread is not None)
    assert bool(data[0] & HISTOGRAM) == (page.histogram is not None)
    assert bool(data[0] & SKETCH) == (page.sketch is not None)
    same(decode_page(memoryview(data)), page)


@given(slots(), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_page_that_the_kernel_wrote_is_read_by_the_plain_reader(
    offset: NDArray[np.uint16], several: bool, data: st.DataObject
):
    n = len(offset)
    last = np.full((1, WIDTH), np.nan)
    cells = np.zeros((1, WIDTH, 5))
    last[0, offset] = [data.draw(finite) for _ in range(n)] if n < 8 else np.arange(n)
    cells[0, offset] = data.draw(st.sampled_from([[3.0, 1.5, 0.5, -1.0, 9.0], [1.0, 2.0, 0.0, 2.0, 2.0]]))
    cells[0, offset, 0] = np.arange(2, n + 2) if several else 1.0
    skip = np.zeros(1, np.bool_)
    room = np.full(page_bytes_max(cells, skip), 0xAA, np.uint8)
    size = np.zeros(1, np.int64)
    used = write_raw_pages(last, cells, 0, skip, room, size)
    assert used == size[0] <= len(room)
    assert used % 8 == 0
    expected = PageColumns(offset, last[0, offset], cells[0, offset].T if several else None)
    page = room[:used].tobytes()
    same(decode_page(memoryview(page)), expected)
    regular = len(set(np.diff(offset.astype(int)))) < 2
    assert bool(page[0] & SLOT_LIST) == (not regular)


def test_the_kernel_writes_rows_that_have_slots_and_are_not_skipped():
    last, cells = np.zeros((4, 6)), np.zeros((4, 6, 5))
    cells[[0, 2, 3], 1] = 1.0
    skip = np.array([False, False, True, False])
    room, size = np.empty(page_bytes_max(cells, skip), np.uint8), np.zeros(4, np.int64)
    used = write_raw_pages(last, cells, 7, skip, room, size)
    assert (size > 0).tolist() == [True, False, False, True]
    assert used == size.sum()
    assert decode_page(memoryview(room[: size[0]].tobytes())).offset.tolist() == [8]


def test_a_codec_that_nobody_knows_is_an_error_that_names_it():
    data = bytearray(encode_page(PageColumns(np.array([3], np.uint16), np.array([1.0]))))
    data[HEADER_BYTES] = 9
    with pytest.raises(DamageError, match="cannot read column coded as 9"):
        decode_page(memoryview(bytes(data)))
