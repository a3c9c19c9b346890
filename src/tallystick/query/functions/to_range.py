"""Series moved to start at 0, or squeezed into 0 to 1."""

from dataclasses import replace

import numpy as np

from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.reduce import Values, maximum, minimum
from tallystick.query.registry import function
from tallystick.query.series import Series, SeriesList, marked_rows, transformed


@function("offsetToZero", group="Transform")
def offset_to_zero(context: Context, seriesList: SeriesList) -> SeriesList:
    """Take the smallest value of each series off it."""

    def moved(one: Series) -> Series:
        low = float(minimum(one.values, 0))
        shown = None if np.isnan(low) else low
        (row,) = marked_rows([one.row], lambda name: f"offsetToZero({name})", {"offsetToZero": shown})
        return replace(one, row=row, values=one.values - low)

    return SeriesList.of(moved(one) for one in seriesList)


@function("minMax", group="Transform")
def min_max(context: Context, seriesList: SeriesList) -> SeriesList:
    """Each series from 0 at its smallest to 1 at its largest value."""

    def compute(grid: Grid) -> Values:
        low = minimum(grid.values, 1)[:, np.newaxis]
        width = maximum(grid.values, 1)[:, np.newaxis] - low
        with np.errstate(invalid="ignore", divide="ignore"):
            squeezed = (grid.values - low) / width
        return np.where((width == 0) & ~np.isnan(grid.values), 0.0, squeezed)

    return transformed(seriesList, compute, lambda name: f"minMax({name})")
