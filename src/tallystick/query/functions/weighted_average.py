from typing import Annotated

from tallystick.model.errors import QueryError
from tallystick.query.align import aligned
from tallystick.query.combine import aggregated, node_key, single
from tallystick.query.context import Context
from tallystick.query.parameters import OPTIONAL, NodeOrTag
from tallystick.query.ratio import ratio
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("weightedAverage", group="Combine")
def weighted_average(
    context: Context, seriesListAvg: SeriesList, seriesListWeight: SeriesList, *nodes: Annotated[NodeOrTag, OPTIONAL]
) -> SeriesList:
    """The mean of averages, each weighted by the series that agrees with it in the parts `nodes` of the name."""
    if len(seriesListAvg) != len(seriesListWeight):
        raise QueryError(
            f"cannot call weightedAverage: {len(seriesListAvg)} averages and {len(seriesListWeight)} weights; "
            "expected as many of the one as of the other"
        )
    averages = {node_key(row, nodes): i for i, row in enumerate(seriesListAvg.rows)}
    weights = {node_key(row, nodes): i for i, row in enumerate(seriesListWeight.rows)}
    products = [
        _product(context, seriesListAvg.pick([i]), seriesListWeight.pick([weights[key]]))
        for key, i in averages.items()
        if key in weights
    ]
    if not products:
        return SeriesList()
    both = SeriesList.joined(
        [aggregated(context, SeriesList.joined(products), "sum"), aggregated(context, seriesListWeight, "sum")]
    )
    grid = aligned(both, context.x_files_factor)
    paths = [",".join(sorted({row.path for row in one.rows})) for one in (seriesListAvg, seriesListWeight)]
    name = f"weightedAverage({paths[0]}, {paths[1]}, {','.join(map(str, nodes))})"
    return single(name, ratio(grid.values[0], grid.values[1]), grid)


def _product(context: Context, average: SeriesList, weight: SeriesList) -> SeriesList:
    grid = aligned(SeriesList.joined([average, weight]), context.x_files_factor)
    name = f"product({grid.rows[1].name},{grid.rows[0].name})"
    return single(name, grid.values[0] * grid.values[1], grid)
