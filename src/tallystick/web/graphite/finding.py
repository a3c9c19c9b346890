"""``/metrics``: the tree of names, as Graphite's browsers, completers and clusters ask for it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.described import Descriptions
from tallystick.model.clock import Clock
from tallystick.model.description import Description
from tallystick.model.errors import QueryError
from tallystick.render.pickled import Instance, pickled
from tallystick.store.contract import Node, StoreReader
from tallystick.web.reading import Parameters, as_json, parameters, slashed
from tallystick.web.workers import Workers

_FRESH = {"pragma": "no-cache", "cache-control": "no-cache"}

Span = tuple[float, float]
_INTERVALS = "graphite.intervals"


@dataclass(frozen=True, slots=True)
class Found:
    """Names that match a query.

    Parameters
    ----------
    query
        As it was asked.
    nodes
        By name.
    spans
        Gives the epoch seconds between which the series of each path can have values.
    meta
        Gives what is known of a series, where that was asked for.
    """

    query: str
    nodes: list[Node]
    spans: Callable[[], dict[str, Span]]
    meta: Callable[[str], Description] | None = None


class Branch(msgspec.Struct, gc=False, rename={"allow_children": "allowChildren"}):
    """A name of one level, as Graphite's browser of trees takes it: numbers say yes or no."""

    text: str
    id: str
    allow_children: int
    expandable: int
    leaf: int
    meta: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


def finding_routes(store: StoreReader, clock: Clock, workers: Workers, descriptions: Descriptions) -> list[BaseRoute]:
    """The routes that find names."""

    async def find(request: Request) -> Response:
        given = await parameters(request)
        return _fresh(await workers.run(_found, store, given, int(clock.now()), descriptions))

    async def expand(request: Request) -> Response:
        given = await parameters(request)
        return _fresh(await workers.run(lambda: as_json(_expanded(store, given), given)))

    async def index(request: Request) -> Response:
        given = await parameters(request)
        catalog = store.catalog
        # Written in the thread, too: with a million names that takes a while.
        return await workers.run(lambda: as_json(sorted(catalog.names(catalog.ids())), given))

    return [
        *slashed("/metrics", find, "POST"),
        *slashed("/metrics/find", find, "POST"),
        *slashed("/metrics/expand", expand, "POST"),
        Route("/metrics/index.json", index, methods=["GET", "POST"]),
    ]


def _fresh(response: Response) -> Response:
    response.headers.update(_FRESH)
    return response


def _query(given: Parameters) -> str:
    query = given.one("query")
    if not query:
        raise QueryError("cannot find names: missing required parameter 'query'; expected a path such as web.*")
    return query


def _found(store: StoreReader, given: Parameters, now_s: int, descriptions: Descriptions) -> Response:
    """What ``/metrics/find`` answers."""
    asked, name = _query(given), given.one("format") or "treejson"
    if name not in _FORMS:
        raise QueryError(f"cannot find names in format {name!r}: expected one of {', '.join(_FORMS)}")
    query = _completed(asked, variants=given.flag("automatic_variants")) if name == "completer" else asked
    nodes = store.catalog.children(query)
    if given.flag("leavesOnly"):
        nodes = [replace(node, branch=False) for node in nodes if node.leaf]
    meta = descriptions.of if given.flag("meta") else None
    return _FORMS[name](Found(asked, nodes, lambda: _spans(store, query, now_s), meta), given)


def _completed(query: str, *, variants: bool) -> str:
    """What somebody who is typing `query` may go on with."""
    query = query.replace("..", "*.")
    query = query if query.endswith("*") else f"{query}*"
    if not variants:
        return query
    return ".".join(f"{{{part}}}" if "," in part and "{" not in part else part for part in query.split("."))


def _spans(store: StoreReader, query: str, now_s: int) -> dict[str, Span]:
    """From when until when the series of each path can have values."""
    ids = store.catalog.find(query)
    keeps = (store.retention(series).keep_s for series in ids.tolist())
    names = store.catalog.names(ids)
    return {name: (float(now_s - keep_s), float(now_s)) for name, keep_s in zip(names, keeps, strict=True)}


