"""OpenTSDB's HTTP API, its reading half: what Grafana's data source and people's scripts ask of it.

It is answered on the port of OpenTSDB's lines, and on `http.address`: there ``/api/query`` is ours as well, and a query
in JSON, or with ``m`` in its address, is OpenTSDB's, since ours takes neither.
"""

from collections.abc import Mapping
from datetime import UTC

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from tallystick.events import Event
from tallystick.model.errors import QueryError
from tallystick.query.opentsdb import (
    AGGREGATORS,
    FILTER_KINDS,
    Known,
    Question,
    Suggestions,
    UnknownNameError,
    answer,
    last_points,
    look_up,
    parse_moment,
)
from tallystick.query.session import Session
from tallystick.render import wrapped
from tallystick.web.opentsdb.answers import annotation, encoded, error_answer, json_answer, told
from tallystick.web.opentsdb.bodies import (
    LastBody,
    LastSeries,
    LookupBody,
    QueryBody,
    Shown,
    SuggestBody,
    TagBody,
    question_of_address,
    question_of_body,
    read_body,
    series_of_text,
)
from tallystick.web.reading import Endpoint, Reads, answered
from tallystick.web.workers import IsGone

QUERY_PATH = "/api/query"
_SUGGESTED = 25
_LOOKED_UP = 25
_ANNOTATIONS_MAX = 1000
_LISTED_MAX = 100_000
_BOTH = ["GET", "POST"]
_ANY = [*_BOTH, "PUT", "DELETE"]
_CONFIG = {
    "tsd.core.auto_create_metrics": "true",
    "tsd.http.query.allow_delete": "false",
    "tsd.http.show_stack_trace": "false",
    "tsd.query.skip_unresolved_tagvs": "true",
}
"""What is so of OpenTSDB's settings; its clients look for nothing else."""
_REFUSED: Mapping[str, str] = {
    "/api/query/exp": "expressions are those of /render",
    "/api/query/gexp": "Graphite's functions are at /render",
    "/api/annotation": "events are written at /events",
    "/api/annotation/bulk": "events are written at /events",
    "/api/dropcaches": "there are none",
    "/api/histogram": "histograms come by StatsD, OpenTelemetry and Prometheus",
    "/api/rollup": "coarser resolutions are made here",
    "/api/stats": "counts are at /ledger",
    "/api/stats/{rest:path}": "counts are at /ledger",
    "/api/tree": "names are a tree already: /metrics/find",
    "/api/tree/{rest:path}": "names are a tree already: /metrics/find",
    "/api/uid/{rest:path}": "series have names and no numbers",
    "/q": "pictures are drawn at /render",
}
"""What of OpenTSDB's API is not answered, and what is there instead."""


