from dataclasses import replace

import numpy as np

from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.parameters import Date
from tallystick.query.registry import function
from tallystick.query.series import SeriesList
from tallystick.query.times import parse_time


@function("timeSlice", group="Transform")
def time_slice(context: Context, seriesList: SeriesList, startSliceAt: Date, endSliceAt: Date = "now") -> SeriesList:
    """Leave only what lies between two moments."""
    request = context.request
    start_s, end_s = (parse_time(text, request.now_s, request.zone) for text in (startSliceAt, endSliceAt))
    marks = {"timeSliceStart": str(start_s), "timeSliceEnd": str(end_s)}

    def compute(grid: Grid) -> Grid:
        inside = (grid.times >= start_s) & (grid.times <= end_s)
        rows = tuple(
            replace(row, name=f"timeSlice({row.name}, {start_s}, {end_s})", tags=row.tags | marks) for row in grid.rows
        )
        return replace(grid, values=np.where(inside, grid.values, np.nan), rows=rows)

    return seriesList.each(compute)
