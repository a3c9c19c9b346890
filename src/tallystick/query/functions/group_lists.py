"""Lists of series put together, taken apart, and made unique."""

from typing import Annotated

from tallystick.query.combine import grouped, node_key
from tallystick.query.context import Context
from tallystick.query.parameters import OPTIONAL, NodeOrTag
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("group", group="Combine", transparent=True)
def group(context: Context, *seriesLists: Annotated[SeriesList, OPTIONAL]) -> SeriesList:
    """Several lists as one."""
    return SeriesList.joined(seriesLists)


@function("unique", group="Filter Series")
def unique(context: Context, *seriesLists: SeriesList) -> SeriesList:
    """Leave out series whose name was there before."""
    series = SeriesList.joined(seriesLists)
    first: dict[str, int] = {}
    for i, row in enumerate(series.rows):
        first.setdefault(row.name, i)
    return series.pick(list(first.values()))


@function("fallbackSeries", group="Special")
def fallback_series(context: Context, seriesList: SeriesList, fallback: SeriesList) -> SeriesList:
    """Other series where there are none."""
    return seriesList if len(seriesList) else fallback


@function("mapSeries", "map", group="Combine")
def map_series(context: Context, seriesList: SeriesList, *mapNodes: NodeOrTag) -> list[SeriesList]:
    """Take a list apart by parts of the name, for `reduceSeries`."""
    return list(grouped(seriesList, lambda row: node_key(row, mapNodes)).values())
