import numpy as np

from tallystick.query.align import aligned
from tallystick.query.combine import single
from tallystick.query.context import Context
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("powSeries", group="Combine", combines=True)
def pow_series(context: Context, *seriesList: SeriesList) -> SeriesList:
    """The first series to the power of the second, that to the power of the third, and so on."""
    series = SeriesList.joined(seriesList)
    if not len(series):
        return series
    grid = aligned(series, context.x_files_factor)
    result = grid.values[0]
    with np.errstate(all="ignore"):
        for exponent in grid.values[1:]:
            power = np.power(result, exponent)
            result = np.where(np.isfinite(power) & ~np.isnan(exponent) & ~np.isnan(result), power, np.nan)
    return single(f"powSeries({','.join(row.name for row in grid.rows)})", result, grid)
