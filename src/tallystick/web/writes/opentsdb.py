"""OpenTSDB's ``POST /api/put``: data points as JSON, one or a list of them.

- **Answers.** 204 once everything is on disk, whether ``sync`` was asked for or not. With ``summary`` the numbers of
  points that were stored and that failed; with ``details`` also why. 400 if any failed: the others are stored. A body
  that is no JSON is refused as a whole.
- **Waiting.** ``sync_timeout`` is how many milliseconds the disk has; what it did not take by then is told as
  ``timeouts``, stays queued, and is not to be sent again.
- **What a rule blocks** is in the ledger and not in the answer, for its sender could do nothing about it.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.ledger.terms import BY_CHOICE
from tallystick.model.reason import Reason
from tallystick.parse.opentsdb_json import OpenTsdbJsonParser
from tallystick.version import __version__
from tallystick.web.errors import BodyError
from tallystick.web.opentsdb.answers import error_answer, json_answer
from tallystick.web.writes.writing import Fault, UnsafeError, Writing, Written

PATH = "/api/put"
VERSION_PATH = "/api/version"
VERSION = f"2.4.1+tallystick.{__version__}"

_TIMEOUT_MS_MAX = 60_000
_UNTOLD = {reason.name.lower() for reason in BY_CHOICE}
_ENCODING = Reason.ENCODING.name.lower()
_MESSAGES = {
    Reason.NAME_EMPTY: "Metric name was empty",
    Reason.NAME_LONG: "Metric and tags are too long",
    Reason.TIMESTAMP: "Invalid timestamp",
    Reason.VALUE: "Unable to parse value to a number",
    Reason.VALUE_NOT_FINITE: "Unable to parse value to a number",
    Reason.TAG: "Invalid tags: a name or a value is empty or no text",
    Reason.SERIES_LIMIT: "Unknown metric: there are as many names as the limit allows",
    Reason.THROTTLED: "Please throttle writes: too many new names",
    Reason.SAMPLES_LIMIT: "Please throttle writes: too many data points",
}


class _Error(msgspec.Struct):
    """A point that failed; empty where it is not known which of those that were sent it is."""

    datapoint: object
    error: str


class _Summary(msgspec.Struct, omit_defaults=True):
    """The answer to ``summary`` and ``details``."""

    success: int
    failed: int
    timeouts: int | None = None
    errors: list[_Error] | None = None


def routes(writing: Writing) -> list[BaseRoute]:
    """The routes that OpenTSDB's senders ask."""
    taker = writing.taker(PATH)
    parser = OpenTsdbJsonParser()

    async def put(request: Request) -> Response:
        timeout = request.query_params.get("sync_timeout", "0") or "0"
        if not timeout.isdecimal() or int(timeout) > _TIMEOUT_MS_MAX:
            return error_answer(
                400, "Unable to parse the timeout", f"expected sync_timeout of at most {_TIMEOUT_MS_MAX} ms"
            )
        wait_s = int(timeout) / 1000 or None
        try:
            written = await taker.take(request, parser, durable_wait_s=wait_s)
        except UnsafeError as error:
            if wait_s is None:
                return error_answer(503, str(error))
            return _answer(request, error.written, timeouts=error.written.stored)
        except BodyError as error:
            return error_answer(error.status, str(error))
        return _answer(request, written, timeouts=None if wait_s is None else 0)

    return [
        Route(PATH, put, methods=["POST"]),
        Route(VERSION_PATH, _version, methods=["GET", "POST"]),
    ]


def _answer(request: Request, written: Written, timeouts: int | None) -> Response:
    if _ENCODING in written.rejected:
        return error_answer(400, "Unable to parse the given JSON", "expected a data point or a list of them, in UTF-8")
    if written.is_store_full:
        return error_answer(503, "Storage exception: the disk takes nothing at present", "send it again later")
    failed = written.dropped - sum(written.rejected.get(reason, 0) for reason in _UNTOLD)
    if not written.stored and not written.rejected:
        return error_answer(400, "No datapoints found in content")
    status = 400 if failed or timeouts else 200
    details = "details" in request.query_params
    if details or "summary" in request.query_params:
        errors = _errors(written) if details else None
        return json_answer(_Summary(written.stored - (timeouts or 0), failed, timeouts, errors), status)
    if timeouts:
        return error_answer(400, f"The put call has timed out with {timeouts} data points not yet on disk")
    if failed:
        return error_answer(
            400,
            "One or more data points had errors",
            'Please see the ledger, or append "details" to the put request',
        )
    return Response(status_code=204)


def _errors(written: Written) -> list[_Error]:
    """What failed and why: of the first points which, of the others how many."""
    errors = [_told(fault) for fault in written.faults]
    for reason, count in written.rejected.items():
        rest = count - sum(fault.reason.name.lower() == reason for fault in written.faults)
        if rest and reason not in _UNTOLD:
            message = _MESSAGES.get(Reason[reason.upper()], reason.replace("_", " "))
            errors.append(_Error({}, f"{message} ({rest} data points)"))
    return errors


def _told(fault: Fault) -> _Error:
    try:
        datapoint = msgspec.json.decode(fault.text, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):  # longer than what is kept of a fault
        return _Error({}, _MESSAGES.get(fault.reason, fault.reason.name.lower()))
    is_empty = fault.reason is Reason.VALUE and datapoint.get("value") in (None, "")
    return _Error(datapoint, "Empty value" if is_empty else _MESSAGES.get(fault.reason, fault.reason.name.lower()))


async def _version(request: Request) -> Response:
    return json_answer(
        {
            "version": VERSION,
            "short_revision": "",
            "full_revision": "",
            "timestamp": "0",
            "repo_status": "MINT",
            "user": "",
            "host": "",
            "repo": "",
            "branch": "",
        }
    )
