"""`meaning_of`: what is known of what a target gives, by the series that it is made of."""

import re
from collections.abc import Iterator

from tallystick.described import Descriptions
from tallystick.model.description import NOTHING, Description
from tallystick.model.errors import QueryError
from tallystick.query.grammar import Call, Node, Path, parse
from tallystick.store.contract import Catalog

_NAMES_MAX = 200
"""So many names of a path are looked at: the series of one path nearly always mean the same."""

_RATES = frozenset({"perSecond", "rate"})
_PERCENT = frozenset({"asPercent", "pct", "completeness"})
_OF_ANOTHER_UNIT = re.compile(
    "changed|count(Series)?|(divide|multiply|pow|reduce)(Series.*)?|events|exp|hitcount|holtWintersAberration|integral.*|"
    "invert|isNo[nt]Null|linearRegression|log.*|scale.*|sigmoid|sin.*|slo.*|squareRoot|time(Function)?|aggregate"
)
"""What these give is of another unit than what they are given, or it depends on their other arguments."""


def meaning_of(target: str, catalog: Catalog, descriptions: Descriptions) -> Description:
    """What is known of what a target gives: what all series have in common that its paths match.

    Its unit is theirs where no function of the target changes it, and theirs a second where one makes a rate.
    """
    try:
        node = parse(target)
        common = _common(descriptions.of(name) for path in _paths(node) for name in _names(catalog, path))
    except QueryError:  # what is no target has no answer either, which says why
        return NOTHING
    return common._replace(unit=_unit(common.unit, _functions(node)))


def _names(catalog: Catalog, path: str) -> list[str]:
    return catalog.names(catalog.find(path)[:_NAMES_MAX])


def _paths(node: Node) -> Iterator[str]:
    if isinstance(node, Path):
        yield node.pattern
    elif isinstance(node, Call):
        for inner in (*node.arguments, *node.keywords.values()):
            yield from _paths(inner)


def _functions(node: Node) -> set[str]:
    if not isinstance(node, Call):
        return set()
    inner = (_functions(one) for one in (*node.arguments, *node.keywords.values()))
    return {node.name}.union(*inner)


def _common(descriptions: Iterator[Description]) -> Description:
    first = next(descriptions, NOTHING)
    for other in descriptions:
        if other != first:
            first = Description(*(one if one == two else "" for one, two in zip(first, other, strict=True)))
    return first


def _unit(unit: str, functions: set[str]) -> str:
    if functions & _PERCENT:
        return "%"
    if any(map(_OF_ANOTHER_UNIT.fullmatch, functions)):
        return ""
    return f"{unit}/s" if unit and functions & _RATES and not unit.endswith("/s") else unit
