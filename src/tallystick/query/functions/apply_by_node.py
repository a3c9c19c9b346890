from dataclasses import replace

from tallystick.model.grid import Row
from tallystick.query.combine import merged_grids
from tallystick.query.context import Context, as_series
from tallystick.query.grammar import parse
from tallystick.query.parameters import Node
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("applyByNode", group="Combine")
def apply_by_node(
    context: Context, seriesList: SeriesList, nodeNum: Node, templateFunction: str, newName: str | None = None
) -> SeriesList:
    """Evaluate a target for each different beginning of the names; ``%`` in it stands for the beginning."""
    prefixes = sorted({".".join(row.name.split(".")[: nodeNum + 1]) for row in seriesList.rows})

    def one_prefix(prefix: str) -> SeriesList:
        def finish(row: Row) -> Row:
            return replace(row, path=prefix, name=newName.replace("%", prefix) if newName else row.name)

        target = templateFunction.replace("%", prefix)
        return as_series(context.evaluate(parse(target)), target).with_rows(finish)

    return merged_grids(one_prefix(prefix) for prefix in prefixes)
