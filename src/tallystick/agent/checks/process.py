"""Whether a program runs: ``checks.<name>.count`` processes.

Down for ``missing`` if there are too few, ``many`` if too many, ``pidfile`` if that cannot be read or names nobody.
"""

import re
from collections.abc import Iterator
from typing import Annotated

from tallystick.agent.checks.base import Check, CheckError
from tallystick.agent.checks.registry import check
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Process, Surroundings
from tallystick.config.table import Conflict, Table, expression, key
from tallystick.model.point import Point


class Settings(Table, frozen=True):
    """Which program, and how often."""

    program: Annotated[str, key("Name of the process or of its file, as nginx.")] = ""
    match: Annotated[str, key("Or a regular expression that is searched in the command line.", expression)] = ""
    pidfile: Annotated[str, key("Or a file with its number.")] = ""
    count_min: Annotated[int, key("So many at least.", ge=0)] = 1
    count_max: Annotated[int, key("So many at most; 0 for any number.", ge=0)] = 0

    def conflicts(self) -> Iterator[Conflict]:
        if sum(map(bool, (self.program, self.match, self.pidfile))) != 1:
            yield (), "it has to find processes in one way; expected one of program, match and pidfile"
        if self.count_max and self.count_max < self.count_min:
            yield ("count_max",), f"it is less than count_min; expected {self.count_min} at least"


METRICS = (Told("count", "processes", "Processes that were found"),)


@check("process", Settings)
class Running(Check[Settings]):
    """Of the processes that the agent can see."""

    TELLS = METRICS

    def look(self) -> Iterator[Point]:
        found = len(self._found())
        yield Point("count", float(found))
        what = self.settings.program or self.settings.match or self.settings.pidfile
        if found < self.settings.count_min:
            raise CheckError("missing", f"{found} processes of {what}; expected {self.settings.count_min}")
        if self.settings.count_max and found > self.settings.count_max:
            raise CheckError("many", f"{found} processes of {what}; expected {self.settings.count_max} at most")

    def _found(self) -> list[Process]:
        around = Surroundings(self.host)
        if self.settings.program:
            return around.running(self.settings.program)
        if self.settings.match:
            match = re.compile(self.settings.match)
            return [process for process in around.processes if match.search(" ".join(process.arguments))]
        number = self._number()
        return [process for process in around.processes if process.pid == number]

    def _number(self) -> int:
        try:
            return int(self.host.text(self.settings.pidfile))
        except (OSError, ValueError) as error:
            raise CheckError("pidfile", f"{self.settings.pidfile} cannot be read: {error}") from error
