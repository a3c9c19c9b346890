"""Names for readers. Values, order and paths stay."""

import re
from math import isnan
from typing import Annotated

from tallystick.model.errors import QueryError
from tallystick.model.grid import Row
from tallystick.query.combine import node_key
from tallystick.query.context import Context, as_series
from tallystick.query.grammar import parse
from tallystick.query.parameters import OPTIONAL, Node, NodeOrTag
from tallystick.query.patterns import substitute
from tallystick.query.reduce import last
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("alias", group="Alias", transparent=True)
def alias(context: Context, seriesList: SeriesList, newName: str) -> SeriesList:
    """Name all series by a text."""
    return seriesList.with_rows(lambda row: row.named(newName))


@function("aliasByNode", group="Alias", transparent=True)
def alias_by_node(context: Context, seriesList: SeriesList, *nodes: NodeOrTag) -> SeriesList:
    """Name series by parts of their names, counted from 0 or back from -1, or by tags."""
    return seriesList.with_rows(lambda row: row.named(node_key(row, nodes)))


@function("aliasByTags", group="Alias", transparent=True)
def alias_by_tags(context: Context, seriesList: SeriesList, *tags: NodeOrTag) -> SeriesList:
    """Name series by their tags."""
    return seriesList.with_rows(lambda row: row.named(node_key(row, tags)))


@function("aliasByMetric", group="Alias", transparent=True)
def alias_by_metric(context: Context, seriesList: SeriesList) -> SeriesList:
    """Name series by the last part of their names."""
    return seriesList.with_rows(lambda row: row.named(_part_of(row.name, -1, 0)))


@function("substr", group="Special", transparent=True)
def substr(context: Context, seriesList: SeriesList, start: Node = 0, stop: Node = 0) -> SeriesList:
    """Name series by the parts from `start` to before `stop` of their names."""
    return seriesList.with_rows(lambda row: row.named(_part_of(row.name, start, stop)))


def _part_of(name: str, start: int, stop: int) -> str:
    """Parts of what stands in the innermost brackets of a name, up to its first comma."""
    left = name.rfind("(") + 1
    right = name.find(")")
    parts = name[left : right if right >= 0 else None].split(".")
    return re.sub(r",.*$", "", ".".join(parts[start : stop or None]))


@function("aliasSub", group="Alias", transparent=True)
def alias_sub(context: Context, seriesList: SeriesList, search: str, replace: str) -> SeriesList:
    r"""Rename series by a regular expression; ``\1`` stands for a group."""
    return seriesList.with_rows(lambda row: row.named(substitute(search, replace, row.name)))


@function("aliasQuery", group="Alias")
def alias_query(context: Context, seriesList: SeriesList, search: str, replace: str, newName: str) -> SeriesList:
    """Rename each series by the last value of another, whose target is its name with `search` replaced."""

    def named(row: Row) -> Row:
        target = substitute(search, replace, row.name)
        found = as_series(context.evaluate(parse(target)), target)
        current = float(found.pick([0]).statistic(last)[0]) if len(found) else float("nan")
        if isnan(current):
            raise QueryError(f"cannot call aliasQuery: {target!r} gives no value; expected a series with one")
        try:
            return row.named(newName % current)
        except (TypeError, ValueError) as error:
            raise QueryError(f"cannot use newName {newName!r}: {error}; expected one place such as %d or %g") from error

    return seriesList.with_rows(named)


@function("upper", "toUpperCase", group="Alias", transparent=True)
def upper(context: Context, seriesList: SeriesList, *pos: Annotated[int, OPTIONAL]) -> SeriesList:
    """Names in capitals, or only the characters at some positions."""
    return seriesList.with_rows(lambda row: row.named(_cased(row.name, str.upper(row.name), pos)))


@function("lower", "toLowerCase", group="Alias", transparent=True)
def lower(context: Context, seriesList: SeriesList, *pos: Annotated[int, OPTIONAL]) -> SeriesList:
    """Names in small letters, or only the characters at some positions."""
    return seriesList.with_rows(lambda row: row.named(_cased(row.name, str.lower(row.name), pos)))


def _cased(name: str, changed: str, positions: tuple[int, ...]) -> str:
    if not positions or len(changed) != len(name):
        return changed
    chosen = {position % len(name) for position in positions if -len(name) <= position < len(name)}
    return "".join(changed[i] if i in chosen else char for i, char in enumerate(name))
