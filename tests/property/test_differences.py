"""What is said about a column before it is coded: how often to difference it, and what divides all its values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

from tallystick.kernels.differences import SAMPLE, UNCLEAR, clear_order, common_divisor
from tallystick.store.blocks.page import PageColumns, decode_page, encode_page

RANDOM = np.random.default_rng(11)
NOISE = RANDOM.normal(50, 3, 720)
SMOOTH = 100 + 50 * np.sin(np.arange(720) / 100)
TWO_MIDDLES = np.where(RANDOM.random(720) < 0.5, RANDOM.normal(5, 0.1, 720), RANDOM.normal(500, 10, 720))


def order(values: NDArray[np.float64]) -> int:
    return clear_order(values, np.empty(SAMPLE))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (NOISE, 0),
        (NOISE.round(2), 0),
        (RANDOM.integers(0, 50, 720) * 1.0, 0),
        (np.cumsum(NOISE - 50), 1),
        (np.cumsum(NOISE - 50).round(2), 1),
        (np.floor(RANDOM.normal(1000, 100, 720)).cumsum(), 1),
        (NOISE + 1000.0 * (np.arange(720) % 97 == 0), 0),
        (SMOOTH, UNCLEAR),
        (TWO_MIDDLES, UNCLEAR),
        (np.arange(720) * 10.0, UNCLEAR),
        (np.repeat(RANDOM.integers(0, 99, 24), 30) * 1.0, UNCLEAR),
        (np.array([1.0, np.inf] * 20), UNCLEAR),
        (np.array([1e308, -1e308] * 20), UNCLEAR),
    ],
)
def test_only_what_is_clear_is_said_about_differences(values: NDArray[np.float64], expected: int):
    assert order(values) == expected


@settings(deadline=None)
@given(st.lists(st.integers(-(2**52) + 1, 2**52 - 1), min_size=1), st.integers(1, 1000))
def test_whole_numbers_have_their_greatest_common_divisor(values: list[int], factor: int):
    multiples = [value % 10**9 * factor for value in values]
    assert common_divisor(np.array(values, np.float64)) == math.gcd(*values)
    assert common_divisor(np.array(multiples, np.float64)) == math.gcd(*multiples)


@settings(deadline=None)
@given(st.lists(st.integers(-1000, 1000)), st.sampled_from([0.5, 2.0**52, 1e300, math.inf, math.nan]))
def test_numbers_that_are_not_whole_or_too_large_have_none(values: list[int], odd: float):
    assert common_divisor(np.array([*values, odd])) == 0


@pytest.mark.parametrize("values", [NOISE.round(2), np.cumsum(NOISE - 50).round(2), SMOOTH, TWO_MIDDLES.round(1)])
def test_pages_are_as_small_as_if_pcodec_had_looked_itself(values: NDArray[np.float64]):
    data = encode_page(PageColumns(np.arange(720, dtype=np.uint16), values))
    assert decode_page(memoryview(data)).last.tobytes() == values.tobytes()
    assert len(data) <= 1.01 * len(standalone.simple_compress(values, ChunkConfig(compression_level=4))) + 32
