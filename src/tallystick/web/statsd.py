"""``/api/statsd/events``: what the last events of DogStatsD's senders said."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.parse.events import EventJournal


def statsd_routes(journal: EventJournal) -> list[BaseRoute]:
    """The routes about StatsD."""

    async def events(request: Request) -> Response:
        return Response(msgspec.json.encode({"events": journal.last()}), media_type="application/json")

    return [Route("/api/statsd/events", events)]
