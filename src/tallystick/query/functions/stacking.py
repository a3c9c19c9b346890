"""Series drawn on top of each other."""

from dataclasses import replace

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.align import aligned
from tallystick.query.context import Context
from tallystick.query.registry import function
from tallystick.query.series import SeriesList

_DEFAULT_STACK = "__DEFAULT__"


@function("stacked", group="Graph")
def stacked(context: Context, seriesLists: SeriesList, stackName: str = _DEFAULT_STACK) -> SeriesList:
    """Each series on top of those before it in this call."""
    if not len(seriesLists):
        return seriesLists
    grid = aligned(seriesLists, context.x_files_factor)
    values = np.where(np.isnan(grid.values), np.nan, np.nancumsum(grid.values, axis=0))
    default = stackName == _DEFAULT_STACK
    rows = []
    for row in grid.rows:
        name = f"stacked({row.name})" if default else row.name
        tags = row.tags | ({"stacked": stackName} if default else {})
        rows.append(replace(row, name=name, path=name, tags=tags, options=row.options | {"stacked": True}))
    return SeriesList((Grid(values, tuple(rows), grid.start_s, grid.step_s),))


@function("areaBetween", group="Graph")
def area_between(context: Context, seriesList: SeriesList) -> SeriesList:
    """Fill the area between two series."""
    if len(seriesList) != 2:
        raise QueryError(f"cannot call areaBetween: it is given {len(seriesList)} series; expected exactly 2")
    lower, upper = seriesList
    tags = upper.row.tags | {"areaBetween": "1"}
    name = f"areaBetween({upper.row.path})"
    hidden = lower.row.options | {"stacked": True, "invisible": True}
    shown = upper.row.options | {"stacked": True}
    return SeriesList.of(
        [
            replace(lower, row=replace(lower.row, name=name, tags=tags, options=hidden)),
            replace(upper, row=replace(upper.row, name=name, tags=tags, options=shown)),
        ]
    )
