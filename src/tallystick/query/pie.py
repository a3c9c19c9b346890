"""Slices of a pie: each series as one number."""

from tallystick.model.errors import QueryError
from tallystick.query.reduce import Reduction, Values, average, maximum, minimum
from tallystick.query.series import SeriesList

PIE_FUNCTIONS: dict[str, Reduction] = {"average": average, "maximum": maximum, "minimum": minimum}
"""By Graphite's words for them, which ``pieMode`` of ``/render`` names."""


def slices(series: SeriesList, mode: str) -> Values:
    """One number for each series, NaN where it has no value, float64[len(series)].

    Raises
    ------
    QueryError
        If `mode` is none of `PIE_FUNCTIONS`.
    """
    if mode not in PIE_FUNCTIONS:
        raise QueryError(f"cannot draw a pie of {mode!r}: expected one of {', '.join(PIE_FUNCTIONS)}")
    return series.statistic(PIE_FUNCTIONS[mode])
