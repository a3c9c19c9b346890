"""istatd's HTTP API on an address of its own, as its front-end asks: everything is at ``/`` there.

``GET /NAME`` is a counter, ``POST /*`` several; what stands behind a question mark lists names, reads settings or
fetches a file of the front-end.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from tallystick.model.errors import QueryError
from tallystick.query.istatd import asked_range, find_counter, nodes, read_buckets
from tallystick.query.session import Session
from tallystick.web.access import Access
from tallystick.web.errors import error_response, exception_handlers
from tallystick.web.istatd.answers import TYPES, as_csv, as_member, as_object
from tallystick.web.istatd.settings import SettingsStore
from tallystick.web.nosniff import NoSniff
from tallystick.web.reading import NOT_JSON, Reads, body_of
from tallystick.web.workers import IsGone

BODY_BYTES_MAX = 1 << 20
KEYS_MAX = 5000
_SAMPLES, _SAMPLES_OF_SEVERAL = 1000, 100
_PACKED_BYTES_MIN = 1000
_SECONDS_MAX = 253_402_300_799  # the year 9999


class Several(msgspec.Struct, rename="camel"):
    """A request for the buckets of several counters."""

    keys: list[str] | None = None
    start: int = 0
    stop: int = 0
    max_samples: int = 0
    compact: bool | None = False
    trailing: int | None = 0


class Istatd:
    """Answers istatd's questions.

    Parameters
    ----------
    reads
        The store and its limits.
    settings
        What the front-end remembers.
    files
        The directory ``files`` of the front-end, with its ``index.html``; None if it is served elsewhere.
    """

    def __init__(self, reads: Reads, settings: SettingsStore, files: Path | None) -> None:
        self._reads = reads
        self._settings = settings
        self._files = files
        self._writing = CapacityLimiter(1)

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        served: list[BaseRoute] = []
        if self._files is not None:
            served = [Mount("/files", StaticFiles(directory=self._files))]
        path = "/{name:path}"
        return [*served, Route(path, self._get), Route(path, self._other, methods=["POST", "OPTIONS"])]

    async def _get(self, request: Request) -> Response:
        given, name = request.query_params, request.path_params["name"]
        if "q" in given:
            return await self._list(request, given["q"])
        if "a" in given:
            return _json({"count": 0, "agents": []})
        if "s" in given:
            return await self._get_settings(given["s"], given.get("sk", "*"))
        if not name or "f" in given:
            return self._file(given.get("f", "index.html"))
        return await self._counter(request, name)

    async def _other(self, request: Request) -> Response:
        name, setting = request.path_params["name"], request.query_params.get("s")
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"allow": "GET, POST, OPTIONS"})
        if name == "*":
            return await self._several(request)
        if setting is not None:
            return await self._set_settings(request, setting)
        return error_response(404, "No such POST target")

    def _file(self, name: str) -> Response:
        if self._files is None or name != "index.html":
            expected = "istatd's own is served from http.istatd_files; expected /?q=* or the name of a counter"
            return error_response(404, f"cannot find a front-end here: {expected}")
        return FileResponse(self._files / name)

    async def _counter(self, request: Request, name: str) -> Response:
        given = request.query_params
        numbers = {key: _whole(given, key) for key in ("start", "end", "samples", "trailing")}
        form = given.get("format", "json")
        if form not in ("json", "csv"):
            raise QueryError(f"unrecognized format {form[:20]!r}. must be 'json' or 'csv'.")
        start_s, end_s = self._range(numbers["start"] or 0, numbers["end"] or 0, numbers["trailing"])
        samples = _SAMPLES if numbers["samples"] is None else numbers["samples"]

        def answer(is_gone: IsGone) -> Response:
            session = self._session(is_gone)
            ids = find_counter(session.store.catalog, name)
            if not len(ids):
                return error_response(404, f"No such counter {name}")
            (buckets,) = read_buckets(session, ids, start_s, end_s, samples)
            if form == "csv":
                return Response(as_csv(buckets), media_type="text/csv")
            return _json(as_object(buckets))

        return await self._reads.workers.answer(request, answer)

    async def _several(self, request: Request) -> Response:
        asked = await _body(request, Several)
        if asked.keys is None:
            return error_response(400, "Missing 'key' array of keys")
        if len(asked.keys) > KEYS_MAX:
            raise QueryError(f"cannot answer {len(asked.keys)} keys at once: the limit is {KEYS_MAX}; expected fewer")
        if not all(0 <= one <= _SECONDS_MAX for one in (asked.start, asked.stop, asked.max_samples)):
            raise QueryError(
                f"Invalid 'start', 'stop' or 'maxSamples' parameter; expected whole numbers from 0 to {_SECONDS_MAX}"
            )
        start_s, end_s = self._range(asked.start, asked.stop, asked.trailing)
        return await self._reads.workers.answer(request, lambda gone: self._members(asked, start_s, end_s, gone))

    def _members(self, asked: Several, start_s: int, end_s: int, is_gone: IsGone) -> Response:
        session = self._session(is_gone)
        keys = list(dict.fromkeys(asked.keys or ()))
        ids = [find_counter(session.store.catalog, key) for key in keys]
        found: dict[str, Any] = dict.fromkeys(keys, "Not found.")
        known = [key for key, one in zip(keys, ids, strict=True) if len(one)]
        if known:
            samples = asked.max_samples or _SAMPLES_OF_SEVERAL
            every = read_buckets(session, np.concatenate(ids), start_s, end_s, samples)
            found |= {key: as_member(one, compact=bool(asked.compact)) for key, one in zip(known, every, strict=True)}
            window = every[-1].window
            found |= {"start": window.start_s, "stop": window.end_s, "interval": window.interval_s}
        return _json(found)

    async def _list(self, request: Request, pattern: str) -> Response:
        found = await self._reads.workers.run(nodes, self._reads.store.catalog, pattern)
        names = [{"is_leaf": is_leaf, "type": kind, "name": name} for name, is_leaf, kind in found]
        return _json({"type_mapping": TYPES, "pattern": pattern, "matching_names": names})

    async def _get_settings(self, name: str, pattern: str) -> Response:
        found = await to_thread.run_sync(self._settings.get, name, pattern)
        return error_response(404, "no such settings") if not found else _json(found)

    async def _set_settings(self, request: Request, name: str) -> Response:
        values = await _body(request, dict[str, str | int | float | bool | None])
        spelt = {key: _setting(value) for key, value in values.items()}
        await to_thread.run_sync(self._settings.change, name, spelt, limiter=self._writing)
        return _json({"success": True})

    def _session(self, is_gone: IsGone) -> Session:
        reads = self._reads
        session = Session(reads.store, reads.clock, reads.limits, reads.clock.monotonic())
        session.is_gone = is_gone
        return session

    def _range(self, start_s: int, end_s: int, trailing: int | None) -> tuple[int, int]:
        if trailing:
            raise QueryError("cannot answer trailing: no such averages are kept; expected baseline() of /render")
        start_s, end_s = asked_range(start_s, end_s, int(self._reads.clock.now()))
        if end_s < start_s:
            raise QueryError(f"end must be greater than start! It is {end_s}, and start {start_s}")
        return start_s, end_s


def make_istatd_app(reads: Reads, settings: SettingsStore, token: str, files: Path | None = None) -> ASGIApp:
    """What is answered on istatd's address; who may ask is as everywhere."""
    middleware = [
        Middleware(NoSniff),
        Middleware(Access, token=token, open_paths=()),
        Middleware(GZipMiddleware, minimum_size=_PACKED_BYTES_MIN),
    ]
    return Starlette(
        routes=Istatd(reads, settings, files).routes(), middleware=middleware, exception_handlers=exception_handlers
    )


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _whole(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:15]) <= _SECONDS_MAX and len(text) <= 15):
        raise QueryError(f"Invalid {name} parameter: {text[:50]!r}; expected a whole number from 0 on")
    return int(text)


async def _body(request: Request, shape: Any) -> Any:
    body = await body_of(request, BODY_BYTES_MAX)
    try:
        return msgspec.json.decode(body, type=shape)
    except NOT_JSON as error:
        raise QueryError(f"cannot read the body: {error}; expected JSON as istatd has it") from error


def _setting(value: str | float | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
