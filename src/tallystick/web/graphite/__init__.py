"""Graphite's HTTP API, for Grafana and whatever else speaks it."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from tallystick.described import Descriptions
from tallystick.model.clock import Clock
from tallystick.query import Evaluator, EventSource, QueryLimits
from tallystick.store.contract import StoreReader
from tallystick.web.graphite.finding import finding_routes
from tallystick.web.graphite.functions import function_routes
from tallystick.web.graphite.rendering import rendering_routes
from tallystick.web.graphite.tags import tag_routes
from tallystick.web.reading import slashed
from tallystick.web.workers import Workers

VERSION = "1.1.10"
"""The release of graphite-web whose API this is."""


def graphite_routes(
    store: StoreReader,
    limits: QueryLimits,
    clock: Clock,
    workers: Workers | None = None,
    events: EventSource | None = None,
    descriptions: Descriptions | None = None,
) -> list[BaseRoute]:
    """Routes that answer as graphite-web does."""
    workers = workers or Workers(limits.workers)

    async def version(request: Request) -> Response:
        return HTMLResponse(f"{VERSION}\n")

    return [
        *rendering_routes(Evaluator(store, clock, limits, events), clock, workers),
        *finding_routes(store, clock, workers, descriptions or Descriptions(None, clock)),
        *slashed("/version", version),
        *function_routes(),
        *tag_routes(store, workers),
    ]
