"""The kernel smooths as the recurrences say."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.holt_winters import forecast
from tallystick.kernels.holt_winters import forecast_rows

WEIGHTS = st.floats(0.0, 1.0)
ROWS = st.integers(0, 30).flatmap(
    lambda slots: st.lists(
        st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=slots, max_size=slots), min_size=1, max_size=3
    )
)


@given(ROWS, st.integers(0, 12), WEIGHTS, WEIGHTS, WEIGHTS)
@settings(deadline=None)
def test_forecasts_and_deviations_are_those_of_the_recurrences(
    rows: list[list[float | None]], season: int, alpha: float, beta: float, gamma: float
):
    values = np.array(rows, np.float64)
    given_values = values.copy()
    ahead, deviation = np.empty_like(values), np.empty_like(values)
    forecast_rows(values, season, alpha, beta, gamma, np.empty(values.shape[1]), ahead, deviation)
    np.testing.assert_array_equal(values, given_values)
    for i, row in enumerate(rows):
        expected, spread = forecast(row, season, alpha, beta, gamma)
        np.testing.assert_allclose(ahead[i], np.array(expected, np.float64), rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(deviation[i], spread, rtol=1e-9, atol=1e-6)
