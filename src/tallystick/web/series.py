"""``POST /api/series/delete`` and ``/api/series/rename``: answered once it is safe on disk."""

import msgspec
import numpy as np
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.store.contract import Store
from tallystick.store.names.finding import one_series, selected_series, usable_name
from tallystick.web.reading import parameters


def series_routes(store: Store) -> list[BaseRoute]:
    """The routes that change series."""
    limiter = CapacityLimiter(1)  # one at a time: each looks through all names, and waits for the disk

    async def delete(request: Request) -> Response:
        given = await parameters(request)

        def change() -> int:
            ids = selected_series(store.catalog, given.one("query"), given.all("expr"))
            store.delete(ids)
            return len(np.unique(ids))

        return _answer({"deleted": await to_thread.run_sync(change, limiter=limiter)})

    async def rename(request: Request) -> Response:
        given = await parameters(request)
        name = usable_name(given.one("name"))

        def change() -> str:
            series = one_series(store.catalog, given.one("query"))
            old = store.catalog.names(np.array([series], np.int32))[0]
            store.rename(series, name)
            return old

        return _answer({"renamed": await to_thread.run_sync(change, limiter=limiter), "name": name})

    return [
        Route("/api/series/delete", delete, methods=["POST"]),
        Route("/api/series/rename", rename, methods=["POST"]),
    ]


def _answer(value: dict[str, object]) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
