"""Running totals."""

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.parameters import Interval
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed


@function("integral", group="Transform")
def integral(context: Context, seriesList: SeriesList) -> SeriesList:
    """The sum of all values so far; gaps stay gaps."""

    def compute(grid: Grid) -> Values:
        return np.where(np.isnan(grid.values), np.nan, np.nancumsum(grid.values, axis=1))

    return transformed(seriesList, compute, lambda name: f"integral({name})", {"integral": 1})


@function("integralByInterval", group="Transform")
def integral_by_interval(context: Context, seriesList: SeriesList, intervalUnit: Interval) -> SeriesList:
    """The sum of all values so far, begun anew at each interval since the start of the request; gaps repeat it."""
    interval_s = abs(intervalUnit.seconds)
    if interval_s == 0:
        raise QueryError("cannot call integralByInterval: the interval is 0; expected at least 1s")

    def compute(grid: Grid) -> Values:
        if not grid.values.size:
            return grid.values
        interval = (grid.times - context.from_s) // interval_s
        starts = np.flatnonzero(np.diff(interval, prepend=interval[0] - 1))
        parts = np.split(np.nan_to_num(grid.values), starts[1:], axis=1)
        return np.concatenate([np.cumsum(part, axis=1) for part in parts], axis=1)

    return transformed(
        seriesList,
        compute,
        lambda name: f"integralByInterval({name},'{intervalUnit.text}')",
        {"integralByInterval": intervalUnit.text},
    )
