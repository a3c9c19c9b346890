"""Graphite's HTTP API, for Grafana and whatever else speaks it: ``/render``, ``/metrics``, ``/functions``."""

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.query import Evaluator, EventSource, QueryLimits
from tallystick.render import Options, render
from tallystick.store.contract import Node, StoreReader
from tallystick.web.functions import function_routes
from tallystick.web.reading import Parameters, Workers, answered, as_json, parameters, reading
from tallystick.web.tags import tag_routes

VERSION = "1.1.10"
"""The release of graphite-web whose API this is."""

Endpoint = Callable[[Request], Awaitable[Response]]


def graphite_routes(
    store: StoreReader,
    limits: QueryLimits,
    clock: Clock,
    workers: Workers | None = None,
    events: EventSource | None = None,
) -> list[BaseRoute]:
    """Routes that answer as graphite-web does."""
    workers = workers or Workers(limits.workers)
    evaluator = Evaluator(store, clock, limits, events)

    async def render_targets(request: Request) -> Response:
        given = await parameters(request)
        name = given.one("format") or ("raw" if "rawData" in request.query_params else "json")
        asked = reading(given, int(clock.now()), "-1d", "maxDataPoints" if name == "json" else "")
        options = Options(given.flag("pretty"), given.one("jsonp") or None, given.flag("noNullPoints"), asked.zone)
        targets = [target for target in given.all("target") if target.strip()]
        return answered(
            await workers.answer(request, lambda gone: render(name, evaluator.evaluate(targets, asked, gone), options))
        )

    async def find(request: Request) -> Response:
        given = await parameters(request)
        return as_json(await workers.run(_found, store, given), given)

    async def expand(request: Request) -> Response:
        given = await parameters(request)
        return as_json(await workers.run(_expanded, store, given), given)

    async def index(request: Request) -> Response:
        given = await parameters(request)
        catalog = store.catalog
        names = await workers.run(lambda: sorted(catalog.names(catalog.ids())))
        return as_json(names, given)

    async def version(request: Request) -> Response:
        return PlainTextResponse(f"{VERSION}\n")

    return [
        *slashed("/render", render_targets, "POST"),
        *slashed("/metrics/find", find, "POST"),
        *slashed("/metrics/expand", expand, "POST"),
        Route("/metrics/index.json", index),
        *slashed("/version", version),
        *function_routes(),
        *tag_routes(store, workers),
    ]


def slashed(path: str, endpoint: Endpoint, *methods: str) -> list[BaseRoute]:
    """A route with and without a slash at its end, for GET and `methods`."""
    return [Route(form, endpoint, methods=["GET", *methods]) for form in (path, f"{path}/")]


def _query(given: Parameters) -> str:
    query = given.one("query")
    if not query:
        raise QueryError("cannot find names: missing required parameter 'query'; expected a path such as web.*")
    return query


def _found(store: StoreReader, given: Parameters) -> object:
    """What ``/metrics/find`` answers."""
    query, name = _query(given), given.one("format") or "treejson"
    if name == "completer":
        query = query.replace("..", "*.")
        query = query if query.endswith("*") else f"{query}*"
    nodes = store.catalog.children(query)
    match name:
        case "treejson":
            return _tree(query, nodes, wildcard=given.flag("wildcards"))
        case "completer":
            return {"metrics": _completions(nodes, wildcard=given.flag("wildcards"))}
        case "nodelist":
            return {"nodes": sorted({node.name for node in nodes})}
        case "json":
            return [{"path": node.path, "is_leaf": node.leaf} for node in nodes]
    raise QueryError(f"cannot find names in format {name!r}: expected one of treejson, completer, nodelist, json")


class Branch(msgspec.Struct, gc=False, rename={"allow_children": "allowChildren"}):
    """A name of one level, as Graphite's browser of trees takes it: numbers say yes or no."""

    text: str
    id: str
    allow_children: int
    expandable: int
    leaf: int


def _tree(query: str, nodes: list[Node], *, wildcard: bool) -> list[Branch]:
    """Each name once, branches first, under the path as it was asked for, globs and all."""
    base, dot, _ = query.rpartition(".")
    leaves = {node.name for node in nodes if node.leaf}
    branches = {node.name for node in nodes if node.branch}
    every = [*sorted(branches), *sorted(leaves - branches)]
    if wildcard and len(every) > 1:
        every.insert(0, "*")
        (branches if branches else leaves).add("*")
    begin = base + dot if base else ""
    return [Branch(name, begin + name, above := int(name in branches), above, int(name in leaves)) for name in every]


def _completions(nodes: list[Node], *, wildcard: bool) -> list[dict[str, str]]:
    found = []
    for node in nodes:
        if node.branch:
            found.append({"path": f"{node.path}.", "name": node.name, "is_leaf": "0"})
        if node.leaf:
            found.append({"path": node.path, "name": node.name, "is_leaf": "1"})
    return [*found, {"name": "*"}] if wildcard and len(found) > 1 else found


def _expanded(store: StoreReader, given: Parameters) -> object:
    """What ``/metrics/expand`` answers."""
    leaves_only = given.flag("leavesOnly")
    queries = given.all("query")
    if not queries:
        _query(given)
    found = {
        query: [node.path for node in store.catalog.children(query) if node.leaf or not leaves_only]
        for query in queries
    }
    if given.flag("groupByExpr"):
        return {"results": found}
    return {"results": sorted({path for paths in found.values() for path in paths})}
