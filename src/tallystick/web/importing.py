"""``POST /api/store/import``: history as an Arrow stream in the body, answered once it is safe on disk."""

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.exchange import wire
from tallystick.exchange.wire import BODY_BYTES_MAX, PATH
from tallystick.model.errors import ForeignFileError
from tallystick.store.contract import Store
from tallystick.store.history import Loaded, Overlap
from tallystick.store.loading.bulk import BulkLoader
from tallystick.web.errors import error_response
from tallystick.web.writes.bodies import Bodies, Body
from tallystick.web.writes.decoding import decode

BODIES_BYTES_MAX = 2 * BODY_BYTES_MAX


def import_routes(store: Store) -> list[BaseRoute]:
    """The route for history."""
    bodies = Bodies(BODY_BYTES_MAX, BODIES_BYTES_MAX)
    limiter = CapacityLimiter(1)  # one at a time: each takes a core and memory of several times its size

    def load(body: Body, overlap: Overlap) -> Loaded:
        with BulkLoader(lambda history: store.load(history, overlap)) as bulk:  # each load is blocks of its own
            for piece in wire.decode(decode(body, BODY_BYTES_MAX, 0)):
                bulk.add(piece)
        return bulk.loaded

    async def take(request: Request) -> Response:
        word = request.query_params.get("overlap", Overlap.SKIP.value)
        if word not in set(Overlap):
            return error_response(400, f"cannot use overlap {word!r}; expected skip or merge")
        try:
            async with bodies.received(request) as body:
                loaded = await to_thread.run_sync(load, body, Overlap(word), limiter=limiter)
        except ForeignFileError as error:
            return error_response(400, str(error))
        return Response(msgspec.json.encode(loaded), media_type="application/json")

    return [Route(PATH, take, methods=["POST"])]
