"""``/api/metadata``: what is known of series beside their numbers, and what people write about them.

Answered when it is on disk.
"""

from typing import Annotated

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.described import Descriptions, Written
from tallystick.model.description import (
    ALERT_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    OWNER_CHARS_MAX,
    UNIT_CHARS_MAX,
    Description,
)
from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.query.known import selected_series
from tallystick.store.contract import StoreReader
from tallystick.web.errors import error_response
from tallystick.web.reading import NOT_JSON, as_json, body_of, parameters
from tallystick.web.workers import Workers

PATH = "/api/metadata"
_BODY_BYTES_MAX = 1 << 20
_LINE = r"^[^\x00-\x1f\x7f]*$"


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody writes about the names that a glob matches; what is not there stays as it is."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_BYTES_MAX, pattern=_LINE)]
    unit: Annotated[str, msgspec.Meta(max_length=UNIT_CHARS_MAX, pattern=_LINE)] | msgspec.UnsetType = msgspec.UNSET
    owner: Annotated[str, msgspec.Meta(max_length=OWNER_CHARS_MAX, pattern=_LINE)] | msgspec.UnsetType = msgspec.UNSET
    description: Annotated[str, msgspec.Meta(max_length=DESCRIPTION_CHARS_MAX, pattern=_LINE)] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    alert: Annotated[str, msgspec.Meta(max_length=ALERT_CHARS_MAX, pattern=_LINE)] | msgspec.UnsetType = msgspec.UNSET

    def fields(self) -> dict[str, str]:
        """What is to change."""
        told = {"unit": self.unit, "owner": self.owner, "description": self.description, "alert": self.alert}
        return {field: text.strip() for field, text in told.items() if text is not msgspec.UNSET}


class Described(msgspec.Struct, frozen=True):
    """A series and what is known of it."""

    name: str
    kind: str
    unit: str
    owner: str
    description: str
    alert: str


class Rule(msgspec.Struct, frozen=True):
    """A glob and what was written about it."""

    query: str
    unit: str
    owner: str
    description: str
    alert: str


def metadata_routes(
    descriptions: Descriptions, store: StoreReader, workers: Workers, series_max: int
) -> list[BaseRoute]:
    """The routes that write and read descriptions.

    Parameters
    ----------
    series_max
        How many series one answer may have.
    """
    writing = CapacityLimiter(1)

    async def metadata(request: Request) -> Response:
        if request.method == "POST":
            return _answer({"written": await to_thread.run_sync(change, await _changes(request), limiter=writing)})
        given = await parameters(request)
        query = given.one("query")
        if request.method == "DELETE":
            removed = await to_thread.run_sync(remove, query, limiter=writing)
            return Response(b"", 204) if removed else error_response(404, f"cannot remove {query!r}: nobody wrote it")
        expressions = given.all("expr")
        if not query and not expressions:
            return as_json({"written": [_rule(one) for one in descriptions.written()]}, given)
        found = await workers.run(described, query, expressions)
        return as_json({"series": found}, given)

    def change(changes: list[Change]) -> list[Rule]:
        return [_rule(Written(one.query, descriptions.write(one.query, one.fields()))) for one in changes]

    def remove(query: str) -> bool:
        if all(one.pattern != query for one in descriptions.written()):
            return False
        descriptions.write(query, Description()._asdict())
        return True

    def described(query: str, expressions: list[str]) -> list[Described]:
        ids = selected_series(store, query, expressions, series_max)
        named = zip(store.catalog.names(ids), store.catalog.kinds(ids).tolist(), strict=True)
        return [Described(name, Kind(kind).name.lower(), *descriptions.of(name)) for name, kind in named]

    return [Route(PATH, metadata, methods=["GET", "POST", "DELETE"])]


async def _changes(request: Request) -> list[Change]:
    body = await body_of(request, _BODY_BYTES_MAX)
    try:
        told = msgspec.json.decode(body, type=Change | list[Change])
    except NOT_JSON as error:
        raise QueryError(
            f'cannot read the metadata: {error}; expected JSON such as {{"query": "prod.apps.shop.*", '
            '"unit": "bytes", "owner": "team-x", "description": "...", "alert": "..."}, or an array of such'
        ) from error
    changes = told if isinstance(told, list) else [told]
    for one in changes:
        if not one.fields():
            raise QueryError(
                f"cannot describe {one.query!r}: nothing is said of it; expected unit, owner, description or alert"
            )
    return changes


def _rule(written: Written) -> Rule:
    return Rule(written.pattern, *written.description)


def _answer(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
