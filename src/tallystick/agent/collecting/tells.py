"""What collectors say of their numbers: a table of names, units and meanings, alike for the host and for services.

A table is looked at once for each name (`Names`); so are servers (`tallystick.agent.collecting.describing`).
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from tallystick.model.point import Point

NAMES_MAX = 5000
"""So many names of one collector are kept as they were made; beyond that they are made anew."""

_VARYING = re.compile("<[^<>]*>")
_UNITS = {"bytes": "bytes", "percent": "percent", "s": "seconds", "seconds": "seconds", "ms": "ms"}


class Tells(Protocol):
    """A line of a collector's table."""

    @property
    def name(self) -> str:
        """Below that of the collector, with what varies in angle brackets: ``database.<database>.commits``."""
        ...

    @property
    def unit(self) -> str:
        """Of the values: ``bytes``, ``packets/s``, ``1`` for what has none; empty if the whole name tells it.

        What has one unit shares a graph on the pages, so those that are compared have the same.
        """
        ...

    @property
    def meaning(self) -> str:
        """One line for people."""
        ...


class Told(NamedTuple):
    """What is told as it is read; see `Tells`."""

    name: str
    unit: str
    meaning: str


class _Said(NamedTuple):
    """What is the same in all points of a series."""

    name: str
    unit: str
    description: str


class Names:
    """Makes what is handed on of what a collector yields: whole names, with what its table says of them.

    Parameters
    ----------
    prefix
        Stands before the collector's names, with its dot.
    tells
        Its table.
    """

    def __init__(self, prefix: str, tells: Iterable[Tells]) -> None:
        self._prefix = prefix
        self._tells = tuple(tells)
        self._said: dict[str, _Said] = {}

    def whole(self, point: Point) -> Point:
        """A point with its whole name; what it says of itself counts more than the table."""
        said = self._said.get(point.name)
        if said is None:
            if len(self._said) >= NAMES_MAX:
                self._said.clear()
            said = self._said[point.name] = self._say(point.name)
        return Point(said.name, point.value, point.kind, point.unit or said.unit, point.description or said.description)

    @property
    def kept(self) -> int:
        """How many names are kept."""
        return len(self._said)

    def _say(self, name: str) -> _Said:
        told = line_of(name, self._tells)
        unit, meaning = (told.unit, told.meaning) if told else ("", "")
        return _Said(f"{self._prefix}{name}", unit or unit_of(name), meaning)


def line_of(name: str, tells: Iterable[Tells]) -> Tells | None:
    """The line of a table that is about a name, the one that says most of it literally; None if there is none."""
    fitting = [one for one in tells if _fits(name, _literal(one.name))]
    return max(fitting, key=lambda one: len("".join(_literal(one.name))), default=None)


def _literal(pattern: str) -> list[str]:
    """What stands before, between and behind all that varies."""
    return _VARYING.split(pattern)


def _fits(name: str, literal: Sequence[str]) -> bool:
    """Whether a name is these, with something between each two of them."""
    first, *others = literal
    if not others or not name.startswith(first):
        return name == first
    at = len(first)
    for between in others[:-1]:
        found = name.find(between, at + 1)
        if found < 0:
            return False
        at = found + len(between)
    return name.endswith(others[-1]) and at < len(name) - len(others[-1])


def unit_of(name: str, *, per_second: bool = False) -> str:
    """The unit that stands last in a name; of a rate of what has none that it is one."""
    unit = _UNITS.get(name.rpartition(".")[2].rpartition("_")[2], "")
    if not per_second or unit == "percent":
        return unit
    return f"{unit or '1'}/s"
