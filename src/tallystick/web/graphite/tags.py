"""``/tags``: series by their tags, and completions for editors of tag queries.

Tags are part of names here, so there is nothing to register: who does so is told how the name is written.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.model.errors import QueryError
from tallystick.model.name import canonical
from tallystick.query.patterns import pattern
from tallystick.store.contract import StoreReader
from tallystick.web.reading import Endpoint, Parameters, as_json, parameters, slashed
from tallystick.web.workers import Workers

_LIMIT = 100


def tag_routes(store: StoreReader, workers: Workers) -> list[BaseRoute]:
    """Finding by tags."""

    def reading(answer: Callable[[StoreReader, Parameters], object]) -> Endpoint:
        async def route(request: Request) -> Response:
            given = await parameters(request)
            return as_json(await workers.run(answer, store, given), given)

        return route

    async def details(request: Request) -> Response:
        given, key = await parameters(request), request.path_params["key"]
        return as_json(await workers.run(_details, store, given, key), given)

    async def tag_series(request: Request) -> Response:
        given = await parameters(request)
        return as_json(_paths(given)[-1], given)

    async def tag_multi_series(request: Request) -> Response:
        given = await parameters(request)
        return as_json(_paths(given), given)

    async def delete(request: Request) -> Response:
        raise QueryError(
            "cannot take series out of the index alone: their tags are their names; "
            "expected POST /api/series/delete, which deletes them with their data"
        )

    return [
        *slashed("/tags/findSeries", reading(_series), "POST"),
        *slashed("/tags/autoComplete/tags", reading(_keys), "POST"),
        *slashed("/tags/autoComplete/values", reading(_values), "POST"),
        Route("/tags/tagSeries", tag_series, methods=["POST"]),
        Route("/tags/tagMultiSeries", tag_multi_series, methods=["POST"]),
        Route("/tags/delSeries", delete, methods=["POST"]),
        *slashed("/tags", reading(_list)),
        *slashed("/tags/{key}", details),
    ]


def _paths(given: Parameters) -> list[str]:
    """The one spelling of each name that is to be registered."""
    paths = given.all("path")
    if not paths:
        raise QueryError("cannot tag a series: no path specified; expected path=disk.used;host=web1")
    try:
        return [canonical(path) for path in paths]
    except ValueError as error:
        raise QueryError(str(error)) from error


def _series(store: StoreReader, given: Parameters) -> list[str]:
    expressions = given.all("expr")
    if not expressions:
        raise QueryError("cannot find series: no tag expressions specified; expected expr=tag=value")
    return store.catalog.names(store.catalog.tagged(expressions))


def _matching(store: StoreReader, given: Parameters) -> NDArray[np.int32] | None:
    """Ids of the series that all expressions match; None, which means all that have tags, where there are none."""
    expressions = given.all("expr")
    return store.catalog.tagged(expressions, by_name=False) if expressions else None


def _keys(store: StoreReader, given: Parameters) -> list[str]:
    asked = {expression.partition("=")[0].rstrip("!") for expression in given.all("expr")}
    keys = store.catalog.tag_keys(_matching(store, given))
    return [key for key in keys if key not in asked and key.startswith(given.one("tagPrefix"))][: _limit(given)]


def _values(store: StoreReader, given: Parameters) -> list[str]:
    key = given.one("tag")
    if not key:
        raise QueryError("cannot complete values: no tag specified; expected tag=key")
    return list(store.catalog.tag_values(key, _matching(store, given), given.one("valuePrefix"), _limit(given)))


def _limit(given: Parameters) -> int:
    return given.whole("limit") or _LIMIT


def _list(store: StoreReader, given: Parameters) -> list[dict[str, Any]]:
    """All keys, numbered in their order: Graphite's clients want numbers."""
    return [{"id": number, "tag": key} for number, key in _filtered(store.catalog.tag_keys(), given)]


def _details(store: StoreReader, given: Parameters, key: str) -> dict[str, Any] | None:
    """The values of a key, and how many series have each; None if no series has the key."""
    keys = store.catalog.tag_keys()
    if key not in keys:
        return None
    counts = store.catalog.tag_values(key, limit=None if given.one("filter") else given.whole("limit"))
    values = [
        {"count": counts[value], "id": number, "value": value} for number, value in _filtered(list(counts), given)
    ]
    return {"id": keys.index(key) + 1, "tag": key, "values": values}


def _filtered(words: Sequence[str], given: Parameters) -> list[tuple[int, str]]:
    """The words that `filter` matches from their start, with their numbers; `limit` of them at most."""
    numbered = list(enumerate(words, 1))
    if given.one("filter"):
        matches = pattern(f"^(?:{given.one('filter')})").search
        numbered = [(number, word) for number, word in numbered if matches(word)]
    return numbered[: given.whole("limit")]