class _OpenTsdbsOwn(Route):
    """The route of queries where a path is shared with ours."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, more = super().matches(scope)
        return (match, more) if match is Match.NONE or _is_opentsdbs(scope) else (Match.NONE, {})


def _is_opentsdbs(scope: Scope) -> bool:
    given = QueryParams(scope["query_string"])
    return "m" in given or "tsuid" in given or "json" in Headers(scope=scope).get("content-type", "")


class OpenTsdb:
    """Answers OpenTSDB's questions from a store.

    Parameters
    ----------
    reads
        The store, and events, which are told as global annotations.
    """

    def __init__(self, reads: Reads) -> None:
        self._store = reads.store
        self._limits = reads.limits
        self._clock = reads.clock
        self._workers = reads.workers
        self._events = reads.events
        self._suggestions = Suggestions(reads.store, reads.clock)

    def routes(self, *, shared: bool) -> list[BaseRoute]:
        """All of them.

        Parameters
        ----------
        shared
            Whether another API has ``/api/query`` as well.
        """
        query = _OpenTsdbsOwn if shared else Route
        return [
            query(QUERY_PATH, told(self._query), methods=_BOTH),
            _route("/api/query/last", self._last),
            _route("/api/suggest", self._suggest),
            _route("/api/search/lookup", self._look_up),
            _route("/api/annotations", self._annotations),
            _route("/api/aggregators", self._aggregators),
            _route("/api/config", self._config),
            _route("/api/config/filters", self._filters),
        ]

    def refusals(self) -> list[BaseRoute]:
        """What of OpenTSDB's API is not answered."""
        return [Route(path, _refusal(path, instead), methods=_ANY) for path, instead in _REFUSED.items()]

    def _session(self) -> Session:
        return Session(self._store, self._clock, self._limits, self._clock.monotonic())

    async def _query(self, request: Request) -> Response:
        now_ms = int(self._clock.now() * 1000)
        given = request.query_params
        if request.method == "POST":
            body = await read_body(request, QueryBody)
            question, shown = question_of_body(body, now_ms, arrays="arrays" in given)
        else:
            question, shown = question_of_address(given, now_ms)
        found = await self._workers.answer(request, lambda gone: self._answer(question, shown, gone))
        return answered(wrapped(found, given.get("jsonp") or None))

    def _answer(self, question: Question, shown: Shown, is_gone: IsGone) -> bytes:
        session = self._session()
        session.is_gone = is_gone
        found = answer(session, question)
        events: list[Event] = []
        if shown.annotations:
            events = self._events.find(question.start_ms // 1000, question.end_ms // 1000, limit=_ANNOTATIONS_MAX)
        session.check_time()
        return encoded(found, shown, events, round((self._clock.monotonic() - session.started_s) * 1000, 3))

    async def _last(self, request: Request) -> Response:
        if request.method == "POST":
            asked = await read_body(request, LastBody)
        else:
            asked = _last_of_address(request.query_params)
        if not asked.queries:
            raise QueryError("Missing sub queries; expected timeseries=metric{key=value}")
        return json_answer(await self._workers.run(self._last_points, asked))

    def _last_points(self, asked: LastBody) -> list[dict[str, object]]:
        session = self._session()
        found: list[dict[str, object]] = []
        for one in asked.queries or ():
            if one.tsuids or not one.metric:
                raise QueryError("cannot find series by tsuids: series have names only; expected a metric and tags")
            for known, at_s, value in last_points(session, one.metric, one.tags or {}, asked.back_scan * 3600):
                point: dict[str, object] = {"timestamp": at_s * 1000, "value": _spelt(value), "tsuid": known.tsuid}
                names = {"metric": known.metric, "tags": known.tags} if asked.resolve_names else {}
                found.append(names | point)
        return found

    async def _suggest(self, request: Request) -> Response:
        given = request.query_params
        if request.method == "POST":
            asked = await read_body(request, SuggestBody)
        else:
            asked = SuggestBody(given.get("type", ""), given.get("q"), _whole(given, "max"))
        if not asked.type:
            raise QueryError("Missing 'type' parameter; expected metrics, tagk or tagv")
        limit = min(asked.max or _SUGGESTED, _LISTED_MAX)
        words = await self._workers.run(self._suggestions.starting_with, asked.type, asked.q or "", limit)
        return json_answer(words)

    async def _look_up(self, request: Request) -> Response:
        given = request.query_params
        if request.method == "POST":
            asked = await read_body(request, LookupBody)
        elif "m" not in given:
            raise QueryError("Missing parameter <code>m</code>; expected m=metric{key=value}")
        else:
            metric, pairs = series_of_text(given["m"])
            limit = _whole(given, "limit")
            asked = LookupBody(metric, [TagBody(*pair) for pair in pairs], _LOOKED_UP if limit is None else limit)
        tags = [(tag.key, tag.value) for tag in asked.tags or ()]
        began_s = self._clock.monotonic()
        try:
            found = await self._workers.run(look_up, self._store.catalog, asked.metric or "", tags)
        except UnknownNameError as error:
            return error_answer(404, "Unable to resolve one or more UIDs", str(error))
        return json_answer(_looked_up(asked, found, self._clock.monotonic() - began_s))

    async def _annotations(self, request: Request) -> Response:
        given = request.query_params
        if request.method == "POST":
            return error_answer(501, "cannot take annotations: not supported; expected /events")
        now_ms = int(self._clock.now() * 1000)
        from_s, until_s = (
            parse_moment(given.get(name) or default, now_ms, UTC) // 1000
            for name, default in (("start_time", "0"), ("end_time", "now"))
        )
        found = await self._workers.run(lambda: self._events.find(from_s, until_s, limit=_ANNOTATIONS_MAX))
        return json_answer([annotation(one) for one in found])

    async def _aggregators(self, request: Request) -> Response:
        return json_answer(list(AGGREGATORS))

    async def _config(self, request: Request) -> Response:
        return json_answer(_CONFIG)

    async def _filters(self, request: Request) -> Response:
        kinds = FILTER_KINDS.items()
        return json_answer({name: {"examples": kind.examples, "description": kind.description} for name, kind in kinds})


def _route(path: str, endpoint: Endpoint) -> Route:
    return Route(path, told(endpoint), methods=_BOTH)


def _refusal(path: str, instead: str) -> Endpoint:
    async def refuse(request: Request) -> Response:
        return error_answer(501, f"cannot answer {path.partition('/{')[0]}: not supported; {instead}")

    return refuse


def _last_of_address(given: QueryParams) -> LastBody:
    if "tsuids" in given:
        raise QueryError("cannot find series by tsuids: series have names only; expected timeseries=metric{key=value}")
    queries = []
    for text in given.getlist("timeseries"):
        metric, pairs = series_of_text(text)
        queries.append(LastSeries(metric, dict(pairs)))
    return LastBody(queries, "resolve" in given, _whole(given, "back_scan") or 0)


def _looked_up(asked: LookupBody, found: list[Known], took_s: float) -> dict[str, object]:
    limit = min(asked.limit, _LISTED_MAX) if asked.limit > 0 else _LISTED_MAX
    return {
        "type": "LOOKUP",
        "metric": asked.metric or "*",
        "tags": [{"key": tag.key, "value": tag.value} for tag in asked.tags or ()],
        "limit": asked.limit,
        "time": round(took_s * 1000),
        "results": [{"tsuid": one.tsuid, "metric": one.metric, "tags": one.tags} for one in found[:limit]],
        "startIndex": 0,
        "totalResults": len(found),
    }


def _whole(given: QueryParams, name: str) -> int | None:
    text = given.get(name) or ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise QueryError(f"Unable to parse {name!r} as a number: {text[:50]!r}; expected a whole one")
    return int(text)


def _spelt(value: float) -> str:
    """A number as text: a whole one without its point."""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
