"""What a counter did between slots."""

import numpy as np

from tallystick.query.context import Context
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.rounding import rounded
from tallystick.query.series import SeriesList, transformed


def _steps(values: Values) -> Values:
    """Each value minus the one of the slot before; unknown if either is."""
    return np.diff(values, axis=1, prepend=np.nan)


def _increments(values: Values, high: float | None, low: float | None) -> Values:
    """The growth of counters: where one falls, it wrapped at `high` or was set back to `low`, else that is unknown.

    Values outside of `low` to `high` are no values.
    """
    with np.errstate(invalid="ignore"):
        if high is not None:
            values = np.where(values > high, np.nan, values)
        if low is not None:
            values = np.where(values < low, np.nan, values)
        growth = _steps(values)
        if high is not None:
            wrapped = high + 1 + growth - (low or 0)
        elif low is not None:
            wrapped = np.where(np.isnan(growth), np.nan, values - low)
        else:
            wrapped = np.full_like(values, np.nan)
        return np.where(growth < 0, wrapped, growth)


@function("derivative", group="Transform")
def derivative(context: Context, seriesList: SeriesList) -> SeriesList:
    """The difference to the slot before."""
    return transformed(
        seriesList, lambda grid: _steps(grid.values), lambda name: f"derivative({name})", {"derivative": 1}
    )


@function("nonNegativeDerivative", group="Transform")
def non_negative_derivative(
    context: Context, seriesList: SeriesList, maxValue: float | None = None, minValue: float | None = None
) -> SeriesList:
    """The growth of a counter, which may wrap at `maxValue` or be set back to `minValue`."""
    return transformed(
        seriesList,
        lambda grid: _increments(grid.values, maxValue, minValue),
        lambda name: f"nonNegativeDerivative({name})",
        {"nonNegativeDerivative": 1},
    )


@function("perSecond", group="Transform")
def per_second(
    context: Context, seriesList: SeriesList, maxValue: float | None = None, minValue: float | None = None
) -> SeriesList:
    """The growth of a counter per second."""
    return transformed(
        seriesList,
        lambda grid: rounded(_increments(grid.values, maxValue, minValue) / grid.step_s, 6),
        lambda name: f"perSecond({name})",
        {"perSecond": 1},
    )
