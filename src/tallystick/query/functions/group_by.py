"""One series for each group of series whose names or tags agree."""

from dataclasses import replace
from typing import Annotated

from tallystick.model.errors import QueryError
from tallystick.model.grid import Row
from tallystick.model.name import tags_of
from tallystick.query.combine import combined_groups, node_key
from tallystick.query.context import Context
from tallystick.query.parameters import OPTIONAL, Callback, NodeOrTag, Tag
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("groupByNode", group="Combine")
def group_by_node(
    context: Context, seriesList: SeriesList, nodeNum: NodeOrTag, callback: Callback = "average"
) -> SeriesList:
    """Combine series that have the same part of the name or the same tag."""
    return combined_groups(context, seriesList, lambda row: node_key(row, [nodeNum]), callback)


@function("groupByNodes", group="Combine")
def group_by_nodes(
    context: Context, seriesList: SeriesList, callback: Callback, *nodes: Annotated[NodeOrTag, OPTIONAL]
) -> SeriesList:
    """Combine series that agree in several parts of the name or tags."""
    return combined_groups(context, seriesList, lambda row: node_key(row, nodes), callback)


@function("groupByTags", group="Combine")
def group_by_tags(context: Context, seriesList: SeriesList, callback: Callback, *tags: Tag) -> SeriesList:
    """Combine series that agree in tags; the results are named by them."""
    if not tags:
        raise QueryError("cannot call groupByTags: no tags are given; expected at least one")
    names = {row.tags.get("name", "") for row in seriesList.rows}
    common = names.pop() if len(names) == 1 else callback

    def key(row: Row) -> str:
        name = row.tags.get("name", "") if "name" in tags else common
        pairs = sorted(f"{tag}={row.tags.get(tag, '')}" for tag in tags if tag != "name")
        return ";".join([name, *pairs])

    def finish(row: Row, name: str) -> Row:
        return replace(row, name=name, path=name, tags=tags_of(name))

    return combined_groups(context, seriesList, key, callback, finish)
