"""How often values were as they should be."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.intervals import summarized
from tallystick.query.parameters import Interval
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, marked_rows

_METHODS: dict[str, Callable[[Values, float], NDArray[np.bool_]]] = {
    "above": lambda values, limit: values > limit,
    "aboveOrEqual": lambda values, limit: values >= limit,
    "below": lambda values, limit: values < limit,
    "belowOrEqual": lambda values, limit: values <= limit,
}


def _shares(
    context: Context, series: SeriesList, interval: Interval, method: str, value: float, name: Callable[[str], str]
) -> SeriesList:
    """The share of known values of each interval that compare with `value` as they should."""
    if method not in _METHODS:
        raise QueryError(f"cannot compare by method {method!r}: expected one of {', '.join(_METHODS)}")
    if interval.seconds <= 0:
        raise QueryError(f"cannot compare in intervals of {interval.text!r}: expected at least 1s")

    def compute(grid: Grid) -> Grid:
        met = np.where(np.isnan(grid.values), np.nan, _METHODS[method](grid.values, value))
        start_s = grid.start_s - grid.start_s % interval.seconds
        rows = marked_rows(grid.rows, name, {})
        return summarized(
            context, replace(grid, values=met, rows=rows), start_s, grid.end_s, interval.seconds, "average"
        )

    return series.each(compute)


@function("slo", group="Transform")
def slo(context: Context, seriesList: SeriesList, interval: Interval, method: str, value: float) -> SeriesList:
    """The share, 0 to 1, of known values in each interval that compare with `value` as they should.

    `method` is above, aboveOrEqual, below or belowOrEqual.
    """
    return _shares(
        context, seriesList, interval, method, value, lambda name: f"slo({name},{interval.text},{method},{value:g})"
    )


@function("sloErrorBudget", group="Transform")
def slo_error_budget(
    context: Context, seriesList: SeriesList, interval: Interval, method: str, value: float, objective: float
) -> SeriesList:
    """Seconds of each interval that may still go wrong if `objective`, 0 to 1, of it must be as in `slo`."""

    def named(name: str) -> str:
        return f"sloErrorBudget({name},{interval.text},{method},{value:g},{objective:g})"

    shares = _shares(context, seriesList, interval, method, value, named)
    return shares.each(lambda grid: replace(grid, values=(grid.values - objective) * interval.seconds))
