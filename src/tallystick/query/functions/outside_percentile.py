"""Series that leave the middle of the field."""

import numpy as np

from tallystick.query.align import aligned
from tallystick.query.context import Context
from tallystick.query.reduce import average, percentile
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("averageOutsidePercentile", group="Filter Series")
def average_outside_percentile(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series whose mean lies outside of the n-th percentile and its mirror image."""
    n = max(n, 100 - n)
    averages = seriesList.statistic(average)
    if not len(averages):
        return seriesList
    low, high = (percentile(averages, rank, 0) for rank in (100 - n, n))
    return seriesList.keep((~((low < averages) & (averages < high))).tolist())


@function("removeBetweenPercentile", group="Filter Series")
def remove_between_percentile(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Leave out series that stay within the n-th percentile and its mirror image at all times."""
    if not len(seriesList):
        return seriesList
    n = max(n, 100 - n)
    grid = aligned(seriesList, context.x_files_factor)
    low, high = (percentile(grid.values, rank, 0) for rank in (100 - n, n))
    outside = ~((low < grid.values) & (grid.values < high)) & ~np.isnan(grid.values)
    return seriesList.keep(np.asarray(outside.any(axis=1)).tolist())
