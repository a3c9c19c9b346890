"""What Munin's plug-ins say, and how they are configured.

A plug-in is a program: with the word ``config`` it says what its fields are, without one their values. ``multigraph``
begins another graph. ``plugin-conf.d`` has files of sections: ``[glob]`` for the plug-ins meant, then ``user``,
``group``, ``timeout`` and ``env.NAME value``.

Source: https://guide.munin-monitoring.org/en/latest/reference/plugin.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple

from tallystick.agent.services.reading import number
from tallystick.native.names import component, dotted

GROWING = ("COUNTER", "DERIVE")
RESET_BY_LOOKING = "ABSOLUTE"

_LINE = re.compile(r"([^.\s]+)\.(\S+)[ \t]+(.*)")
_LINES_MAX = 10_000
_SECTION = re.compile(r"\[([^\]]+)\]")


class Value(NamedTuple):
    """A field's value, and its type in the words of RRDtool: ``GAUGE``, ``COUNTER``, ``DERIVE``, ``ABSOLUTE``."""

    name: str
    type: str
    value: float


@dataclass(frozen=True, slots=True)
class Way:
    """How a plug-in is run.

    Parameters
    ----------
    user, group
        Empty for nobody in particular.
    timeout_s
        None for the usual one.
    """

    user: str = ""
    group: str = ""
    timeout_s: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class Said:
    """What a plug-in said to one question.

    Parameters
    ----------
    plugin
        Its graph, if it does not tell of several.
    """

    def __init__(self, plugin: str, text: str) -> None:
        self.types: dict[str, str] = {}
        self.values: dict[str, float] = {}
        graph = plugin
        for line in text.splitlines()[:_LINES_MAX]:
            if line.startswith("multigraph "):
                graph = line.partition(" ")[2].strip()
            elif found := _LINE.match(line.strip()):
                name = f"{dotted(graph)}.{component(found[1])}"
                if found[2] == "type":
                    self.types[name] = found[3].strip().upper()
                elif found[2] == "value":
                    value = number(found[3].partition(":")[2] or found[3])
                    if value is not None:  # U is for one that cannot be told
                        self.values[name] = value

    def told(self, types: Mapping[str, str]) -> list[Value]:
        """The values, by types that were told before."""
        return [Value(name, types.get(name, "GAUGE"), value) for name, value in self.values.items()]


def way_of(plugin: str, files: Iterable[str]) -> Way:
    """How a plug-in is run, by the texts of ``plugin-conf.d`` in their order; what comes later counts."""
    way = Way()
    for text in files:
        meant = False
        for raw in text.splitlines():
            line = raw.strip()
            if found := _SECTION.fullmatch(line):
                meant = any(fnmatchcase(plugin, glob.strip()) for glob in found[1].split())
            elif meant and line and not line.startswith("#"):
                way = _with(way, line)
    return way


def _with(way: Way, line: str) -> Way:
    key, _, value = line.partition(" ")
    value = value.strip()
    if key == "user":
        return replace(way, user=value)
    if key == "group":
        return replace(way, group=value.split(",")[0].strip().strip("()"))
    if key == "timeout" and (seconds := number(value)):
        return replace(way, timeout_s=seconds)
    if key.startswith("env.") and len(key) > 4:
        return replace(way, environment={**way.environment, key[4:]: value})
    return way
