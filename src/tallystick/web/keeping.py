"""``POST /api/store/snapshot`` and ``POST /api/store/compact``: what an operator asks of the store."""

import re
from collections.abc import Callable
from typing import Protocol

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.model.errors import StoreError
from tallystick.web.errors import error_response
from tallystick.web.reading import NOT_JSON, body_of

_BODY_BYTES_MAX = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Snapshot(msgspec.Struct, frozen=True):
    """A snapshot that was made: its directory, and its size."""

    snapshot: str
    bytes: int


class Compacted(msgspec.Struct, frozen=True):
    """What compaction did: blocks written anew; and the blocks there are now, and their size."""

    jobs: int
    blocks: int
    bytes: int


class Keeper(Protocol):
    """Who can be asked."""

    def snapshot(self, name: str) -> Snapshot:
        """Make a snapshot of that name where the config says that snapshots are.

        Raises
        ------
        StoreError
            If there is one of that name, or the disk takes nothing at present.
        """
        ...

    def compact(self) -> Compacted:
        """Seal and compact.

        Raises
        ------
        StoreError
            If the disk takes nothing at present.
        """
        ...


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    name: str


def keeping_routes(keeper: Keeper) -> list[BaseRoute]:
    """The routes for operators."""
    limiter = CapacityLimiter(1)

    async def snapshot(request: Request) -> Response:
        body = await body_of(request, _BODY_BYTES_MAX)
        try:
            name = msgspec.json.decode(body, type=_Asked).name
        except NOT_JSON as error:
            return error_response(400, f'cannot read the body: {error}; expected {{"name": "monday"}}')
        if not _NAME.fullmatch(name) or name.endswith(".part"):
            return error_response(
                400, f"cannot name a snapshot {name[:100]!r}: expected letters, digits, dots, dashes and underscores"
            )
        return await _answer(lambda: keeper.snapshot(name))

    async def compact(request: Request) -> Response:
        return await _answer(keeper.compact)

    async def _answer(work: Callable[[], msgspec.Struct]) -> Response:
        try:
            done = await to_thread.run_sync(work, limiter=limiter)
        except StoreError as error:
            return error_response(503, str(error))
        return Response(msgspec.json.encode(done), media_type="application/json")

    return [
        Route("/api/store/snapshot", snapshot, methods=["POST"]),
        Route("/api/store/compact", compact, methods=["POST"]),
    ]
