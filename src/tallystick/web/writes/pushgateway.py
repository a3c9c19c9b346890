"""``PUT`` and ``POST /metrics/job/<job>{/<label>/<value>}``: what batch jobs push, as to Prometheus' Pushgateway.

The labels of the path are put to each sample; where a sample has one of them itself, that of the path counts. A key
that ends with ``@base64`` has its value in base64 (RFC 4648, section 5), so that it may hold slashes, or nothing.

Where this differs from the Pushgateway: what is pushed is a sample of that moment, and is not shown again and again
until it is deleted. So ``PUT`` and ``POST`` mean the same, and there is no ``DELETE``. Timestamps are taken. Bodies are
texts.

Source: https://github.com/prometheus/pushgateway#api
"""

import binascii
from base64 import urlsafe_b64decode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.model.reason import Reason
from tallystick.parse.exposition import ExpositionParser, OpenMetricsParser
from tallystick.web.errors import BodyError
from tallystick.web.writes.prometheus import refusal
from tallystick.web.writes.writing import Writing

PATH = "/metrics/job"
LABELS_MAX = 64

_ENCODED = "@base64"
_OPENMETRICS = "application/openmetrics-text"
_BINARY = "application/vnd.google.protobuf"


def routes(writing: Writing) -> list[BaseRoute]:
    """The routes of what is pushed."""
    taker = writing.taker(PATH)

    async def push(request: Request) -> Response:
        try:
            parser = parser_of(request)
        except BodyError as error:
            writing.intake.reject(writing.intake.ledger.account(taker.source), Reason.ENCODING, str(error).encode())
            raise
        return refusal(await taker.take(request, parser)) or Response(status_code=200)

    paths = PATH, PATH + _ENCODED
    return [Route(f"{path}/{{grouping:path}}", push, methods=["POST", "PUT"]) for path in paths]


def parser_of(request: Request) -> ExpositionParser:
    """A parser for the text of a request, which puts the labels of its path to each sample.

    Raises
    ------
    BodyError
        If the path cannot be read, or the body is no text.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == _BINARY:
        raise BodyError(415, f"cannot read {content_type}: it is no text; expected text/plain or {_OPENMETRICS}")
    text: type[ExpositionParser] = OpenMetricsParser if content_type == _OPENMETRICS else ExpositionParser
    return text(labels=labels_of(request.url.path), exported=False)


def labels_of(path: str) -> dict[str, str]:
    """The labels that a path such as ``/metrics/job/backup/instance/db1`` names."""
    words = path.removeprefix("/metrics/").split("/")
    keys, values = words[::2], words[1::2]
    if len(keys) != len(values) or len(keys) > LABELS_MAX:
        raise _unreadable(path, f"not every label has a value, or there are more than {LABELS_MAX}")
    labels = dict(_label(key, value) for key, value in zip(keys, values, strict=True))
    if not labels["job"] or "" in labels:
        raise _unreadable(path, "the job, or the key of a label, is empty")
    return labels


def _label(key: str, value: str) -> tuple[str, str]:
    if not key.endswith(_ENCODED):
        return key, value
    digits = value.rstrip("=")
    try:
        return key.removesuffix(_ENCODED), urlsafe_b64decode(digits + "=" * (-len(digits) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise BodyError(400, f"cannot read {value[:100]!r}: {error}; expected base64 of UTF-8") from error


def _unreadable(path: str, cause: str) -> BodyError:
    return BodyError(400, f"cannot read path {path[:200]!r}: {cause}; expected {PATH}/JOB/KEY/VALUE")
