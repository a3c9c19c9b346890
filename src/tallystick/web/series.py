"""``POST /api/series/delete`` and ``/api/series/rename``: answered once it is safe on disk."""

import msgspec
import numpy as np
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.store.contract import Store
from tallystick.store.finding import one_series, selected_series, usable_name
from tallystick.web.reading import parameters


def series_routes(store: Store) -> list[BaseRoute]:
    """The routes that change series."""
    limiter = CapacityLimiter(1)  # one at a time: each waits for the disk

    async def delete(request: Request) -> Response:
        given = await parameters(request)
        ids = selected_series(store.catalog, given.one("query"), given.all("expr"))
        await to_thread.run_sync(store.delete, ids, limiter=limiter)
        return _answer({"deleted": len(np.unique(ids))})

    async def rename(request: Request) -> Response:
        given = await parameters(request)
        series, name = one_series(store.catalog, given.one("query")), usable_name(given.one("name"))
        old = store.catalog.names(np.array([series], np.int32))[0]
        await to_thread.run_sync(store.rename, series, name, limiter=limiter)
        return _answer({"renamed": old, "name": name})

    return [
        Route("/api/series/delete", delete, methods=["POST"]),
        Route("/api/series/rename", rename, methods=["POST"]),
    ]


def _answer(value: dict[str, object]) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
