"""Slots gathered into longer intervals: what the functions that summarize share."""

import numpy as np

from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.windows import bucketed, where_enough


def summarized(context: Context, grid: Grid, start_s: int, end_s: int, interval_s: int, word: str) -> Grid:
    """The grid in slots of `interval_s` from `start_s`, by the reduction `word`; enough of each must be known.

    Raises
    ------
    LimitError
        If they are more slots than a request may have.
    """
    buckets = max(0, -(-(end_s - start_s) // interval_s))
    context.session.charge(0, buckets * len(grid))
    reduced, known = bucketed(grid.values, (grid.times - start_s) // interval_s, buckets, word)
    shares = [context.x_files_factor if row.x_files_factor is None else row.x_files_factor for row in grid.rows]
    values = where_enough(reduced, known, interval_s / grid.step_s, np.array(shares))
    return Grid(values, grid.rows, start_s, interval_s)
