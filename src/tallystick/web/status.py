"""What the server says of itself: ``/healthz``."""

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.web.access import STRANGER


class Health(msgspec.Struct, frozen=True):
    """Answer of ``/healthz``.

    Parameters
    ----------
    status
        ``ok``, or ``degraded`` while there are problems.
    unsafe_samples, unsafe_s
        Samples that a power cut would lose now, and the age of the oldest of them in seconds.
    problems
        Of this server, a sentence each.
    notices
        Of hosts that it depends on and that are not its own, such as polled targets; they do not change the status.
    """

    status: str
    version: str
    series: int
    unsafe_samples: int
    unsafe_s: float
    uptime_s: float
    problems: list[str]
    notices: list[str]


def status_routes(health: Callable[[], Health]) -> list[BaseRoute]:
    """The route for whoever wants to know how the server is."""

    async def healthz(request: Request) -> Response:
        answer = health()
        # Load balancers need the status; what is wrong, and where, is for those who may ask.
        return _json({"status": answer.status} if request.scope.get(STRANGER) else answer)

    return [Route("/healthz", healthz)]


def _json(body: object) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(body), 200, headers, media_type="application/json")
