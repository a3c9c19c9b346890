"""Aggregates over series whose names agree when some parts are left out."""

from collections.abc import Sequence
from typing import Annotated

from tallystick.query.combine import aggregated, grouped, merged_grids
from tallystick.query.context import Context
from tallystick.query.parameters import OPTIONAL, Aggregation, Node
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


def _without(context: Context, series: SeriesList, word: str, positions: Sequence[int]) -> SeriesList:
    def key(name: str) -> str:
        return ".".join(part for i, part in enumerate(name.split(".")) if i not in positions)

    def one_group(name: str, members: SeriesList) -> SeriesList:
        return aggregated(context, members, word).with_rows(lambda row: row.named(name))

    return merged_grids(one_group(*item) for item in grouped(series, lambda row: key(row.name)).items())


@function("aggregateWithWildcards", group="Combine")
def aggregate_with_wildcards(
    context: Context, seriesList: SeriesList, func: Aggregation, *position: Annotated[Node, OPTIONAL]
) -> SeriesList:
    """Combine series that are named alike but for the parts at these positions."""
    return _without(context, seriesList, func, position)


@function("sumSeriesWithWildcards", group="Combine", combines=True)
def sum_with_wildcards(context: Context, seriesList: SeriesList, *position: Annotated[Node, OPTIONAL]) -> SeriesList:
    """Add up series that are named alike but for the parts at these positions."""
    return _without(context, seriesList, "sum", position)


@function("averageSeriesWithWildcards", group="Combine", combines=True)
def average_with_wildcards(
    context: Context, seriesList: SeriesList, *position: Annotated[Node, OPTIONAL]
) -> SeriesList:
    """Mean of series that are named alike but for the parts at these positions."""
    return _without(context, seriesList, "average", position)


@function("multiplySeriesWithWildcards", group="Combine", combines=True)
def multiply_with_wildcards(
    context: Context, seriesList: SeriesList, *position: Annotated[Node, OPTIONAL]
) -> SeriesList:
    """Multiply series that are named alike but for the parts at these positions."""
    return _without(context, seriesList, "multiply", position)
