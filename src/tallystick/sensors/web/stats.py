"""`Stats`: the numbers of the ``/stats/`` page, asked of the server by the application, and the page itself.

The browser asks the application, and the application the server: so the server need not be open to browsers, its token
stays here, and nothing but these few questions can be asked. What was answered is kept for a while, failures too, so
that many readers, or none of them patient, cost the server one question.
"""

import json
import logging
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlencode, urlsplit

from tallystick import sensors
from tallystick.native.names import APP, Place
from tallystick.redirects import NoRedirects

log = logging.getLogger(__name__)

DEFAULT_URL = "http://127.0.0.1:8080"
"""Of the server, where ``TALLYSTICK_SERVER`` says nothing."""
POINTS = 288
"""Slots of a graph at most."""
_TIMEOUT_S = 5.0
_ANSWER_BYTES_MAX = 4 << 20

RANGES: Mapping[str, tuple[str, float]] = {
    "day": ("-24h", 10.0),
    "week": ("-7d", 60.0),
    "month": ("-30d", 300.0),
    "year": ("-1y", 900.0),
}
"""From when each range is, and for how many seconds an answer about it is good."""

_COUNTERS = {"requests": "requests", "404": "response.404", "500": "response.500", "errors": "errors"}
_TIMES = {"lower": "min", "mean": "avg", "p95": "p95", "upper": "max"}
_STATISTICS = "sum,min,avg,p95,max"


class StatsError(Exception):
    """The server cannot be asked; the text is for the log, as it may name places that are nobody's business."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered, and until when that is good by the monotonic clock."""

    until_s: float
    status: int
    body: bytes


class Stats:
    """Asks the server for the numbers of one application; thread-safe.

    Parameters
    ----------
    url, token
        Of the server; by default what ``TALLYSTICK_SERVER`` and ``TALLYSTICK_TOKEN`` say when it is first asked.
    place
        Whose numbers; by default this process's.
    clock
        Gives seconds, for what is kept.
    """

    def __init__(
        self,
        url: str = "",
        token: str = "",
        place: Place | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._url = url
        self._token = token
        self._place = place
        self._clock = clock
        self._kept: dict[str, Kept] = {}
        self._asking = {word: threading.Lock() for word in RANGES}

    def answer(self, word: str) -> tuple[int, bytes]:
        """Status and JSON about a range: ``day``, ``week``, ``month`` or ``year``."""
        if word not in RANGES:
            return 400, _error(f"cannot show range {word[:20]!r}: expected one of {', '.join(RANGES)}")
        kept = self._kept.get(word)
        if kept is None or self._clock() >= kept.until_s:
            with self._asking[word]:  # one asks, the others have its answer
                kept = self._kept.get(word)
                if kept is None or self._clock() >= kept.until_s:
                    kept = self._kept[word] = self._fresh(word)
        return kept.status, kept.body

    def _fresh(self, word: str) -> Kept:
        try:
            status, body = 200, json.dumps(self._ask(word), separators=(",", ":")).encode()
            good_s = RANGES[word][1]
        except StatsError as error:
            log.warning("cannot show numbers: %s", error)
            status, body = 502, _error("cannot show numbers: the Tallystick server gives none; the log says why")
            good_s = RANGES["day"][1]
        return Kept(self._clock() + good_s, status, body)

    def _ask(self, word: str) -> dict[str, Any]:
        place = self._place or sensors.own.life.settings().place
        named = {name: place.name(APP, sensor) for name, sensor in {**_COUNTERS, "times": "response_time"}.items()}
        fields = [*(("target", target) for target in named.values()), ("from", RANGES[word][0])]
        fields += [("points", str(POINTS)), ("statistics", _STATISTICS), ("format", "json")]
        series = self._series(fields)
        try:
            found = {one["name"]: one for one in series}
            told = {"app": place.app, "environment": place.environment, "range": word}
            return told | _graphed({name: found.get(asked, {}) for name, asked in named.items()})
        except (KeyError, TypeError, AttributeError) as error:
            raise StatsError(f"cannot read what {self._server} answers: {error!r}; expected series") from error

    @property
    def _server(self) -> str:
        return (self._url or os.environ.get("TALLYSTICK_SERVER") or DEFAULT_URL).rstrip("/")

    def _series(self, fields: list[tuple[str, str]]) -> list[dict[str, Any]]:
        url = self._server
        if urlsplit(url).scheme not in ("http", "https"):
            raise StatsError(f"cannot ask {url!r}: expected an address such as {DEFAULT_URL} (TALLYSTICK_SERVER)")
        request = urllib.request.Request(f"{url}/api/query", urlencode(fields).encode())
        token = self._token or os.environ.get("TALLYSTICK_TOKEN", "")
        if token:
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        try:
            with _opener.open(request, timeout=_TIMEOUT_S) as response:
                body = response.read(_ANSWER_BYTES_MAX + 1)
            if len(body) > _ANSWER_BYTES_MAX:
                raise StatsError(f"cannot read what {url} answers: more than {_ANSWER_BYTES_MAX} bytes")
            series: list[dict[str, Any]] = json.loads(body)["series"]
        except urllib.error.HTTPError as error:
            with error:
                raise StatsError(f"cannot ask {url}: it answers {error.code} {error.reason}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StatsError(f"cannot ask {url}: {error}; expected a Tallystick server (TALLYSTICK_SERVER)") from error
        return series


def _graphed(found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What the page draws, of what was found of each sensor: one time line, and a column for each line of a graph."""
    first = next((one for one in found.values() if one), {"start": 0, "step": 60})
    columns: dict[str, Sequence[float | None]] = {}
    for name in _COUNTERS:
        columns[name] = found[name].get("statistics", {}).get("sum", [])
    for name, statistic in _TIMES.items():
        columns[name] = found["times"].get("statistics", {}).get(statistic, [])
    return {"start": first["start"], "step": first["step"], "columns": columns}


_opener = urllib.request.build_opener(NoRedirects, urllib.request.ProxyHandler({}))


def _error(text: str) -> bytes:
    return json.dumps({"error": text}).encode()
