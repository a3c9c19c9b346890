"""Our own reads: for the pages series with their min/max band and names by words, for programs columns.

A program says which statistics it wants, or that it takes Arrow, and gets all series on one time line. Who wants to
follow a query gets its new slots as they close.
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.described import Descriptions
from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.query import Evaluator, EventSource, QueryLimits
from tallystick.query.known import known_parts, known_series
from tallystick.query.table import parse_wanted, read_table
from tallystick.render import Rendered, as_arrow
from tallystick.store.contract import StoreReader
from tallystick.web.answers import COLUMNS_TYPE, columns_of, json_of, lines_of, packed_bands, packed_table
from tallystick.web.live import EVENTS_TYPE, Live
from tallystick.web.reading import Parameters, answered, as_json, parameters, reading
from tallystick.web.workers import IsGone, Workers

_POINTS = 800
_NAMES = 50
_NAMES_MAX = 1000
_FORMS = {
    "arrow": as_arrow.MEDIA_TYPE,
    "columns": COLUMNS_TYPE,
    "events": EVENTS_TYPE,
    "json": "application/json",
}
"""Forms of an answer to ``/api/query``, and the media type by which a request accepts each."""


def api_routes(
    store: StoreReader,
    limits: QueryLimits,
    clock: Clock,
    workers: Workers | None = None,
    events: EventSource | None = None,
    descriptions: Descriptions | None = None,
) -> list[BaseRoute]:
    """Routes of our own API that read."""
    workers = workers or Workers(limits.workers)
    described = descriptions or Descriptions(None, clock)
    evaluator = Evaluator(store, clock, limits, events)
    live = Live(store, evaluator, workers, clock)

    async def query(request: Request) -> Response:
        given = await parameters(request)
        targets = [target for target in given.all("target") if target.strip()]
        if not targets:
            raise QueryError("cannot answer: missing required parameter 'target'; expected a path such as web.*.cpu")
        asked = reading(given, int(clock.now()), "-1h", "points")
        asked = replace(asked, step_s=given.whole("step"))
        words = [word for one in given.all("statistics") for word in one.split(",") if word]
        form, meta = _form(request, given), given.flag("meta")
        if form != "arrow" and asked.slots_max is None and asked.step_s is None:
            asked = replace(asked, slots_max=_POINTS)
        if form == "events":
            if words or given.one("until") or given.one("now"):
                raise QueryError("cannot follow a query with 'statistics', 'until' or 'now'; expected it without them")
            return await live.follow(request, targets, asked)

        def answer(is_gone: IsGone) -> Rendered:
            if form == "arrow" or words:
                table = read_table(evaluator, targets, asked, parse_wanted(words), is_gone)
                if form == "arrow":
                    return as_arrow.rendered_table(table)
                if form == "columns":
                    return packed_table(table, asked)
                return Rendered(json_of(asked, columns_of(table)), _FORMS["json"])
            bands = evaluator.bands(targets, asked, is_gone)
            if form == "columns":
                return packed_bands(store, targets, bands, asked)
            return Rendered(
                json_of(asked, list(lines_of(store, targets, bands, asked, described if meta else None))),
                _FORMS["json"],
            )

        return answered(await workers.answer(request, answer))

    async def search(request: Request) -> Response:
        given = await parameters(request)
        limit = min(given.whole("limit") or _NAMES, _NAMES_MAX)
        names = await workers.run(store.catalog.search, given.one("q"), limit)
        return as_json({"names": names}, given)

    async def series(request: Request) -> Response:
        given = await parameters(request)
        pattern, expressions = given.one("query"), given.all("expr")
        found = await workers.run(known_series, store, pattern, expressions, limits.series_max)
        return as_json({"series": found}, given)

    async def parts(request: Request) -> Response:
        given = await parameters(request)
        asked = reading(given, int(clock.now()), "-1y", "")
        pattern, expressions = given.one("query"), given.all("expr")
        found = await workers.run(
            known_parts, store, pattern, expressions, asked.from_s, asked.until_s, limits.series_max
        )
        return as_json({"parts": found}, given)

    return [
        Route("/api/query", query, methods=["GET", "POST"]),
        Route("/api/search", search, methods=["GET", "POST"]),
        Route("/api/series", series, methods=["GET", "POST"]),
        Route("/api/parts", parts, methods=["GET", "POST"]),
    ]


def _form(request: Request, given: Parameters) -> str:
    """The form of the answer: the one that is named, else the one that the request accepts."""
    accepted = request.headers.get("accept", "")
    form = given.one("format") or next((form for form, kind in _FORMS.items() if kind in accepted), "json")
    if form not in _FORMS:
        raise QueryError(f"cannot write format {form!r}: not supported here; expected one of {', '.join(_FORMS)}")
    return form
