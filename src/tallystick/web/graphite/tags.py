"""``/tags``: series by their tags, and completions for editors of tag queries.

Tags are part of names here, so there is nothing to register: who does so is told how the name is written.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.model.errors import QueryError
from tallystick.model.name import canonical, tags_of
from tallystick.query.patterns import pattern
from tallystick.store.contract import StoreReader
from tallystick.web.reading import Endpoint, Parameters, Workers, as_json, parameters, slashed

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
    return _names(store, expressions)


def _names(store: StoreReader, expressions: Sequence[str]) -> list[str]:
    """Names of the series that all expressions match; of all series that have tags if there are none."""
    catalog = store.catalog
    if expressions:
        return catalog.names(catalog.tagged(expressions))
    return [name for name in catalog.names(catalog.ids()) if ";" in name]


def _keys(store: StoreReader, given: Parameters) -> list[str]:
    expressions = given.all("expr")
    asked = {expression.partition("=")[0].rstrip("!") for expression in expressions}
    found = {key for name in _names(store, expressions) for key in tags_of(name)} - asked
    return _first(found, given, "tagPrefix")


def _values(store: StoreReader, given: Parameters) -> list[str]:
    key = given.one("tag")
    if not key:
        raise QueryError("cannot complete values: no tag specified; expected tag=key")
    tagged = [tags_of(name) for name in _names(store, given.all("expr"))]
    return _first({tags[key] for tags in tagged if key in tags}, given, "valuePrefix")


def _first(words: set[str], given: Parameters, prefix: str) -> list[str]:
    return sorted(word for word in words if word.startswith(given.one(prefix)))[: given.whole("limit") or _LIMIT]


def _list(store: StoreReader, given: Parameters) -> list[dict[str, Any]]:
    """All keys, numbered in their order: Graphite's clients want numbers."""
    keys = sorted({key for name in _names(store, []) for key in tags_of(name)})
    return [{"id": number, "tag": key} for number, key in _filtered(keys, given)]


def _details(store: StoreReader, given: Parameters, key: str) -> dict[str, Any] | None:
    """The values of a key, and how many series have each; None if no series has the key."""
    tagged = [tags_of(name) for name in _names(store, [])]
    counts = Counter(tags[key] for tags in tagged if key in tags)
    if not counts:
        return None
    number = sorted({one for tags in tagged for one in tags}).index(key) + 1
    values = [
        {"count": counts[value], "id": number, "value": value} for number, value in _filtered(sorted(counts), given)
    ]
    return {"id": number, "tag": key, "values": values}


def _filtered(words: Sequence[str], given: Parameters) -> list[tuple[int, str]]:
    """The words that `filter` matches from their start, with their numbers; `limit` of them at most."""
    numbered = list(enumerate(words, 1))
    if given.one("filter"):
        matches = pattern(f"^(?:{given.one('filter')})").search
        numbered = [(number, word) for number, word in numbered if matches(word)]
    return numbered[: given.whole("limit")]
