"""Events: ``/events`` as Graphite's clients post and read them, and ``/api/events``, which says what it took.

Answered when they are on disk.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.events import DATA_CHARS_MAX, ONCE_CHARS_MAX, TAGS_MAX, WHAT_CHARS_MAX, Event, EventStore, split_tags
from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.query import parse_time, time_zone
from tallystick.web.errors import BodyError, error_response
from tallystick.web.reading import NOT_JSON, Parameters, as_json, parameters
from tallystick.web.workers import Workers

_BODY_BYTES_MAX = 1 << 20
_LISTED_MAX = 10_000
_YEAR_9999_S = 253402300799


class Told(msgspec.Struct):
    """What a client posts; fields that we do not know are passed over, as Graphite does."""

    what: Annotated[str, msgspec.Meta(min_length=1, max_length=WHAT_CHARS_MAX)]
    tags: list[str] | str | None = None
    when: Annotated[float, msgspec.Meta(ge=0, le=_YEAR_9999_S)] | None = None
    data: Any = ""
    once: Annotated[str, msgspec.Meta(max_length=ONCE_CHARS_MAX)] = ""


def event_routes(events: EventStore, clock: Clock, workers: Workers) -> list[BaseRoute]:
    """The routes that write and read events."""
    writing = CapacityLimiter(1)

    async def post(request: Request) -> Event:
        told = _told(await _body(request))
        return await to_thread.run_sync(lambda: events.add(*told), limiter=writing)

    async def found(request: Request, given: Parameters) -> list[Event]:
        return await workers.run(_finding(events, given, clock))

    async def graphite_events(request: Request) -> Response:
        if request.method == "POST":
            event = await post(request)
            return Response(b"", 200, {"location": f"/events/{event.id}/"})
        given = await parameters(request)
        return as_json(list(map(_as_graphite, await found(request, given))), given)

    async def get_data(request: Request) -> Response:
        given = await parameters(request)
        return as_json(list(map(_as_graphite, await found(request, given))), given)

    async def one(request: Request) -> Response:
        number = request.path_params["number"]
        if request.method == "DELETE":
            removed = await to_thread.run_sync(events.remove, number, limiter=writing)
            return Response(b"", 204) if removed else _missing(number)
        event = await workers.run(events.get, number)
        return _missing(number) if event is None else as_json(_in_detail(event), await parameters(request))

    async def ours(request: Request) -> Response:
        if request.method == "POST":
            return Response(msgspec.json.encode(await post(request)), media_type="application/json")
        given = await parameters(request)
        return as_json({"events": await found(request, given)}, given)

    return [
        Route("/events/get_data", get_data, methods=["GET", "POST"]),
        *(Route(path, graphite_events, methods=["GET", "POST"]) for path in ("/events", "/events/")),
        *(Route(f"/events/{{number:int}}{end}", one, methods=["GET", "DELETE"]) for end in ("", "/")),
        Route("/api/events", ours, methods=["GET", "POST"]),
    ]


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            raise BodyError(413, f"cannot take an event of more than {_BODY_BYTES_MAX} bytes; expected fewer")
    return bytes(body)


def _told(body: bytes) -> tuple[str, Sequence[str], str, int | None, str]:
    """What happened, its tags, its data, its time, if that is told, and the word by which it is kept once."""
    try:
        told = msgspec.json.decode(body, type=Told)
    except NOT_JSON as error:
        raise QueryError(
            f'cannot read the event: {error}; expected JSON such as {{"what": "deploy", "tags": ["shop"]}}, '
            '"tags" as an array or space-separated string, "when" in epoch seconds'
        ) from error
    data = told.data if isinstance(told.data, str) else msgspec.json.encode(told.data).decode()
    if len(data) > DATA_CHARS_MAX:
        raise QueryError(f"cannot keep the event: its data has {len(data)} characters; at most {DATA_CHARS_MAX}")
    tags = split_tags(told.tags if isinstance(told.tags, str) else " ".join(told.tags or ()))
    if len(tags) > TAGS_MAX:
        raise QueryError(f"cannot keep the event: it has {len(tags)} tags; expected at most {TAGS_MAX}")
    return told.what, tags, data, None if told.when is None else int(told.when), told.once


def _finding(events: EventStore, given: Parameters, clock: Clock) -> Callable[[], list[Event]]:
    """The search that a request asks for."""
    now_s, zone = int(clock.now()), time_zone(given.one("tz"))
    from_s, until_s = (
        parse_time(text, now_s, zone) if text else default
        for text, default in ((given.one("from"), 0), (given.one("until"), now_s))
    )
    tags = split_tags(" ".join(given.all("tags")))
    operation = given.one("set") or "intersection"
    if operation not in ("intersection", "union"):
        raise QueryError(f"cannot find events by set={operation!r}: expected union or intersection")
    limit = min(given.whole("limit") or _LISTED_MAX, _LISTED_MAX)
    wanted = () if tags == ("*",) else tags
    return lambda: events.find(from_s, until_s, wanted, any_tag=operation == "union", limit=limit)


def _as_graphite(event: Event) -> dict[str, object]:
    return {
        "when": event.time_s,
        "what": event.what,
        "data": event.data,
        "tags": event.tags,
        "id": event.id,
    }


def _in_detail(event: Event) -> dict[str, object]:
    when = datetime.fromtimestamp(event.time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": event.id, "when": when, "what": event.what, "data": event.data, "tags": event.tags}


def _missing(number: int) -> Response:
    return error_response(404, f"cannot find event {number}: Event matching query does not exist")
