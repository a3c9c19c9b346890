"""``POST /api/write``: carbon lines in the body, answered once they are safe on disk."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.parse import protocols
from tallystick.web.writes.writing import Writing

PATH = "/api/write"


def routes(writing: Writing) -> list[BaseRoute]:
    """The route of our own."""
    taker = writing.taker(PATH)
    parser = protocols()["carbon"]()

    async def write(request: Request) -> Response:
        written = await taker.take(request, parser)
        answer = msgspec.json.encode({"stored": written.stored, "rejected": written.rejected})
        return Response(answer, 503 if written.is_store_full else 200, media_type="application/json")

    return [Route(PATH, write, methods=["POST"])]
