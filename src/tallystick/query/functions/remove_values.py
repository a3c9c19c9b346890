"""Values taken out where they are too large or too small."""

import numpy as np

from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.reduce import Values, percentile
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed


def _without_above(values: Values, limit: Values | float) -> Values:
    return np.where(values > limit, np.nan, values)


def _without_below(values: Values, limit: Values | float) -> Values:
    return np.where(values < limit, np.nan, values)


def _percentiles(grid: Grid, n: float) -> Values:
    return percentile(grid.values, n, 1)[:, np.newaxis]


@function("removeAboveValue", group="Filter Data")
def remove_above_value(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Take out values above n."""
    return transformed(
        seriesList, lambda grid: _without_above(grid.values, n), lambda name: f"removeAboveValue({name}, {n:g})"
    )


@function("removeBelowValue", group="Filter Data")
def remove_below_value(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Take out values below n."""
    return transformed(
        seriesList, lambda grid: _without_below(grid.values, n), lambda name: f"removeBelowValue({name}, {n:g})"
    )


@function("removeAbovePercentile", group="Filter Data")
def remove_above_percentile(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Take out values above the n-th percentile of their series."""
    return transformed(
        seriesList,
        lambda grid: _without_above(grid.values, _percentiles(grid, n)),
        lambda name: f"removeAbovePercentile({name}, {n:g})",
    )


@function("removeBelowPercentile", group="Filter Data")
def remove_below_percentile(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Take out values below the n-th percentile of their series."""
    return transformed(
        seriesList,
        lambda grid: _without_below(grid.values, _percentiles(grid, n)),
        lambda name: f"removeBelowPercentile({name}, {n:g})",
    )
