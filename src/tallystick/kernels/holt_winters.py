"""Holt and Winters' exponential smoothing of level, trend and season, as RRDtool and after it Graphite use it.

A forecast of the next slot is the level plus the trend plus what the season did at this place the last time; the
deviation is the smoothed distance of values from their forecasts at this place of the season. Brutlag, *Aberrant
behavior detection in time series for network monitoring* (LISA 2000); additive, the season's smoothing for both.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import kernel


@kernel
def forecast_rows(
    values: NDArray[np.float64],
    season: int,
    alpha: float,
    beta: float,
    gamma: float,
    seasonal: NDArray[np.float64],
    forecast: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> None:
    """Fill `forecast` and `deviation` for each row of `values`, all float64[n, m].

    Parameters
    ----------
    season
        Slots of a season; below 2 there is none.
    alpha, beta, gamma
        Weights, 0 to 1, of what is new in the level, the trend and the season.
    seasonal : float64[m]
        Room to work in.

    Notes
    -----
    After a gap the level begins anew, nothing is forecast for the slot that follows, and its deviation is reckoned as
    if 0 had been: Graphite's rules. A gap's own deviation is 0.
    """
    slots = values.shape[1]
    for i in range(values.shape[0]):
        level, trend, ahead = np.nan, 0.0, np.nan
        for j in range(slots):
            value = values[i, j]
            forecast[i, j] = ahead
            seasonal[j] = 0.0
            deviation[i, j] = 0.0
            if np.isnan(value):
                level, trend, ahead = np.nan, 0.0, np.nan
                continue
            if j == 0:
                forecast[i, 0] = value
            old = value if np.isnan(level) else level
            before = seasonal[j - season] if season > 1 and j >= season else 0.0
            spread = deviation[i, j - season] if season > 1 and j >= season else 0.0
            level = alpha * (value - before) + (1.0 - alpha) * (old + trend)
            trend = beta * (level - old) + (1.0 - beta) * trend
            seasonal[j] = gamma * (value - level) + (1.0 - gamma) * before
            expected = 0.0 if np.isnan(forecast[i, j]) else forecast[i, j]
            deviation[i, j] = gamma * abs(value - expected) + (1.0 - gamma) * spread
            ahead = level + trend
            if season > 1 and j + 1 >= season:
                ahead += seasonal[j + 1 - season]
