from tallystick.model.errors import QueryError
from tallystick.query.align import aligned
from tallystick.query.combine import single
from tallystick.query.context import Context
from tallystick.query.reduce import percentile
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("percentileOfSeries", group="Combine")
def percentile_of_series(context: Context, seriesList: SeriesList, n: float, interpolate: bool = False) -> SeriesList:
    """The n-th percentile among the series at each moment.

    Of timings from many hosts, `percentile()` inside an aggregate is right where this is an estimate: it sees averages.
    """
    if n <= 0:
        raise QueryError(f"cannot call percentileOfSeries: n is {n:g}; expected more than 0")
    if not len(seriesList):
        return seriesList
    grid = aligned(seriesList, context.x_files_factor)
    name = f"percentileOfSeries({seriesList.rows[0].path},{n:g})"
    return single(name, percentile(grid.values, n, 0, interpolate=interpolate), grid)
