"""Our own reads: for the pages series with their min/max band and names by words, for programs columns.

A program says which statistics it wants, or that it takes Arrow, and gets all series on one time line.
"""

from collections.abc import Iterator, Sequence
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
from tallystick.model.statistic import STATISTICS
from tallystick.query import Band, Evaluator, EventSource, QueryLimits
from tallystick.query import Request as Reading
from tallystick.query.known import known_parts, known_series
from tallystick.query.table import Table, parse_wanted, read_table
from tallystick.render import Rendered, as_arrow
from tallystick.store.contract import StoreReader
from tallystick.web.reading import IsGone, Parameters, Workers, answered, as_json, parameters, reading

_POINTS = 800
_NAMES = 50
_NAMES_MAX = 1000


class Stretch(msgspec.Struct, frozen=True):
    """The finest slots that there are in a stretch of time; the first of them is forgotten at `expires`."""

    start: int
    until: int
    step: int
    kept_s: int
    expires: int


class Origin(msgspec.Struct, frozen=True):
    """Where values come from: which statistic of which slots, and what finer ones there are."""

    statistic: str
    retention: str
    parts: list[Stretch]


class Line(msgspec.Struct, frozen=True):
    """One series; `min` and `max` only where the target leaves its values untouched, and `meta` if it was asked for."""

    name: str
    target: str
    kind: str | None
    start: int
    step: int
    values: list[float]
    kept_s: int | None
    min: list[float] | msgspec.UnsetType = msgspec.UNSET
    max: list[float] | msgspec.UnsetType = msgspec.UNSET
    meta: Origin | msgspec.UnsetType = msgspec.UNSET


class Columns(msgspec.Struct, frozen=True):
    """One series with the statistics that were asked for."""

    name: str
    tags: dict[str, str]
    kind: str | None
    start: int
    step: int
    kept_s: int | None
    statistics: dict[str, list[float]]


def api_routes(
    store: StoreReader,
    limits: QueryLimits,
    clock: Clock,
    workers: Workers | None = None,
    events: EventSource | None = None,
) -> list[BaseRoute]:
    """Routes of our own API that read."""
    workers = workers or Workers(limits.workers)
    evaluator = Evaluator(store, clock, limits, events)

    async def query(request: Request) -> Response:
        given = await parameters(request)
        targets = [target for target in given.all("target") if target.strip()]
        if not targets:
            raise QueryError("cannot answer: missing required parameter 'target'; expected a path such as web.*.cpu")
        asked = reading(given, int(clock.now()), "-1h", "points")
        asked = replace(asked, step_s=given.whole("step"))
        words = [word for one in given.all("statistics") for word in one.split(",") if word]
        arrow, meta = _wants_arrow(request, given), given.flag("meta")
        if not arrow and asked.slots_max is None and asked.step_s is None:
            asked = replace(asked, slots_max=_POINTS)

        def answer(is_gone: IsGone) -> Rendered:
            if arrow or words:
                table = read_table(evaluator, targets, asked, parse_wanted(words), is_gone)
                return as_arrow.rendered_table(table) if arrow else _encoded(asked, _columns(table))
            bands = zip(targets, evaluator.bands(targets, asked, is_gone), strict=True)
            return _encoded(
                asked, [line for target, some in bands for line in _lines(store, target, some, asked, meta=meta)]
            )

        return answered(await workers.answer(request, answer))

    async def search(request: Request) -> Response:
        given = await parameters(request)
        limit = min(given.whole("limit") or _NAMES, _NAMES_MAX)
        names = await workers.run(store.catalog.search, given.one("q"), limit)
        return as_json({"names": names}, given)

    async def series(request: Request) -> Response:
        given = await parameters(request)
        pattern, expressions = given.one("query"), given.all("expr")
        found = await workers.run(known_series, store, pattern, expressions, limits.series_max)
        return as_json({"series": found}, given)

    async def parts(request: Request) -> Response:
        given = await parameters(request)
        asked = reading(given, int(clock.now()), "-1y", "")
        pattern, expressions = given.one("query"), given.all("expr")
        found = await workers.run(
            known_parts, store, pattern, expressions, asked.from_s, asked.until_s, limits.series_max
        )
        return as_json({"parts": found}, given)

    return [
        Route("/api/query", query, methods=["GET", "POST"]),
        Route("/api/search", search, methods=["GET", "POST"]),
        Route("/api/series", series, methods=["GET", "POST"]),
        Route("/api/parts", parts, methods=["GET", "POST"]),
    ]


def _wants_arrow(request: Request, given: Parameters) -> bool:
    form = given.one("format") or ("arrow" if as_arrow.MEDIA_TYPE in request.headers.get("accept", "") else "json")
    if form not in ("arrow", "json"):
        raise QueryError(f"cannot write format {form!r}: not supported here; expected arrow or json")
    return form == "arrow"


def _encoded(asked: Reading, series: Sequence[Line | Columns]) -> Rendered:
    body = msgspec.json.encode({"from": asked.from_s, "until": asked.until_s, "series": series})
    return Rendered(body, "application/json")


def _columns(table: Table) -> list[Columns]:
    return [
        Columns(
            row.name,
            row.tags,
            origin.kind.name.lower() if origin else None,
            table.start_s,
            table.step_s,
            origin.kept_s if origin else None,
            {word: values[i].tolist() for word, values in table.columns.items()},
        )
        for i, (row, origin) in enumerate(zip(table.rows, table.origins, strict=True))
    ]


def _lines(store: StoreReader, target: str, bands: Sequence[Band], asked: Reading, *, meta: bool) -> Iterator[Line]:
    for band in bands:
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
                _origin(store, band, i) if meta and band.ids is not None else msgspec.UNSET,
            )


def _of_series(store: StoreReader, band: Band, i: int, asked: Reading) -> tuple[str | None, int | None]:
    """The kind of the series that a row is, and how long its resolution is kept; None if it is made of others."""
    if band.ids is None:
        return None, None
    ids = band.ids[i : i + 1]
    resolution = store.retention(int(ids[0])).covering(asked.now_s - asked.from_s)
    return Kind(int(store.catalog.kinds(ids)[0])).name.lower(), resolution.keep_s


def _origin(store: StoreReader, band: Band, i: int) -> Origin:
    """Where the values of a row come from that is a series."""
    assert band.ids is not None
    ids, grid = band.ids[i : i + 1], band.grid
    statistic = STATISTICS[int(store.defaults(ids, grid.step_s)[0])]
    end_s = grid.start_s + grid.step_s * grid.values.shape[1]
    parts = store.parts(ids, grid.start_s, end_s)
    stretches = [Stretch(p.start_s, p.until_s, p.step_s, p.keep_s, p.start_s + p.step_s + p.keep_s) for p in parts]
    return Origin(statistic.value, str(store.retention(int(ids[0]))), stretches)


def _listed(values: NDArray[np.float64] | None, i: int) -> list[float] | msgspec.UnsetType:
    return msgspec.UNSET if values is None else values[i].tolist()
