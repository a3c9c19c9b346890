"""`LogReader`: what the lines of one ``[[logs]]`` are turned into."""

import re
from collections.abc import Sequence
from pathlib import Path

from tallystick.agent.logs.errors import ERROR, ErrorKinds
from tallystick.agent.logs.measures import Measure, Patterned, Requests
from tallystick.agent.tallies import Tallies
from tallystick.config.logs import Log
from tallystick.native.names import component

_SUFFIXES = re.compile(r"(?:[._-](?:access|error|other_vhosts_access))?\.log$")


class LogReader:
    """Counts what lines say, and knows the kinds of errors among them.

    Parameters
    ----------
    log
        What they look like.
    path
        Where they come from, for the name of the program if `log` has none.
    """

    def __init__(self, log: Log, path: Path) -> None:
        self.app = log.app or component(_SUFFIXES.sub("", path.name) or path.stem)
        self.errors = ErrorKinds() if log.counts_errors else None
        self.unread = 0
        self._error = re.compile(log.error_pattern.encode()) if log.error_pattern else ERROR
        self._measure: Measure | None = None
        if log.format:
            self._measure = Requests(log.format, self.app)
        elif log.pattern:
            self._measure = Patterned(log.pattern, log.metrics, self.app)

    def read(self, lines: Sequence[bytes], now_s: float, into: Tallies) -> None:
        """Count lines; those that are not of the format are counted in `unread`."""
        if self._measure is not None:
            self.unread += self._measure.read(lines, now_s, into)
        if self.errors is not None:
            at_ms = int(1000 * now_s)
            for line in lines:
                if self._error.search(line):
                    kind = self.errors.add(line, now_s)
                    into.count(f"{self.app}.error_lines", at_ms=at_ms)
                    into.count(f"{self.app}.error_lines.{kind.fingerprint}", at_ms=at_ms)
