"""Holt and Winters' smoothing as its recurrences are written down, with a list for each of them."""

from collections.abc import Sequence


def forecast(
    values: Sequence[float | None], season: int, alpha: float, beta: float, gamma: float
) -> tuple[list[float | None], list[float]]:
    """The forecast of each value, None where there is none, and the smoothed deviation; None stands for a gap."""
    levels: list[float | None] = []
    trends: list[float] = []
    seasonals: list[float] = []
    forecasts: list[float | None] = []
    deviations: list[float] = []
    ahead: float | None = None

    def a_season_ago(kept: list[float], at: int) -> float:
        return kept[at - season] if season > 1 and at >= season else 0.0

    for i, value in enumerate(values):
        expected = value if i == 0 else ahead
        forecasts.append(expected)
        if value is None:
            levels.append(None)
            trends.append(0.0)
            seasonals.append(0.0)
            deviations.append(0.0)
            ahead = None
            continue
        old_level = levels[-1] if levels and levels[-1] is not None else value
        old_trend = trends[-1] if trends else 0.0
        level = alpha * (value - a_season_ago(seasonals, i)) + (1 - alpha) * (old_level + old_trend)
        trend = beta * (level - old_level) + (1 - beta) * old_trend
        deviations.append(gamma * abs(value - (expected or 0.0)) + (1 - gamma) * a_season_ago(deviations, i))
        seasonals.append(gamma * (value - level) + (1 - gamma) * a_season_ago(seasonals, i))
        levels.append(level)
        trends.append(trend)
        ahead = level + trend + a_season_ago(seasonals, i + 1)
    return forecasts, deviations
