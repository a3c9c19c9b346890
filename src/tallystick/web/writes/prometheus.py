"""``POST /api/v1/write``: Prometheus' remote write, 1.0 and 2.0, told apart by ``Content-Type``.

Answers are what senders go by: 204 if everything was taken, 400 if something never will be (the rest is stored, and
nothing is to be sent again), 415 for another message, 429 while new names are held back, and 503 where the disk takes
nothing, so that the request is sent again. What was written is told by number in headers.

Not held against a request, but counted in the ledger: the marker that a series has ended, which has been heeded; values
that are no finite numbers, as a summary's quantiles are while nothing happens (here that is a gap); what a rule blocks,
which is as the operator wants it; the first report of a native histogram, from which on it is counted; and one that was
counted already. Exemplars are not kept, and not missed.

Source: https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#response
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.ledger.terms import BY_CHOICE, TOO_MUCH
from tallystick.model.reason import Reason
from tallystick.parse.cumulative import Differences
from tallystick.parse.remote_write import RemoteWrite2Parser, RemoteWriteParser
from tallystick.web.errors import BodyError, error_response
from tallystick.web.writes.writing import Writing, Written

PATH = "/api/v1/write"
RETRY_AFTER_S = 10

_MEDIA_TYPE = "application/x-protobuf"
_FIRST_MESSAGE, _SECOND_MESSAGE = "prometheus.WriteRequest", "io.prometheus.write.v2.Request"
_HEEDED = {
    reason.name.lower()
    for reason in (Reason.STALE, Reason.VALUE_NOT_FINITE, Reason.RESET, Reason.DUPLICATE, *BY_CHOICE)
}
_LATER = {reason.name.lower() for reason in TOO_MUCH}


def routes(writing: Writing) -> list[BaseRoute]:
    """The route of remote write."""
    taker = writing.taker(PATH)
    differences = Differences()
    parsers: dict[str, RemoteWriteParser] = {
        _FIRST_MESSAGE: RemoteWriteParser(differences=differences),
        _SECOND_MESSAGE: RemoteWrite2Parser(differences=differences),
    }

    async def write(request: Request) -> Response:
        message = message_of(request.headers.get("content-type", ""))
        if message not in parsers:
            text = f"cannot read {message[:100]!r}: it is no message of remote write; expected {_expected()}"
            writing.intake.reject(writing.intake.ledger.account(taker.source), Reason.ENCODING, text.encode())
            raise BodyError(415, text)
        return answer(await taker.take(request, parsers[message]))

    return [Route(PATH, write, methods=["POST"])]


def message_of(content_type: str) -> str:
    """The message that a content type names, or the type itself if it is another one; without any it is that of 1.0."""
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    if media_type.lower() not in (_MEDIA_TYPE, ""):
        return content_type
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "proto":
            return value.strip().strip('"')
    return _FIRST_MESSAGE


def answer(written: Written) -> Response:
    """What a sender is told."""
    response = refusal(written) or Response(status_code=204)
    histograms = min(written.tallied, written.stored)  # of those that are refused behind the parser nobody tells
    for what, count in (("Samples", written.stored - histograms), ("Histograms", histograms), ("Exemplars", 0)):
        response.headers[f"X-Prometheus-Remote-Write-{what}-Written"] = str(count)
    return response


def refusal(written: Written) -> Response | None:
    """What a sender is told of what was not taken, and whether to send it again; None if nothing is to be told."""
    refused = {reason: n for reason, n in written.rejected.items() if reason not in _HEEDED}
    if not refused:
        return None
    told = ", ".join(f"{n} as {reason}" for reason, n in refused.items())
    status = 503 if written.is_store_full else 429 if not _LATER.isdisjoint(refused) else 400
    response = error_response(status, f"cannot take all samples: {told}; {written.stored} were stored")
    if status != 400:
        response.headers["retry-after"] = str(RETRY_AFTER_S)
    return response


def _expected() -> str:
    return " or ".join(f"{_MEDIA_TYPE};proto={message}" for message in (_FIRST_MESSAGE, _SECOND_MESSAGE))
