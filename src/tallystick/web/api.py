"""Our own reads, for the pages: series with their min/max band, and names by words."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.query import Band, Evaluator, QueryLimits
from tallystick.query import Request as Reading
from tallystick.query.context import Session
from tallystick.store.contract import Store
from tallystick.web.reading import Workers, as_json, parameters, reading

_POINTS = 800
_NAMES = 50
_NAMES_MAX = 1000


class Line(msgspec.Struct, frozen=True):
    """One series; `min` and `max` only where the target leaves its values untouched."""

    name: str
    target: str
    kind: str | None
    start: int
    step: int
    values: list[float]
    kept_s: int | None
    min: list[float] | msgspec.UnsetType = msgspec.UNSET
    max: list[float] | msgspec.UnsetType = msgspec.UNSET


def api_routes(store: Store, limits: QueryLimits, clock: Clock, workers: Workers | None = None) -> list[BaseRoute]:
    """Routes of our own API that read."""
    workers = workers or Workers(limits.workers)
    evaluator = Evaluator(store, clock, limits)

    async def query(request: Request) -> Response:
        given = await parameters(request)
        targets = [target for target in given.all("target") if target.strip()]
        if not targets:
            raise QueryError("cannot answer: missing required parameter 'target'; expected a path such as web.*.cpu")
        asked = reading(given, int(clock.now()), "-1h", "points")
        asked = replace(asked, slots_max=asked.slots_max or _POINTS)

        def answer() -> bytes:
            session = evaluator.new_session()
            lines = [line for target in targets for line in _lines(store, evaluator, target, asked, session)]
            return msgspec.json.encode({"from": asked.from_s, "until": asked.until_s, "series": lines})

        return Response(await workers.run(answer), media_type="application/json")

    async def search(request: Request) -> Response:
        given = await parameters(request)
        limit = min(given.whole("limit") or _NAMES, _NAMES_MAX)
        names = await workers.run(store.catalog.search, given.one("q"), limit)
        return as_json({"names": names}, given)

    return [Route("/api/query", query, methods=["GET", "POST"]), Route("/api/search", search)]


def _lines(store: Store, evaluator: Evaluator, target: str, asked: Reading, session: Session) -> Iterator[Line]:
    for band in evaluator.evaluate_bands(target, asked, session):
        for i, row in enumerate(band.grid.rows):
            kind, kept_s = _of_series(store, band, i, asked)
            yield Line(
                row.name,
                target,
                kind,
                band.grid.start_s,
                band.grid.step_s,
                band.grid.values[i].tolist(),
                kept_s,
                _listed(band.low, i),
                _listed(band.high, i),
            )


def _of_series(store: Store, band: Band, i: int, asked: Reading) -> tuple[str | None, int | None]:
    """The kind of the series that a row is, and how long its resolution is kept; None if it is made of others."""
    if band.ids is None:
        return None, None
    ids = band.ids[i : i + 1]
    resolution = store.retention(int(ids[0])).covering(asked.now_s - asked.from_s)
    return Kind(int(store.catalog.kinds(ids)[0])).name.lower(), resolution.keep_s


def _listed(values: NDArray[np.float64] | None, i: int) -> list[float] | msgspec.UnsetType:
    return msgspec.UNSET if values is None else values[i].tolist()
