"""OpenTelemetry's metrics over HTTP (OTLP 1.x): ``POST /v1/metrics``, in Protocol Buffers or JSON by ``Content-Type``.

Answers are in the encoding of the request. 200 once everything that was taken is on disk; what was not taken is told as
partial success, and not to be sent again: a sender would repeat what was taken as well, and changes would count twice.
400 for a body that cannot be decoded, 413 for one that is too long, 415 for one in another encoding, and 503 with
``Retry-After`` where nothing was taken since the disk takes nothing.

Not held against a request, but counted in the ledger: points that say that there is no value, numbers that are not
finite (a gap here), and what a rule blocks.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.ledger.terms import BY_CHOICE
from tallystick.model.errors import StoreError
from tallystick.model.reason import Reason
from tallystick.parse.cumulative import Differences
from tallystick.parse.otlp import OtlpParser
from tallystick.parse.otlp_json import OtlpJsonParser
from tallystick.web.errors import BodyError
from tallystick.web.writes.writing import Writing, Written

PATH = "/v1/metrics"
PATHS = (PATH, "/otlp/v1/metrics", "/api/v1/otlp/v1/metrics")
"""Ours, ours behind a prefix, and Prometheus'."""
RETRY_AFTER_S = 5

_HEEDED = {reason.name.lower() for reason in (Reason.STALE, Reason.VALUE_NOT_FINITE, *BY_CHOICE)}
_UNREADABLE = Reason.ENCODING.name.lower()
_HINTS = {
    Reason.RESET.name.lower(): "a histogram counts from its second report on",
    Reason.FIELDS.name.lower(): "without a temporality, or with buckets that do not fit its bounds",
    Reason.TAG.name.lower(): "an attribute that is a map or bytes",
    Reason.KIND.name.lower(): "the series is of another kind already",
}


@dataclass(frozen=True, slots=True)
class _Encoding:
    """How answers are written."""

    media_type: str

    @property
    def is_json(self) -> bool:
        return self.media_type == "application/json"

    def done(self, rejected: int, text: str) -> Response:
        """An ExportMetricsServiceResponse; without rejects it is empty."""
        if self.is_json:
            told = {"rejectedDataPoints": str(rejected), "errorMessage": text}
            body = msgspec.json.encode({"partialSuccess": told} if rejected else {})
        else:
            body = _message(1, b"\x08" + _varint(rejected) + _message(2, text.encode())) if rejected else b""
        return Response(body, media_type=self.media_type)

    def failed(self, status: int, text: str) -> Response:
        """A google.rpc.Status."""
        body = msgspec.json.encode({"message": text}) if self.is_json else _message(2, text.encode())
        headers = {"retry-after": str(RETRY_AFTER_S)} if status in (429, 503) else {}
        return Response(body, status, headers, media_type=self.media_type)


_JSON = _Encoding("application/json")
_ENCODINGS = {encoding.media_type: encoding for encoding in (_Encoding("application/x-protobuf"), _JSON)}


def routes(writing: Writing) -> list[BaseRoute]:
    """The routes of OTLP."""
    taker = writing.taker(PATH)
    differences = Differences(int(writing.intake.clock.now() * 1000))
    options = writing.options
    made = [
        kind(
            resource_attributes=options.otlp_resource_attributes,
            scope_name=options.otlp_scope_name,
            differences=differences,
        )
        for kind in (OtlpParser, OtlpJsonParser)
    ]
    parsers = dict(zip(_ENCODINGS, made, strict=True))

    async def write(request: Request) -> Response:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = _ENCODINGS.get(media_type)
        if encoding is None:
            text = f"cannot read a body of type {media_type[:60]!r}: expected {' or '.join(_ENCODINGS)}"
            writing.intake.reject(writing.intake.ledger.account(taker.source), Reason.ENCODING, text.encode())
            return _JSON.failed(415, text)
        try:
            written = await taker.take(request, parsers[media_type])
        except BodyError as error:
            return encoding.failed(error.status, str(error))
        except StoreError as error:
            return encoding.failed(503, str(error))
        return _answer(encoding, written)

    return [Route(path, write, methods=["POST"]) for path in PATHS]


def _answer(encoding: _Encoding, written: Written) -> Response:
    if _UNREADABLE in written.rejected:
        return encoding.failed(400, f"cannot read the body: it is no {encoding.media_type}; expected metrics of OTLP")
    if written.is_store_full and not written.stored:
        return encoding.failed(503, "cannot store it: the disk takes nothing at present; expected later")
    told = {reason: count for reason, count in written.rejected.items() if reason not in _HEEDED}
    words = (f"{n} as {reason}" + (f" ({_HINTS[reason]})" if reason in _HINTS else "") for reason, n in told.items())
    return encoding.done(sum(told.values()), f"cannot take all data points: {', '.join(words)}")


def _message(number: int, inner: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(inner)) + inner


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
