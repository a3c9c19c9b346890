import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.reduce import Values, average
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed
from tallystick.query.windows import window_fold


@function("stdev", group="Calculate")
def stdev(context: Context, seriesList: SeriesList, points: int, windowTolerance: float = 0.1) -> SeriesList:
    """The standard deviation of the last points, where at least the share `windowTolerance` of them is known."""
    if points < 1:
        raise QueryError(f"cannot call stdev: points is {points}; expected at least 1")

    def compute(grid: Grid) -> Values:
        # Moved to its mean first, so that the squares of a small swing around a large level keep their digits.
        centred = grid.values - average(grid.values, 1)[:, np.newaxis]
        width = min(points, max(grid.values.shape[1], 1))
        padded = np.concatenate([np.full((len(grid), width - 1), np.nan), centred], axis=1)
        known = ~np.isnan(padded)
        filled = np.where(known, padded, 0.0)
        count = window_fold(np.add, known.astype(np.float64), width)
        total = window_fold(np.add, filled, width)
        squares = window_fold(np.add, filled * filled, width)
        variance = np.maximum(count * squares - total * total, 0.0)
        enough = (count > 0) & (count / points >= windowTolerance)
        return np.where(enough, np.sqrt(variance) / np.maximum(count, 1.0), np.nan)

    return transformed(seriesList, compute, lambda name: f"stdev({name},{points})", {"stdev": points})
