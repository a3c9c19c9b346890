"""Reductions over a window that moves along each series; the values before the range are read as well."""

from dataclasses import replace

import numpy as np

from tallystick.model.grid import Grid
from tallystick.query.context import Context, Deferred
from tallystick.query.parameters import Aggregation, Window, WindowSize
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, marked_rows
from tallystick.query.windows import moving


def lead_s(series: SeriesList, window: Window) -> int:
    """Seconds before the range that a window needs."""
    if window.interval is not None:
        return abs(window.interval.seconds)
    return max((grid.step_s for grid in series.grids), default=0) * (window.points or 0)


def shown(window: Window) -> str:
    """The window as names of series show it: a length of time in quotes."""
    return f'"{window.text}"' if window.interval is not None else window.text


def _moving(
    context: Context, seriesList: Deferred, window: Window, word: str, xFilesFactor: float | None
) -> SeriesList:
    lead = lead_s(seriesList.evaluate() if window.interval is None else SeriesList(), window)
    earlier = seriesList.evaluate(seriesList.context.shifted(-lead))
    title = f"moving{word.capitalize()}"

    def compute(grid: Grid) -> Grid:
        slots = lead // grid.step_s
        width = max(1, window.points or slots)
        shares = [xFilesFactor if xFilesFactor is not None else row.x_files_factor for row in grid.rows]
        share = np.array([context.x_files_factor if one is None else one for one in shares])
        # Window i ends at slot i + width - 1; the first that counts ends where the asked range begins.
        values = moving(grid.values, width, word, share, context.session.check_time)
        values = values[:, max(0, slots - width + 1) :]
        rows = marked_rows(grid.rows, lambda name: f"{title}({name},{shown(window)})", {title: window.text})
        return replace(grid, values=values, rows=rows, start_s=grid.start_s + slots * grid.step_s)

    return earlier.each(compute)


@function("movingWindow", group="Calculate")
def moving_window(
    context: Context,
    seriesList: Deferred,
    windowSize: WindowSize,
    func: Aggregation = "average",
    xFilesFactor: float | None = None,
) -> SeriesList:
    """An aggregation over the last points, or the last length of time, at each moment."""
    return _moving(context, seriesList, windowSize, func, xFilesFactor)


@function("movingAverage", group="Calculate")
def moving_average(
    context: Context, seriesList: Deferred, windowSize: WindowSize, xFilesFactor: float | None = None
) -> SeriesList:
    """The mean over a moving window."""
    return _moving(context, seriesList, windowSize, "average", xFilesFactor)


@function("movingMedian", group="Calculate")
def moving_median(
    context: Context, seriesList: Deferred, windowSize: WindowSize, xFilesFactor: float | None = None
) -> SeriesList:
    """The median over a moving window."""
    return _moving(context, seriesList, windowSize, "median", xFilesFactor)


@function("movingMin", group="Calculate")
def moving_min(
    context: Context, seriesList: Deferred, windowSize: WindowSize, xFilesFactor: float | None = None
) -> SeriesList:
    """The smallest value of a moving window."""
    return _moving(context, seriesList, windowSize, "min", xFilesFactor)


@function("movingMax", group="Calculate")
def moving_max(
    context: Context, seriesList: Deferred, windowSize: WindowSize, xFilesFactor: float | None = None
) -> SeriesList:
    """The largest value of a moving window."""
    return _moving(context, seriesList, windowSize, "max", xFilesFactor)


@function("movingSum", group="Calculate")
def moving_sum(
    context: Context, seriesList: Deferred, windowSize: WindowSize, xFilesFactor: float | None = None
) -> SeriesList:
    """The sum over a moving window."""
    return _moving(context, seriesList, windowSize, "sum", xFilesFactor)