def _treejson(found: Found, given: Parameters) -> Response:
    """Each name once, branches first, under the path as it was asked for, globs and all."""
    base, dot, _ = found.query.rpartition(".")
    leaves = {node.name for node in found.nodes if node.leaf}
    branches = {node.name for node in found.nodes if node.branch}
    begin = base + dot if base else ""
    tree = [Branch(name, begin + name, 1, 1, int(name in leaves)) for name in sorted(branches)]
    tree += [Branch(name, begin + name, 0, 0, 1) for name in sorted(leaves - branches)]
    if given.flag("wildcards") and len(found.nodes) > 1:
        above = int(bool(branches))
        tree.insert(0, Branch("*", f"{begin}*", above, above, 1 - above))
    if found.meta is not None:
        known = {node.name: found.meta(node.path)._asdict() for node in found.nodes if node.leaf}
        tree = [replace(one, meta=known.get(one.text, msgspec.UNSET)) for one in tree]
    return as_json(tree, given)


def _completer(found: Found, given: Parameters) -> Response:
    metrics = []
    for node in found.nodes:
        if node.branch:
            metrics.append({"path": f"{node.path}.", "name": node.name, "is_leaf": "0"})
        if node.leaf:
            metrics.append({"path": node.path, "name": node.name, "is_leaf": "1"})
    if given.flag("wildcards") and len(metrics) > 1:
        metrics.append({"name": "*"})
    return as_json({"metrics": metrics}, given)


def _nodelist(found: Found, given: Parameters) -> Response:
    """The names of one level: the last, or the one whose number is `position`."""
    if not given.one("position"):
        return as_json({"nodes": sorted({node.name for node in found.nodes})}, given)
    try:
        position = int(given.one("position"))
        names = {node.path.split(".")[position] for node in found.nodes}
    except (ValueError, IndexError) as error:
        raise QueryError(
            f"cannot list the names at position {given.one('position')[:50]!r}: expected the number of a level, from 0"
        ) from error
    return as_json({"nodes": sorted(names)}, given)


def _entries(found: Found, intervals: Callable[[list[Span]], object]) -> list[dict[str, object]]:
    """A dictionary for each branch and for each series, which also says since when it can have values."""
    spans, entries = found.spans(), []
    for node in found.nodes:
        if node.branch:
            entries.append({"path": node.path, "is_leaf": False})
        if node.leaf:
            known = [spans[node.path]] if node.path in spans else []
            entry: dict[str, object] = {"path": node.path, "is_leaf": True, "intervals": intervals(known)}
            entries.append(entry if found.meta is None else entry | {"meta": found.meta(node.path)._asdict()})
    return entries


def _json(found: Found, given: Parameters) -> Response:
    entries = _entries(found, lambda spans: [{"start": start, "end": end} for start, end in spans])
    return as_json(sorted(entries, key=lambda entry: str(entry["path"])), given)


def _msgpack(found: Found, given: Parameters) -> Response:
    return Response(msgspec.msgpack.encode(_entries(found, lambda spans: spans)), media_type="application/x-msgpack")


def _pickle(found: Found, given: Parameters) -> Response:
    """Intervals are objects of graphite-web's own classes, as older ones expect nothing else."""
    return Response(pickled(_entries(found, _interval_set)), media_type="application/pickle")


def _interval_set(spans: list[Span]) -> Instance:
    every = [
        Instance(_INTERVALS, "Interval", {"start": start, "end": end, "tuple": (start, end), "size": end - start})
        for start, end in spans
    ]
    return Instance(_INTERVALS, "IntervalSet", {"intervals": every, "size": sum(end - start for start, end in spans)})


_FORMS: dict[str, Callable[[Found, Parameters], Response]] = {
    "treejson": _treejson,
    "completer": _completer,
    "nodelist": _nodelist,
    "json": _json,
    "pickle": _pickle,
    "msgpack": _msgpack,
}


def _expanded(store: StoreReader, given: Parameters) -> object:
    """What ``/metrics/expand`` answers."""
    leaves_only = given.flag("leavesOnly")
    queries = given.all("query")
    if not queries:
        _query(given)
    # Each list is in order and without repetitions.
    found = {query: store.catalog.paths(query, leaves_only=leaves_only) for query in queries}
    if given.flag("groupByExpr"):
        return {"results": found}
    first, *others = found.values()
    return {"results": sorted(set(first).union(*others)) if others else first}
