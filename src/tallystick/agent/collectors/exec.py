"""Any program by interval: ``exec.<instance>.<name>`` of what it says.

It says lines of Graphite, ``name value``, with a time behind it if it has to be: it is of now. Or it is a plug-in of
Nagios: then its performance data is read, and what it ended with is ``state``.
"""

import re
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec

from tallystick.agent.collecting.collector import IncompleteError, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.agent.services import nagios
from tallystick.agent.services.command import Result, run
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.reading import Looks, Metric, Reading, number
from tallystick.config.table import Table, key, one_of
from tallystick.model.point import Point
from tallystick.native.names import dotted

METRICS = (
    Metric("<name>", "", "What the program says, as a level or, of names in 'growing', per second"),
    Metric("duration_s", "", "How long the program ran"),
    Metric("state", "", "Of a plug-in: 0 well, 1 warning, 2 critical, 3 unknown"),
    Told("<label>.warning_below", "", "Of a plug-in: below this it warns"),
    Told("<label>.warning_above", "", "Of a plug-in: above this it warns"),
    Told("<label>.critical_below", "", "Of a plug-in: below this it is critical"),
    Told("<label>.critical_above", "", "Of a plug-in: above this it is critical"),
    Told("<label>.minimum", "", "Of a plug-in: least that its number can be"),
    Told("<label>.maximum", "", "Of a plug-in: most that its number can be"),
)
_FORMATS = ("graphite", "nagios")
_LINES_MAX = 10_000
_FAR_S = 3600.0
_NOW = ("-1", "N")


def _command(words: tuple[str, ...]) -> None:
    if not words or not words[0] or any("\0" in word for word in words):
        raise ValueError("a command needs a program; expected it and its arguments, a word each: no shell reads them")
    if not Path(words[0]).is_absolute():
        raise ValueError(f"{words[0]!r} is no absolute path; expected one such as /usr/local/bin/queue-length")


class Settings(Table, frozen=True):
    """A program that is run at each look."""

    command: Annotated[tuple[str, ...], key("The program and its arguments, a word each; no shell reads it.", _command)]
    format: Annotated[
        str, key("What it says: graphite ('name value [time]' a line) or nagios.", one_of("format", _FORMATS))
    ] = "graphite"
    growing: Annotated[tuple[str, ...], key("Globs of names that only grow: they are told per second.")] = ()
    environment: Annotated[dict[str, str], key("Its environment, beside PATH.")] = msgspec.field(default_factory=dict)
    directory: Annotated[str, key("Where it runs.")] = "/"
    user: Annotated[str, key("Who it runs as, if the agent is root's; empty for the agent's own user.")] = ""


@collector("exec", Settings)
class Exec(Service[Settings]):
    """Runs a program, never twice at a time."""

    TELLS = METRICS

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        settings = self.settings
        begun_s = time.monotonic()
        result = run(
            settings.command, self.limit_s, settings.environment, directory=settings.directory, user=settings.user
        )
        yield Point("duration_s", round(time.monotonic() - begun_s, 6))
        if settings.format == "nagios":
            yield Point("state", float(result.status if result.status in (0, 1, 2) else 3))
            reading = nagios.read(result.output)
            bad = ""
        else:
            reading, bad = read_lines(result.output, time.time(), settings.growing)
            if result.status:
                raise ServiceError(f"cannot trust {settings.command[0]}: it ended with {_why(result)}; expected 0")
        yield from self._looks.points(reading, monotonic_s)
        if bad:
            raise IncompleteError(f"cannot read {bad[:100]!r} of {settings.command[0]}; expected 'name value' a line")


def read_lines(output: str, now_s: float, growing: tuple[str, ...] = ()) -> tuple[Reading, str]:
    """What a program says in Graphite's lines, and the first line that is none; comments are passed over.

    Raises
    ------
    ServiceError
        If it says too much.
    """
    reading, bad, lines = Reading(), "", output.splitlines()
    if len(lines) > _LINES_MAX:
        raise ServiceError(f"cannot read {len(lines)} lines of a program; expected up to {_LINES_MAX}")
    for line in lines:
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        value = number(fields[1]) if len(fields) in (2, 3) else None
        name = dotted(fields[0])
        if value is None or not name or not re.search(r"[A-Za-z0-9_]", fields[0]) or not _is_now(fields[2:], now_s):
            bad = bad or line
        elif any(fnmatchcase(name, glob) for glob in growing):
            reading.count(name, value, name)
        else:
            reading.levels[name] = value
    return reading, bad


def _is_now(told: list[str], now_s: float) -> bool:
    """Whether a time is about now: what a program says is stored as of its look."""
    at_s = number(told[0]) if told else None
    return not told or told[0] in _NOW or (at_s is not None and abs(at_s - now_s) <= _FAR_S)


def _why(result: Result) -> str:
    first = result.errors.strip().splitlines()[:1]
    return f"{result.status} and {first[0][:200]!r}" if first else str(result.status)
