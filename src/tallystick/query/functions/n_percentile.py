import numpy as np

from tallystick.model.errors import QueryError
from tallystick.query.context import Context
from tallystick.query.reduce import count, percentile
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed


@function("nPercentile", group="Calculate")
def n_percentile(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """A horizontal line at the n-th percentile of the values of each series; series without values are left out."""
    if n <= 0:
        raise QueryError(f"cannot call nPercentile: n is {n:g}; expected more than 0")
    known = seriesList.keep((seriesList.statistic(count) > 0).tolist())
    return transformed(
        known,
        lambda grid: np.broadcast_to(percentile(grid.values, n, 1)[:, np.newaxis], grid.values.shape),
        lambda name: f"nPercentile({name}, {n:g})",
        {"nPercentile": n},
    )
