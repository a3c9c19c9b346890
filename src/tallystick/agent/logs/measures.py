"""What is counted in the lines of a log: of a web server's by its format, of any other by patterns.

Names begin with the program's: ``shop.requests``, ``shop.status.200``. Whoever sends them puts prefixes before them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tallystick.agent.logs.times import Times
from tallystick.agent.logs.weblog import expression
from tallystick.agent.tallies import Tallies
from tallystick.config.logs import LogMetric
from tallystick.native.names import component

_METHODS = {b"OPTIONS", b"TRACE", b"HEAD", b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"CONNECT", b"MKCOL"}
_INVALID = b"invalid"
_WORDS_MAX = 1000
"""What lines may bring into names, of each log; what comes beyond goes by the name `OTHER`."""
OTHER = "other"
_SECONDS_OF = {"took_us": 1e-6, "took_ms": 1e-3, "took_s": 1.0}
_FIELDS = ("vhost", "time", "request", "method", "status", "bytes", *_SECONDS_OF)


class Measure(Protocol):
    """Reads lines."""

    def read(self, lines: Sequence[bytes], now_s: float, into: Tallies) -> int:
        """Count what the lines say; how many of them could not be read."""
        ...


class Words:
    """What lines bring into names: each word once made a component, and only so many different ones."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def component(self, word: bytes) -> str:
        """The word as a component of a name, or `OTHER`."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _WORDS_MAX:
                return OTHER
            known = self._known[word] = component(word.decode("utf-8", "replace"))
        return known


@dataclass(slots=True)
class _Requests:
    """Those to one program in one second."""

    outcomes: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    """By method and status."""
    sizes: list[bytes] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)


class Requests:
    """Requests of a web server: ``requests``, ``status.<code>``, ``method.<name>``, ``bytes`` and ``time_s``.

    Parameters
    ----------
    form
        As `tallystick.agent.logs.weblog.expression` takes it.
    app
        Name of the program; ``{vhost}`` stands for the virtual host.
    """

    def __init__(self, form: str, app: str) -> None:
        text = expression(form)
        # All fields are there, so that a match can be taken apart in one call; those that a format lacks are empty.
        missing = [name for name in _FIELDS if f"(?P<{name}>" not in text]
        self._pattern = re.compile((text + "".join(f"(?P<{name}>)" for name in missing)).encode(), re.ASCII)
        self._app = app
        self._by_vhost = "{vhost}" in app
        self._vhosts = Words()
        self._times = Times()

    def read(self, lines: Sequence[bytes], now_s: float, into: Tallies) -> int:
        """Count the requests; how many lines are none."""
        of: defaultdict[tuple[bytes, bytes], _Requests] = defaultdict(_Requests)
        unread = 0
        match_of = self._pattern.fullmatch
        for line in lines:
            match = match_of(line)
            if match is None:
                unread += 1
                continue
            vhost, time, request, method, status, size, *took = match.group(*_FIELDS)
            requests = of[vhost if self._by_vhost else b"", time]
            requests.outcomes[method or request.partition(b" ")[0], status] += 1
            if size:
                requests.sizes.append(size)
            for text, factor in zip(took, _SECONDS_OF.values(), strict=True):
                if text and (number := _number(text)) is not None:
                    requests.times_s.append(number * factor)
        for (vhost, time), requests in of.items():
            at_ms = self._times.moment_ms(time, now_s)
            self._tell(self._app.replace("{vhost}", self._vhosts.component(vhost or b"")), requests, at_ms, into)
        return unread

    def _tell(self, app: str, requests: _Requests, at_ms: int, into: Tallies) -> None:
        into.count(f"{app}.requests", weight=requests.outcomes.total(), at_ms=at_ms)
        for (method, status), count in requests.outcomes.items():
            known = method if method in _METHODS else _INVALID
            into.count(f"{app}.method.{known.decode()}", weight=count, at_ms=at_ms)
            if status.isdigit() and len(status) == 3:
                into.count(f"{app}.status.{status.decode()}", weight=count, at_ms=at_ms)
        for size in requests.sizes:
            # Nothing was sent: Apache writes a hyphen then.
            into.time(f"{app}.bytes", float(size) if size.isdigit() else 0.0, at_ms=at_ms)
        for took_s in requests.times_s:
            into.time(f"{app}.time_s", took_s, at_ms=at_ms)


class Patterned:
    """What a pattern with named groups finds.

    Parameters
    ----------
    pattern
        Searched for in each line; a group ``time`` says when.
    metrics
        What is made of a line that has it.
    app
        Name of the program.
    """

    def __init__(self, pattern: str, metrics: Sequence[LogMetric], app: str) -> None:
        self._pattern = re.compile(pattern.encode())
        self._metrics = metrics or (LogMetric(name="lines"),)
        self._app = app
        self._words = Words()
        self._times = Times()
        self._timed = "time" in self._pattern.groupindex

    def read(self, lines: Sequence[bytes], now_s: float, into: Tallies) -> int:
        """Count what is found; how many numbers were none. A line without the pattern is no fault."""
        unread = 0
        for line in lines:
            match = self._pattern.search(line)
            if match is None:
                continue
            at_ms = self._times.moment_ms(match["time"] or b"" if self._timed else b"", now_s)
            for metric in self._metrics:
                unread += not self._tell(metric, match, at_ms, into)
        return unread

    def _tell(self, metric: LogMetric, match: re.Match[bytes], at_ms: int, into: Tallies) -> bool:
        """Whether it could be told; a group that took no part in the match is nothing to tell."""
        found = match.groupdict()
        if any(found[group] is None for group in metric.groups):
            return True
        name = self._app + "." + _PLACED.sub(lambda place: self._words.component(found[place[1]]), metric.name)
        if metric.kind == "distinct":
            into.member(name, found[metric.value].decode("utf-8", "replace"), at_ms=at_ms)
            return True
        value = _number(found[metric.value]) if metric.value else 1.0
        if value is None:
            return False
        value *= metric.factor
        if metric.kind == "gauge":
            into.gauge(name, value, at_ms=at_ms)
        elif metric.kind == "timing":
            into.time(name, value, at_ms=at_ms)
        elif value < 0:
            return False
        else:
            into.count(name, value, at_ms=at_ms)
        return True


_PLACED = re.compile(r"{(\w+)}")


def _number(text: bytes) -> float | None:
    """A finite number; of several, as nginx gives of several upstreams, the first."""
    try:
        value = float(text.split(b",")[0])
    except ValueError:
        return None
    return value if abs(value) < 1e300 else None
