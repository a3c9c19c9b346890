"""Points are written as the general encoder writes them, or left to it."""

import json
import math

import msgspec
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.kernels.points import POINT_BYTES_MAX, write_points

SHORT = st.builds(lambda whole, decimals: whole / 10**decimals, st.integers(-(10**9), 10**9), st.integers(0, 6))


def is_plain(value: float) -> bool:
    return value == 0 or math.isnan(value) or 1e-5 <= abs(value) < 1e16


def written(values: list[float], start_s: int = 1_700_000_000, step_s: int = 10) -> bytes | None:
    out = np.zeros(2 + len(values) * POINT_BYTES_MAX, np.uint8)
    length = write_points(np.array(values, np.float64), start_s, step_s, out)
    return None if length < 0 else out[:length].tobytes()


@given(
    st.lists(st.one_of(SHORT.filter(is_plain), st.just(math.nan)), max_size=20),
    st.integers(0, 2**40),
    st.integers(1, 86400),
)
@example([0.0, -0.0, 0.1, 0.07, 123456.789, 999999999999999.0, -1e14], 0, 1)
@settings(max_examples=300, deadline=None)
def test_short_decimals_are_written_as_python_writes_them(values: list[float], start_s: int, step_s: int) -> None:
    text = written(values, start_s, step_s)
    assert text is not None
    pairs = json.loads(text)
    assert [time for _, time in pairs] == [start_s + i * step_s for i in range(len(values))]
    for (value, _), wanted in zip(pairs, values, strict=True):
        assert (value is None) == math.isnan(wanted)
        assert value is None or (value == wanted and math.copysign(1, value) == math.copysign(1, wanted))


PLAIN = st.floats(min_value=1e-5, max_value=1e16, exclude_max=True)
EDGES = [edge for power in range(-16, 54) for edge in (2.0**power, math.nextafter(2.0**power, 0))]
EDGES += [edge for power in range(-4, 16) for edge in (10.0**power, math.nextafter(10.0**power, 0))]


def encoded(values: list[float]) -> bytes:
    return msgspec.json.encode([(value, 1_700_000_000 + 10 * i) for i, value in enumerate(values)])


@given(st.lists(st.one_of(PLAIN, PLAIN.map(float.__neg__), st.just(0.0), SHORT.filter(is_plain)), max_size=20))
@example(EDGES)
@example([1 / 3, 0.0, 5e15, 0.0, -0.0, 9007199254740993.0, 1e16 - 2, 1e-5, 2.5, 0.1 + 0.2, 5e15, 7.0, 1.0000001, 1.5])
@settings(max_examples=300, deadline=None)
def test_floats_without_an_exponent_are_written_as_the_encoder_writes_them(values: list[float]) -> None:
    assert written(values) == encoded(values)


def test_averages_of_decimals_are_written_as_the_encoder_writes_them() -> None:
    random = np.random.default_rng(20)
    values = random.normal(500, 100, (20_000, 7)).round(2).mean(axis=1)
    values *= 10.0 ** random.integers(-6, 13, 20_000)
    assert written(values.tolist()) == encoded(values.tolist())


@given(st.floats())
@example(1e16)
@example(1e-7)
@example(9e-6)
@example(5e-324)
@example(math.inf)
@settings(max_examples=300, deadline=None)
def test_any_float_is_written_as_the_encoder_writes_it_or_left_to_it(value: float) -> None:
    assert written([value]) == (encoded([value]) if is_plain(value) else None)


def test_nothing_is_an_empty_list() -> None:
    assert written([]) == b"[]"
