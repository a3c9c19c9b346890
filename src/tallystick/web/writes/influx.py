"""InfluxDB's lines over HTTP, as its first version takes them (``/write``) and its second (``/api/v2/write``).

- **Answers.** 204 once everything is on disk. 400 if something was rejected, with the lines and why, in the shape
  that each version has; everything else in the body is stored, as in InfluxDB. 429 while new names of this sender are
  held back, 503 where the disk takes nothing: it is to send that again.
- **What InfluxDB would store** is no error: fields whose value is text, and what a rule of ours blocks, are in the
  ledger and not in the answer. Telegraf sends text with every batch, and would call each one bad.
- **Databases** and buckets, organizations, retention policies and consistency are taken as they come and mean nothing;
  the first two become a tag where the config says so (``http.influx_database_tag``).
- **Before they write,** senders ask ``/ping`` and ``/health``, and have ``/query`` do ``CREATE DATABASE``, which is
  answered as if it had been done.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.ledger.terms import BY_CHOICE, TOO_MUCH
from tallystick.model.errors import StoreError
from tallystick.model.printable import printable
from tallystick.model.reason import Reason
from tallystick.parse.influx import PRECISIONS_NS, InfluxParser
from tallystick.version import __version__
from tallystick.web.errors import BodyError
from tallystick.web.writes.writing import Taker, Writing, Written

V1_PATH, V2_PATH = "/write", "/api/v2/write"

_VERSION = f"1.8.10+tallystick.{__version__}"
"""Clients compare it: the last of the first version's that has both ways to write."""
_HEADERS = {"X-Influxdb-Version": _VERSION, "X-Influxdb-Build": "OSS"}
_FORM_BYTES_MAX = 1 << 16
_FAULTS_TOLD_MAX = 10
_HEADER_BYTES_MAX = 1000
_DATABASE_BYTES_MAX = 255
_UNTOLD = {reason.name.lower() for reason in (Reason.TEXT, *BY_CHOICE)}
_LATER = {reason.name.lower() for reason in TOO_MUCH}
_LATER_S = {429: 10, 503: 1}
"""When a sender is to come again."""
_WORDS = {
    Reason.FIELDS: "missing fields",
    Reason.TAG: "missing tag value",
    Reason.TIMESTAMP: "bad timestamp",
    Reason.VALUE: "invalid number",
    Reason.VALUE_NOT_FINITE: "invalid number",
    Reason.LINE_LONG: "line too long",
}
_CREATE = re.compile(r"CREATE\s+DATABASE\s", re.IGNORECASE)
_SHOW = re.compile(r"SHOW\s+DATABASES\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Version:
    """How a version asks, and shapes its errors.

    Parameters
    ----------
    database
        The parameter that names one.
    """

    database: str

    def error(self, status: int, text: str) -> Response:
        """An answer that says what went wrong."""
        body: dict[str, str] = {"error": text}
        headers = dict(_HEADERS)
        if self is V2:
            body = {"code": _CODES.get(status, "invalid"), "message": text}
        else:
            # A header holds no control character, and proxies drop answers whose headers are long.
            first = printable(text.partition("\n")[0]).encode("ascii", "replace")
            headers["X-Influxdb-Error"] = first[:_HEADER_BYTES_MAX].decode()
        if status in _LATER_S:
            headers["Retry-After"] = str(_LATER_S[status])
        return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


V1, V2 = _Version("db"), _Version("bucket")
_CODES = {413: "request too large", 429: "too many requests", 503: "unavailable"}


def routes(writing: Writing) -> list[BaseRoute]:
    """The routes of both versions."""
    return [
        Route(V1_PATH, _Lines(writing, V1, V1_PATH).write, methods=["POST"]),
        Route(V2_PATH, _Lines(writing, V2, V2_PATH).write, methods=["POST"]),
        Route("/ping", _ping),
        Route("/health", _health),
        Route("/query", _query, methods=["GET", "POST"]),
    ]


class _Lines:
    """A route for lines; it has a parser for each precision."""

    def __init__(self, writing: Writing, version: _Version, path: str) -> None:
        self._taker: Taker = writing.taker(path)
        self._version = version
        self._tag = writing.options.influx_database_tag
        self._parsers = {unit_ns: InfluxParser(unit_ns=unit_ns) for unit_ns in PRECISIONS_NS.values()}

    async def write(self, request: Request) -> Response:
        precision = request.query_params.get("precision", "ns")
        if precision not in PRECISIONS_NS:
            return self._version.error(
                400, f"invalid precision {precision[:20]!r}; expected one of {', '.join(PRECISIONS_NS)}"
            )
        try:
            written = await self._taker.take(request, self._parser(request, PRECISIONS_NS[precision]))
        except BodyError as error:
            return self._version.error(error.status, str(error))
        except StoreError as error:
            return self._version.error(503, str(error))
        return self._answer(written)

    def _parser(self, request: Request, unit_ns: int) -> InfluxParser:
        database = request.query_params.get(self._version.database, "")
        if not self._tag or not database:
            return self._parsers[unit_ns]
        fit = re.sub(r"[\x00-\x20\x7f;]", "_", database).encode("utf-8", "replace")
        if len(fit) > _DATABASE_BYTES_MAX:
            name = self._version.database
            raise BodyError(400, f"cannot use a {name} of {len(fit)} bytes: expected at most {_DATABASE_BYTES_MAX}")
        return InfluxParser(unit_ns=unit_ns, tag=f";{self._tag}=".encode() + fit)

    def _answer(self, written: Written) -> Response:
        if written.is_store_full:
            return self._version.error(503, "cannot store it: the disk takes nothing at present; expected later")
        told = {reason: count for reason, count in written.rejected.items() if reason not in _UNTOLD}
        if not told:
            return Response(status_code=204, headers=_HEADERS)
        status = 429 if not _LATER.isdisjoint(told) else 400
        return self._version.error(status, f"partial write: {_faults(written, told)} dropped={sum(told.values())}")


def _faults(written: Written, told: dict[str, int]) -> str:
    """The lines that were rejected and why, as far as that is known; then the other reasons."""
    lines: dict[int, str] = {}
    for fault in written.faults:
        if fault.reason.name.lower() in told and len(lines) < _FAULTS_TOLD_MAX:
            text = fault.text.decode("utf-8", "backslashreplace")
            why = _WORDS.get(fault.reason, fault.reason.name.lower().replace("_", " "))
            lines.setdefault(fault.offset, f"unable to parse '{text}': {why}")
    noted = {fault.reason.name.lower() for fault in written.faults}
    others = [f"{reason.replace('_', ' ')}: {count}" for reason, count in told.items() if reason not in noted]
    return "\n".join([*lines.values(), *others])


async def _ping(request: Request) -> Response:
    if request.query_params.get("verbose", "") in {"", "0", "false"}:
        return Response(status_code=204, headers=_HEADERS)
    return _json({"version": _VERSION})


async def _health(request: Request) -> Response:
    message = "ready for queries and writes"
    return _json({"name": "tallystick", "message": message, "status": "pass", "checks": [], "version": _VERSION})


async def _query(request: Request) -> Response:
    """Databases are as if they were there; what asks for data is answered elsewhere."""
    text = request.query_params.get("q") or await _form_value(request, "q")
    results: list[dict[str, object]] = []
    for statement in filter(None, (part.strip() for part in text.split(";"))):
        if _CREATE.match(statement + " "):
            results.append({"statement_id": len(results)})
        elif _SHOW.fullmatch(statement):
            results.append(
                {"statement_id": len(results), "series": [{"name": "databases", "columns": ["name"], "values": []}]}
            )
        else:
            return V1.error(
                400,
                f"cannot answer {statement[:200]!r}: queries are in Graphite's language here, at /render; "
                "expected CREATE DATABASE or SHOW DATABASES",
            )
    if not results:
        return V1.error(400, 'missing required parameter "q"')
    return _json({"results": results})


async def _form_value(request: Request, name: str) -> str:
    """A value of a form in the body; nothing where there is none, or too much."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES_MAX:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get(name, [""])[0]


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), headers=_HEADERS, media_type="application/json")
