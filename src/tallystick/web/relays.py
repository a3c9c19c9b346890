"""``/api/relays``: how the servers are that samples are handed on to."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.relay import Relaying
from tallystick.web.reading import as_json, parameters


def relay_routes(relaying: Relaying) -> list[BaseRoute]:
    """The route that tells."""

    async def relays(request: Request) -> Response:
        return as_json({"servers": relaying.standings()}, await parameters(request))

    return [Route("/api/relays", relays, methods=["GET", "POST"])]
