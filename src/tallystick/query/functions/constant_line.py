"""Horizontal and vertical lines."""

from dataclasses import replace

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.query.combine import merged_grids
from tallystick.query.context import Context
from tallystick.query.lines import constant
from tallystick.query.parameters import Aggregation, Date
from tallystick.query.reduce import reduction
from tallystick.query.registry import function
from tallystick.query.series import SeriesList
from tallystick.query.times import parse_time


@function("constantLine", group="Special")
def constant_line(context: Context, value: float) -> SeriesList:
    """A horizontal line."""
    return constant(context, value, str(value))


@function("threshold", group="Graph")
def threshold(context: Context, value: float, label: str | None = None, color: str | None = None) -> SeriesList:
    """A horizontal line with a label and a colour."""
    options = {"color": color} if color else {}
    return constant(context, value, str(value)).with_rows(
        lambda row: replace(row, name=label or row.name, options=row.options | options)
    )


@function("aggregateLine", group="Calculate")
def aggregate_line(
    context: Context, seriesList: SeriesList, func: Aggregation = "average", keepStep: bool = False
) -> SeriesList:
    """A horizontal line at an aggregation of all values of each series."""

    def line(i: int, value: float) -> SeriesList:
        one = seriesList.pick([i])
        known = not np.isnan(value)  # and 0 is added so that -0 is shown as 0
        name = f"aggregateLine({one.rows[0].name}, {format(value + 0.0, 'g') if known else None})"
        if not keepStep:
            return constant(context, value, str(value if known else None), path=name).with_rows(
                lambda row: replace(row, name=name)
            )
        return one.each(
            lambda grid: replace(
                grid,
                values=np.full_like(grid.values, value),
                rows=tuple(replace(row, name=name, path=name) for row in grid.rows),
            )
        )

    values = seriesList.statistic(reduction(func)).tolist()
    return merged_grids(line(i, value) for i, value in enumerate(values))


@function("verticalLine", group="Graph")
def vertical_line(context: Context, ts: Date, label: str | None = None, color: str | None = None) -> SeriesList:
    """A line at a moment of the range."""
    moment_s = parse_time(ts, context.request.now_s, context.request.zone)
    if not context.from_s <= moment_s <= context.until_s:
        raise QueryError(f"cannot call verticalLine: {ts!r} lies outside of the range; expected a moment within")
    options = {"drawAsInfinite": True} | ({"color": color} if color else {})
    name = label or f"verticalLine({moment_s})"
    row = Row(name, name, {"name": name}, options=options)
    return SeriesList((Grid(np.ones((1, 2)), (row,), moment_s, 1),))
