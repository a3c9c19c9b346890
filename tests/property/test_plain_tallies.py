"""Tallies made in plain Python are those that the server makes: to the bit, and sketches in what they count."""

import struct
from collections import Counter
from functools import cache

import datasketches
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.hashing import folded_hash
from tallystick.fold.histogram import bucket_column
from tallystick.fold.sketch import merge_sketches, sketch_members
from tallystick.fold.sketch_bytes import is_sketch
from tallystick.kernels.accumulate import merge_cell
from tallystick.kernels.fold import COUNT, M2, MAX, MIN, SUM, add_weighted, start_spread
from tallystick.kernels.hashing import MEMBER_KEY
from tallystick.kernels.histogram import buckets_of
from tallystick.native.accumulate import BUCKETS_MAX, Distinct, Histogram, Spread, bucket_of, count_buckets
from tallystick.native.distinct import COUPONS_MAX, coupon_of, hash_of_member

values = st.floats(-1e9, 1e9)
weights = st.sampled_from([1.0, 1.0, 2.0, 10.0, 1 / 0.3])
samples = st.lists(st.tuples(values, weights), min_size=1, max_size=20)


def spread_of(drawn: list[tuple[float, float]]) -> Spread:
    spread = Spread()
    for value, weight in drawn:
        spread.add(value, weight)
    return spread


def folded(drawn: list[tuple[float, float]]) -> np.ndarray:
    row = np.zeros(8)
    for place, (value, weight) in enumerate(drawn):
        (add_weighted if place else start_spread)(row, value, weight)
    return row


def columns(spread: Spread) -> list[float]:
    return [spread.count, spread.sum, spread.m2, spread.min, spread.max]


@given(samples)
def test_a_spread_is_that_of_the_kernel(drawn: list[tuple[float, float]]) -> None:
    kernel = folded(drawn)
    spread = spread_of(drawn)
    assert columns(spread) == [kernel[k] for k in (COUNT, SUM, M2, MIN, MAX)]
    assert spread.last == drawn[-1][0]


@given(st.lists(samples, min_size=1, max_size=5))
def test_spreads_merge_as_in_the_kernel(parts: list[list[tuple[float, float]]]) -> None:
    cell = np.zeros(5)
    merged = Spread()
    for drawn in parts:
        part = folded(drawn)
        merge_cell(cell, *(float(part[k]) for k in (COUNT, SUM, M2, MIN, MAX)))
        spread = spread_of(drawn)
        merged.merge(*columns(spread), spread.last)
    assert columns(merged) == cell.tolist()
    assert merged.last == parts[-1][-1][0]


def test_a_single_sample_has_no_further_statistics_and_two_or_a_weighted_one_have() -> None:
    assert spread_of([(3.0, 1.0)]).statistics() is None
    assert spread_of([(3.0, 2.0)]).statistics() == (2.0, 6.0, 0.0, 3.0, 3.0)
    assert spread_of([(3.0, 1.0), (5.0, 1.0)]).statistics() == (2.0, 8.0, 2.0, 3.0, 5.0)


def test_sums_beyond_the_range_of_numbers_are_the_largest() -> None:
    statistics = spread_of([(1.7e308, 1.0), (-1.7e308, 1.0), (1.7e308, 100.0)]).statistics()
    assert statistics is not None
    assert np.isfinite(statistics).all()
    assert statistics[2] >= 0.0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_buckets_are_those_of_the_kernel(drawn: list[float]) -> None:
    out = np.empty(len(drawn), np.int32)
    buckets_of(np.array(drawn, np.float64), out)
    assert [bucket_of(value) for value in drawn] == out.tolist() == bucket_column(np.array(drawn)).tolist()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=50))
def test_buckets_of_many_are_those_of_each(drawn: list[float]) -> None:
    counted, one_by_one = Counter[int](), Counter[int]()
    for values in (drawn, [abs(value) for value in drawn if value]):
        count_buckets(counted, values)
        one_by_one.update(map(bucket_of, values))
        assert counted == one_by_one


def test_a_histogram_counts_by_weight_and_ascends() -> None:
    histogram = Histogram()
    assert not histogram
    for value, weight in ((3.0, 1.0), (-3.0, 2.0), (0.0, 1.0), (3.01, 10.0)):
        histogram.add(value, weight)
    other = Histogram()
    other.merge(histogram.buckets())
    assert other.buckets() == [(bucket_of(-3.0), 2.0), (0, 1.0), (bucket_of(3.0), 11.0)]


_BUCKET = st.one_of(st.integers(39_990, 40_300), st.integers(-40_100, -39_990), st.just(0), st.integers(6_000, 72_000))


@given(st.lists(st.tuples(_BUCKET, st.integers(1, 9)), max_size=80))
def test_a_histogram_counts_as_a_dictionary_does_near_and_far(pairs: list[tuple[int, int]]) -> None:
    histogram, plain = Histogram(), Counter[int]()
    for bucket, weight in pairs:
        histogram.merge([(bucket, float(weight))])
        plain[bucket] += weight
    assert histogram.buckets() == sorted(plain.items())
    assert bool(histogram) is bool(plain)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=60))
