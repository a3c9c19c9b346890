from dataclasses import replace
from math import ceil, log

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.context import Context, Deferred
from tallystick.query.functions.moving import lead_s, shown
from tallystick.query.parameters import WindowSize
from tallystick.query.reduce import Values, average
from tallystick.query.reduce import first as first_known
from tallystick.query.registry import function
from tallystick.query.rounding import rounded
from tallystick.query.series import SeriesList, marked_rows, transformed


@function("exponentialMovingAverage", group="Calculate")
def exponential_moving_average(context: Context, seriesList: Deferred, windowSize: WindowSize) -> SeriesList:
    """A mean in which each value counts less the older it is.

    The newest counts 2 / (N + 1), N being the window in points, or in seconds if it is a length: Graphite's rule.
    """
    lead = lead_s(seriesList.evaluate() if windowSize.interval is None else SeriesList(), windowSize)
    earlier = seriesList.evaluate(seriesList.context.shifted(-lead))
    weight = 2.0 / ((lead if windowSize.interval else windowSize.points or 1) + 1)

    def compute(grid: Grid) -> Grid:
        slots = windowSize.points or lead // grid.step_s
        first = np.nan_to_num(average(grid.values[:, :slots], 1))
        later = smoothed(grid.values[:, slots:], first, weight)
        values = rounded(np.concatenate([first[:, np.newaxis], later], axis=1), 6)
        rows = marked_rows(
            grid.rows,
            lambda name: f"exponentialMovingAverage({name},{shown(windowSize)})",
            {"exponentialMovingAverage": windowSize.text},
        )
        return replace(grid, values=values, rows=rows, start_s=grid.start_s + lead)

    return earlier.each(compute)


@function("exponentialWeightedMovingAverage", "ewma", group="Calculate")
def exponentially_weighted(context: Context, seriesList: SeriesList, alpha: float) -> SeriesList:
    """A mean that becomes `alpha` times what it was plus (1 - `alpha`) times each value; it begins with the first."""
    if not 0 <= alpha < 1:
        raise QueryError(f"cannot call ewma: alpha is {alpha:g}; expected 0 or more and less than 1")
    return transformed(
        seriesList,
        lambda grid: smoothed(grid.values, np.nan_to_num(first_known(grid.values, 1)), 1.0 - alpha),
        lambda name: f"exponentialWeightedMovingAverage({name},{alpha:g})",
    )


def smoothed(values: Values, first: Values, weight: float) -> Values:
    """``e[i] = weight * v[i] + (1 - weight) * e[i - 1]`` along axis 1, unknown values skipped.

    Notes
    -----
    Solved block by block in closed form: within a block, ``e[i] = r**k * (e0 + sum(weight * v / r**k))`` with
    ``r = 1 - weight`` and ``k`` the known values so far. Blocks are so short that ``r**-k`` stays below 10,000, which
    costs four digits of sixteen.
    """
    decay = 1.0 - weight
    if decay <= 0.0:
        return values.copy()
    block = max(1, ceil(log(1e4) / -log(decay)))
    result = np.empty_like(values)
    state = first
    for begin in range(0, values.shape[1], block):
        part = values[:, begin : begin + block]
        known = ~np.isnan(part)
        scale = decay ** np.cumsum(known, axis=1)
        total = np.cumsum(np.where(known, weight * part / scale, 0.0), axis=1)
        filled = scale * (state[:, np.newaxis] + total)
        result[:, begin : begin + block] = np.where(known, filled, np.nan)
        state = filled[:, -1]
    return result
