"""Rounding decimals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.query.rounding import rounded

HALVES = st.builds(
    lambda whole, digits: (2 * whole + 1) / (2 * 10**digits), st.integers(-(10**9), 10**9), st.integers(0, 8)
)


@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), HALVES), st.integers(0, 12))
def test_it_is_what_python_rounds(value: float, digits: int):
    assert rounded(np.array([value]), digits).tolist() == [float(round(value, digits))]


def test_what_only_seems_to_be_a_half_is_none():
    assert rounded(np.array([2.675, 1.005, 0.125]), 2).tolist() == [2.67, 1.0, 0.12]


@pytest.mark.parametrize("digits", [0, 2])
def test_gaps_and_infinite_values_stay(digits: int):
    np.testing.assert_array_equal(rounded(np.array([np.nan, np.inf, -np.inf]), digits), [np.nan, np.inf, -np.inf])
