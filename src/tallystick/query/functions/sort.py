"""Series in another order."""

import re

from tallystick.query.context import Context
from tallystick.query.order import ordered
from tallystick.query.parameters import Aggregation
from tallystick.query.reduce import maximum
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("sortBy", group="Sorting")
def sort_by(
    context: Context, seriesList: SeriesList, func: Aggregation = "average", reverse: bool = False
) -> SeriesList:
    """Sort by an aggregation, lowest first."""
    return seriesList.pick(ordered(seriesList, func, reverse=reverse))


@function("sortByName", group="Sorting", transparent=True)
def sort_by_name(context: Context, seriesList: SeriesList, natural: bool = False, reverse: bool = False) -> SeriesList:
    """Sort by name; `natural` puts web2 before web10."""
    names = [row.name for row in seriesList.rows]
    if natural:
        names = [re.sub(r"\d+", lambda digits: f"{int(digits[0]):010}", name) for name in names]
    return seriesList.pick(sorted(range(len(names)), key=names.__getitem__, reverse=reverse))


@function("sortByTotal", group="Sorting")
def sort_by_total(context: Context, seriesList: SeriesList) -> SeriesList:
    """Sort by the sum, highest first."""
    return seriesList.pick(ordered(seriesList, "sum", reverse=True))


@function("sortByMaxima", group="Sorting")
def sort_by_maxima(context: Context, seriesList: SeriesList) -> SeriesList:
    """Sort by the largest value, highest first."""
    return seriesList.pick(ordered(seriesList, "max", reverse=True))


@function("sortByMinima", group="Sorting")
def sort_by_minima(context: Context, seriesList: SeriesList) -> SeriesList:
    """Sort by the smallest value, lowest first; series that never rise above 0 are left out."""
    rising = seriesList.keep((seriesList.statistic(maximum) > 0).tolist())
    return rising.pick(ordered(rising, "min", reverse=False))
