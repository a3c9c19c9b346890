from typing import Annotated

import numpy as np

from tallystick.query.align import aligned
from tallystick.query.combine import single
from tallystick.query.context import Context
from tallystick.query.lines import constant
from tallystick.query.parameters import OPTIONAL
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, paths_of


@function("countSeries", group="Combine", combines=True)
def count_series(context: Context, *seriesLists: Annotated[SeriesList, OPTIONAL]) -> SeriesList:
    """The number of series, whether they have values or not."""
    if not seriesLists:
        return constant(context, 0.0, "0", path="countSeries()")
    series = SeriesList.joined(seriesLists)
    if not len(series):
        return series
    grid = aligned(series, context.x_files_factor)
    name = f"countSeries({paths_of(grid.rows)})"
    return single(name, np.full(grid.values.shape[1], float(len(grid))), grid)
