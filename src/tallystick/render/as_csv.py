"""CSV: a line for each value, ``name,2023-11-14 22:14:00,1.5``, no heading."""

import csv
from collections.abc import Sequence
from datetime import datetime
from io import StringIO
from math import isnan

from tallystick.model.grid import Grid
from tallystick.render.format import Options, Rendered, renderer


@renderer("csv")
def render_csv(grids: Sequence[Grid], options: Options) -> Rendered:
    """Times in the reader's zone; an unknown value is an empty field."""
    text = StringIO()
    writer = csv.writer(text)
    for grid in grids:
        times = [
            datetime.fromtimestamp(time, options.zone).strftime("%Y-%m-%d %H:%M:%S") for time in grid.times.tolist()
        ]
        for row, values in zip(grid.rows, grid.values.tolist(), strict=True):
            for time, value in zip(times, values, strict=True):
                unknown = isnan(value)
                if not (unknown and options.no_null_points):
                    writer.writerow((row.name, time, "" if unknown else value))
    return Rendered(text.getvalue().encode(), "text/csv")
