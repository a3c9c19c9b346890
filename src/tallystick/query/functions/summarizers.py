"""Aggregates over all the series given, by the short names that carbonapi has for them."""

from tallystick.query.combine import aggregated
from tallystick.query.context import Context
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("total", "totalSeries", group="Combine", combines=True)
def total(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Add the series up."""
    return aggregated(context, SeriesList.joined(seriesLists), "total")


@function("average", "avgSeries", group="Combine", combines=True)
def average(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Mean of the series."""
    return aggregated(context, SeriesList.joined(seriesLists), "average")


@function("avg_zero", "avg_zeroSeries", group="Combine", combines=True)
def average_with_zeros(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Mean of the series, an unknown value counted as 0."""
    return aggregated(context, SeriesList.joined(seriesLists), "avg_zero")


@function("min", group="Combine", combines=True)
def minimum(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Smallest value at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "min")


@function("max", group="Combine", combines=True)
def maximum(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Largest value at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "max")


@function("first", "firstSeries", group="Combine", combines=True)
def first(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """At each moment the value of the first series that has one."""
    return aggregated(context, SeriesList.joined(seriesLists), "first")


@function("last", "lastSeries", group="Combine", combines=True)
def last(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """At each moment the value of the last series that has one."""
    return aggregated(context, SeriesList.joined(seriesLists), "last")


@function("current", "currentSeries", group="Combine", combines=True)
def current(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """At each moment the value of the last series that has one."""
    return aggregated(context, SeriesList.joined(seriesLists), "current")


@function("count", group="Combine", combines=True)
def count(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """How many series have a value at each moment; `countSeries` counts those that have none as well."""
    return aggregated(context, SeriesList.joined(seriesLists), "count")


@function("diff", group="Combine", combines=True)
def difference(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """The first series minus all others."""
    return aggregated(context, SeriesList.joined(seriesLists), "diff")


@function("multiply", group="Combine", combines=True)
def product(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Multiply the series."""
    return aggregated(context, SeriesList.joined(seriesLists), "multiply")


@function("range", "rangeSeries", group="Combine", combines=True)
def span(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Largest minus smallest value at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "range")


@function("rangeOf", group="Combine", combines=True)
def range_of(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Largest minus smallest value at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "rangeOf")


@function("stddev", group="Combine", combines=True)
def deviation(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Standard deviation among the series at each moment."""
    return aggregated(context, SeriesList.joined(seriesLists), "stddev")
