"""Aggregates over all the series given: one series, named after their paths."""

from tallystick.query.combine import aggregated
from tallystick.query.context import Context
from tallystick.query.parameters import Aggregation
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("aggregate", group="Combine")
def aggregate(
    context: Context, seriesList: SeriesList, func: Aggregation, xFilesFactor: float | None = None
) -> SeriesList:
    """Combine all series by an aggregation such as sum, median or p95."""
    return aggregated(context, seriesList, func, xFilesFactor)


@function("sumSeries", "sum", group="Combine", combines=True)
def sum_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Add the series up."""
    return aggregated(context, SeriesList.joined(seriesLists), "sum")


@function("averageSeries", "avg", group="Combine", combines=True)
def average_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Mean of the series."""
    return aggregated(context, SeriesList.joined(seriesLists), "average")


@function("minSeries", group="Combine", combines=True)
def min_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Smallest value at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "min")


@function("maxSeries", group="Combine", combines=True)
def max_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Largest value at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "max")


@function("diffSeries", group="Combine", combines=True)
def diff_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """The first series minus all others."""
    return aggregated(context, SeriesList.joined(seriesLists), "diff")


@function("multiplySeries", group="Combine", combines=True)
def multiply_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Multiply the series; a single one comes back as it is."""
    series = SeriesList.joined(seriesLists)
    return series if len(series) == 1 and len(seriesLists) == 1 else aggregated(context, series, "multiply")


@function("rangeOfSeries", group="Combine", combines=True)
def range_of_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Largest minus smallest value at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "rangeOf")


@function("stddevSeries", group="Combine", combines=True)
def stddev_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Standard deviation among the series at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "stddev")


@function("medianSeries", "median", group="Combine", combines=True)
def median_series(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Median of the series at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "median")