def test_samples_added_together_count_as_those_added_one_by_one(drawn: list[float]) -> None:
    for values in (drawn, [abs(value) for value in drawn]):
        together, single = Histogram(), Histogram()
        together.add_all(values, 2.0)
        for value in values:
            single.add(value, 2.0)
        assert together.buckets() == single.buckets()


def test_a_histogram_is_bounded_and_loses_no_weight() -> None:
    histogram = Histogram()
    for k in range(3 * BUCKETS_MAX):
        histogram.merge([(30_000 + k, 1.0)])
    buckets = histogram.buckets()
    assert len(buckets) == BUCKETS_MAX
    assert sum(weight for _, weight in buckets) == 3 * BUCKETS_MAX
    assert buckets[-1] == (30_000 + BUCKETS_MAX - 1, 2 * BUCKETS_MAX + 1)


@given(st.binary(max_size=70))
def test_members_are_hashed_as_in_the_kernel(member: bytes) -> None:
    assert hash_of_member(member) == folded_hash(member, *map(int, MEMBER_KEY))


@cache
def distinct_of(members: range) -> Distinct:
    distinct = Distinct()
    for member in members:
        distinct.add(b"user-%d" % member)
    return distinct


def server_sketch(members: range) -> tuple[bytes, float]:
    hashes = [folded_hash(b"user-%d" % member, *map(int, MEMBER_KEY)) for member in members]
    return sketch_members(np.array(sorted(hashes), np.uint64).view(np.int64))


def read_back(image: bytes) -> Distinct:
    distinct = Distinct()
    distinct.merge(image)
    return distinct


SIZES = [0, 1, 7, 8, 20, COUPONS_MAX, COUPONS_MAX + 1, 3000, 20_000]


@pytest.mark.parametrize("size", SIZES)
def test_a_sketch_is_one_that_the_server_takes_and_holds_what_its_own_would(size: int) -> None:
    ours = distinct_of(range(size))
    assert is_sketch(ours.sketch())
    theirs, count = server_sketch(range(size))
    # Merged with the server's, nothing is new: both are of the same members.
    united = [merge_sketches(pair) for pair in ([ours.sketch(), theirs], [theirs, theirs], [ours.sketch()] * 2)]
    assert len({count for _, count in united}) == 1
    assert len({read_back(image).sketch() for image, _ in united}) == 1
    if size <= COUPONS_MAX:
        assert ours.count() == count == size
    else:
        assert ours.count() == pytest.approx(size, rel=0.05)


@pytest.mark.parametrize("size", SIZES)
def test_a_sketch_is_read_back_whoever_made_it(size: int) -> None:
    ours = distinct_of(range(size))
    for image in (ours.sketch(), server_sketch(range(size))[0]):
        assert read_back(image).sketch() == ours.sketch()


@settings(max_examples=20)
@given(st.lists(st.sampled_from([range(300), range(200, 380), range(150, 900), range(3000)]), min_size=1, max_size=4))
def test_sketches_merge_to_that_of_all_members(ranges: list[range]) -> None:
    merged, together = Distinct(), Distinct()
    for members in ranges:
        merged.merge(distinct_of(members).sketch())
    for member in set().union(*ranges):
        together.add(b"user-%d" % member)
    assert merged.sketch() == together.sketch()
    assert merged.count() == together.count()


@given(st.integers(1, 63), st.integers(0, 2**32))
def test_registers_of_any_height_are_written_as_they_are_read(height: int, seed: int) -> None:
    """Some registers stand far above the others: those do not fit into four bits."""
    addresses = np.random.default_rng(seed).choice(1 << 26, COUPONS_MAX, replace=False).astype("<u4")
    image = bytes([3, 1, 7, 12, 9, 8, 0, 1]) + struct.pack("<i", COUPONS_MAX) + (addresses | height << 26).tobytes()
    distinct = Distinct()
    distinct.merge(image)
    distinct.merge(distinct_of(range(1000)).sketch())
    assert is_sketch(distinct.sketch())
    again = datasketches.hll_sketch.deserialize(distinct.sketch()).serialize_compact()
    assert read_back(again).sketch() == distinct.sketch()


@given(st.binary(max_size=40), st.integers(0, 2200), st.sampled_from([0, 5, 100, 1000, 20_000]))
def test_bytes_that_are_no_sketch_are_refused_and_count_nothing(noise: bytes, at: int, size: int) -> None:
    image = distinct_of(range(size)).sketch() if size else b""
    spoilt = image[:at] + noise + image[at + len(noise) :]
    distinct = Distinct()
    try:
        distinct.merge(spoilt)
    except ValueError:
        assert distinct.count() == 0.0
    else:
        assert distinct.count() >= 0.0


def test_the_library_makes_the_same_coupons() -> None:
    for number in (0, 1, 2**63, 2**64 - 1, 0x0123456789ABCDEF):
        sketch = datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_4)
        sketch.update(number - (1 << 64) if number >= 1 << 63 else number)
        assert struct.unpack("<I", sketch.serialize_compact()[8:]) == (coupon_of(number),)
