"""Numbers are read to the same bits as by Python."""

import struct

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference.carbon import is_hard
from tallystick.kernels.compile import scanner
from tallystick.kernels.numbers import EXACT, HARD, read_number
from tallystick.kernels.packed import padded


@scanner
def read(buffer: np.ndarray) -> tuple[float, int, int]:
    return read_number(buffer, 0)


def agrees(text: str) -> None:
    value, end, status = read(padded(text.encode()))
    assert end == len(text)
    assert status == (HARD if is_hard(text.encode(), float(text)) else EXACT)
    if status == EXACT:
        assert struct.pack("<d", value) == struct.pack("<d", float(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=1000, deadline=None)
@example(1.7976931348623157e308)
@example(2.2250738585072014e-308)
@example(5e-324)
@example(-0.0)
def test_what_python_prints_is_read_back(number: float):
    agrees(repr(number))


@given(st.integers(0, 10**19 - 1), st.integers(-400, 400))
@settings(max_examples=1000, deadline=None)
@example(9007199254740993, 0)  # half-way between two floats: to even
@example(9007199254740995, 0)
@example(9007199254740993, 1)
@example(10**19 - 1, -1)
@example(18446744073709551, 291)
def test_any_nineteen_digits_and_any_exponent_are_read(digits: int, exponent: int):
    agrees(f"{digits}e{exponent}")


@given(st.integers(0, (1 << 53) - 1), st.integers(0, 15))
@settings(max_examples=500, deadline=None)
def test_half_way_cases_are_rounded_to_even(mantissa: int, shift: int):
    half = (((1 << 53) | mantissa) * 2 + 1) << shift
    for text in (str(half), str(half - 1), str(half + 1)):
        agrees(text)


@given(st.from_regex(r"[+-]?([0-9]{1,12}\.[0-9]{0,10}|\.[0-9]{1,12})", fullmatch=True))
@settings(max_examples=500, deadline=None)
def test_decimals_are_read(text: str):
    agrees(text)
