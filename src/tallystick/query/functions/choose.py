"""Series chosen by name, number or presence."""

import numpy as np

from tallystick.query.context import Context
from tallystick.query.patterns import pattern
from tallystick.query.reduce import enough, known_count
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("limit", group="Filter Series", transparent=True)
def limit(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The first n series."""
    return seriesList.pick(range(len(seriesList))[:n])


@function("grep", group="Filter Series", transparent=True)
def grep(context: Context, seriesList: SeriesList, pattern: str) -> SeriesList:
    """Keep series whose name a regular expression matches."""
    return _matching(seriesList, pattern, wanted=True)


@function("exclude", group="Filter Series", transparent=True)
def exclude(context: Context, seriesList: SeriesList, pattern: str) -> SeriesList:
    """Leave out series whose name a regular expression matches."""
    return _matching(seriesList, pattern, wanted=False)


def _matching(series: SeriesList, text: str, *, wanted: bool) -> SeriesList:
    expression = pattern(text)
    return series.keep((expression.search(row.name) is not None) == wanted for row in series.rows)


@function("removeEmptySeries", group="Filter Series")
def remove_empty_series(context: Context, seriesList: SeriesList, xFilesFactor: float = 0.0) -> SeriesList:
    """Leave out series without values, or with fewer than the share `xFilesFactor`."""
    wanted: list[bool] = []
    for grid in seriesList.grids:
        wanted += enough(known_count(grid.values, 1), grid.values.shape[1], xFilesFactor).tolist()
    return seriesList.keep(wanted)


@function("removeZeroSeries", group="Filter Series")
def remove_zero_series(context: Context, seriesList: SeriesList, xFilesFactor: float = 0.0) -> SeriesList:
    """Leave out series that are nothing but 0 and gaps, or have other values for less than the share `xFilesFactor`."""
    wanted: list[bool] = []
    for grid in seriesList.grids:
        nonzero = np.count_nonzero(np.nan_to_num(grid.values), axis=1)
        wanted += enough(nonzero, grid.values.shape[1], xFilesFactor).tolist()
    return seriesList.keep(wanted)
