"""Series chosen by an aggregation of their values."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.query.context import Context
from tallystick.query.parameters import Aggregation, Hint
from tallystick.query.reduce import Values, reduction
from tallystick.query.registry import function
from tallystick.query.series import SeriesList

# Graphite counts "no value" as below everything and as different from everything.
_OPERATORS: dict[str, Callable[[Values, float], NDArray[np.bool_]]] = {
    "=": lambda values, threshold: values == threshold,
    "!=": lambda values, threshold: values != threshold,
    ">": lambda values, threshold: values > threshold,
    ">=": lambda values, threshold: values >= threshold,
    "<": lambda values, threshold: ~(values >= threshold),
    "<=": lambda values, threshold: ~(values > threshold),
}


def _chosen(series: SeriesList, word: str, operator: str, threshold: float) -> SeriesList:
    if operator not in _OPERATORS:
        raise QueryError(f"cannot filter by operator {operator!r}: expected one of {' '.join(_OPERATORS)}")
    wanted = _OPERATORS[operator](series.statistic(reduction(word)), threshold)
    return series.keep(wanted.tolist())


@function("filterSeries", group="Filter Series")
def filter_series(
    context: Context,
    seriesList: SeriesList,
    func: Aggregation,
    operator: Annotated[str, Hint(options=tuple(_OPERATORS))],
    threshold: float,
) -> SeriesList:
    """Keep series whose aggregation compares with a threshold: ``filterSeries(a.*, 'max', '>', 5)``."""
    return _chosen(seriesList, func, operator, threshold)


@function("averageAbove", group="Filter Series")
def average_above(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a mean above n."""
    return _chosen(seriesList, "average", ">", n)


@function("averageBelow", group="Filter Series")
def average_below(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a mean of at most n."""
    return _chosen(seriesList, "average", "<=", n)


@function("maximumAbove", group="Filter Series")
def maximum_above(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a largest value above n."""
    return _chosen(seriesList, "max", ">", n)


@function("maximumBelow", group="Filter Series")
def maximum_below(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a largest value of at most n."""
    return _chosen(seriesList, "max", "<=", n)


@function("minimumAbove", group="Filter Series")
def minimum_above(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a smallest value above n."""
    return _chosen(seriesList, "min", ">", n)


@function("minimumBelow", group="Filter Series")
def minimum_below(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a smallest value of at most n."""
    return _chosen(seriesList, "min", "<=", n)


@function("currentAbove", group="Filter Series")
def current_above(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a last value above n."""
    return _chosen(seriesList, "last", ">", n)


@function("currentBelow", group="Filter Series")
def current_below(context: Context, seriesList: SeriesList, n: float) -> SeriesList:
    """Keep series with a last value of at most n."""
    return _chosen(seriesList, "last", "<=", n)
