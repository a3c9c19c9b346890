"""Points are written as Python writes floats, or left to it."""

import json
import math

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.kernels.points import POINT_BYTES_MAX, write_points

SHORT = st.builds(lambda whole, decimals: whole / 10**decimals, st.integers(-(10**9), 10**9), st.integers(0, 6))


def written(values: list[float], start_s: int = 1_700_000_000, step_s: int = 10) -> bytes | None:
    out = np.zeros(2 + len(values) * POINT_BYTES_MAX, np.uint8)
    length = write_points(np.array(values, np.float64), start_s, step_s, out)
    return None if length < 0 else out[:length].tobytes()


@given(st.lists(st.one_of(SHORT, st.just(math.nan)), max_size=20), st.integers(0, 2**40), st.integers(1, 86400))
@example([0.0, -0.0, 0.1, 0.07, 123456.789, 999999999999999.0, -1e14], 0, 1)
@settings(max_examples=500, deadline=None)
def test_short_decimals_are_written_as_python_writes_them(values: list[float], start_s: int, step_s: int) -> None:
    text = written(values, start_s, step_s)
    assert text is not None
    pairs = json.loads(text)
    assert [time for _, time in pairs] == [start_s + i * step_s for i in range(len(values))]
    for (value, _), wanted in zip(pairs, values, strict=True):
        assert (value is None) == math.isnan(wanted)
        assert value is None or (value == wanted and math.copysign(1, value) == math.copysign(1, wanted))


@given(st.floats())
@example(1 / 3)
@example(1e15)
@example(1e-7)
@example(5e-324)
@example(math.inf)
@settings(max_examples=1000, deadline=None)
def test_any_float_is_read_back_the_same_or_left_to_python(value: float) -> None:
    text = written([value])
    if text is None:
        assert abs(value) >= 1e9 or value != round(value, 6)
    elif not math.isnan(value):
        assert float(json.loads(text)[0][0]) == value
        shown = text[2:].split(b",")[0].decode()
        assert abs(value) < 1e-4 or shown == repr(value)


def test_nothing_is_an_empty_list() -> None:
    assert written([]) == b"[]"
