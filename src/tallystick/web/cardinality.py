"""``/api/cardinality``: whose series there are how many of, which of them came lately, and which nobody reads."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.census import Census, report
from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.web.reading import as_json, parameters
from tallystick.web.workers import Workers

_GROUPS = 100
_GROUPS_MAX = 10_000
_UNREAD_DAYS = 30
_DAYS_MAX = 10_000


def cardinality_routes(census: Census, clock: Clock, workers: Workers) -> list[BaseRoute]:
    """The route of the report."""

    async def cardinality(request: Request) -> Response:
        given = await parameters(request)
        days, limit = given.whole("unread_days"), given.whole("limit") or _GROUPS
        days = _UNREAD_DAYS if days is None else days
        if not 0 <= days <= _DAYS_MAX:
            raise QueryError(f"cannot look {days} days back; expected 0 to {_DAYS_MAX}")
        limit = max(min(limit, _GROUPS_MAX), 1)
        found = await workers.run(report, census, clock.now(), given.one("under"), days, limit)
        return as_json(found, given)

    return [Route("/api/cardinality", cardinality, methods=["GET", "POST"])]
