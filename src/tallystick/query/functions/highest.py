"""The first n series by an aggregation of their values."""

from tallystick.query.context import Context
from tallystick.query.order import ordered
from tallystick.query.parameters import Aggregation
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


def _first(series: SeriesList, n: int, word: str, *, reverse: bool) -> SeriesList:
    return series.pick(ordered(series, word, reverse=reverse)[:n])


@function("highest", group="Filter Series")
def highest(context: Context, seriesList: SeriesList, n: int = 1, func: Aggregation = "average") -> SeriesList:
    """The n series with the highest aggregation."""
    return _first(seriesList, n, func, reverse=True)


@function("lowest", group="Filter Series")
def lowest(context: Context, seriesList: SeriesList, n: int = 1, func: Aggregation = "average") -> SeriesList:
    """The n series with the lowest aggregation."""
    return _first(seriesList, n, func, reverse=False)


@function("highestAverage", group="Filter Series")
def highest_average(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the highest mean."""
    return _first(seriesList, n, "average", reverse=True)


@function("lowestAverage", group="Filter Series")
def lowest_average(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the lowest mean."""
    return _first(seriesList, n, "average", reverse=False)


@function("highestMax", group="Filter Series")
def highest_max(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the highest largest value."""
    return _first(seriesList, n, "max", reverse=True)


@function("highestCurrent", group="Filter Series")
def highest_current(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the highest last value."""
    return _first(seriesList, n, "current", reverse=True)


@function("lowestCurrent", group="Filter Series")
def lowest_current(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the lowest last value."""
    return _first(seriesList, n, "current", reverse=False)


@function("highestMin", group="Filter Series")
def highest_min(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the highest smallest value."""
    return _first(seriesList, n, "min", reverse=True)


@function("lowestMin", group="Filter Series")
def lowest_min(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the lowest smallest value."""
    return _first(seriesList, n, "min", reverse=False)


@function("lowestMax", group="Filter Series")
def lowest_max(context: Context, seriesList: SeriesList, n: int) -> SeriesList:
    """The n series with the lowest largest value."""
    return _first(seriesList, n, "max", reverse=False)
