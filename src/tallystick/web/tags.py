"""``/tags``: series by their tags, and completions for editors of tag queries."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.model.errors import QueryError
from tallystick.model.name import tags_of
from tallystick.store.contract import StoreReader
from tallystick.web.reading import Parameters, Workers, as_json, parameters

_LIMIT = 100


def tag_routes(store: StoreReader, workers: Workers) -> list[BaseRoute]:
    """Finding by tags. Tags are part of names here, so there is nothing to register."""

    async def find(request: Request) -> Response:
        given = await parameters(request)
        expressions = given.all("expr")
        if not expressions:
            raise QueryError("cannot find series: no tag expressions specified; expected expr=tag=value")
        return as_json(await workers.run(_names, store, expressions), given)

    async def keys(request: Request) -> Response:
        given = await parameters(request)
        return as_json(await workers.run(_keys, store, given), given)

    async def values(request: Request) -> Response:
        given = await parameters(request)
        return as_json(await workers.run(_values, store, given), given)

    methods = ["GET", "POST"]
    return [
        Route("/tags/findSeries", find, methods=methods),
        Route("/tags/autoComplete/tags", keys, methods=methods),
        Route("/tags/autoComplete/values", values, methods=methods),
    ]


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
