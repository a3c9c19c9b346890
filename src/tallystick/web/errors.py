"""One shape of errors: JSON ``{"error": "a sentence"}`` with a status that says whose turn it is. Never a traceback."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tallystick.model.errors import GoneError, QueryError, StoreError, TakenNameError, TallystickError
from tallystick.model.reason import Reason


class OverloadedError(TallystickError):
    """More is asked at the same time than the server takes on."""


class BodyError(TallystickError):
    """A body that is not taken.

    Parameters
    ----------
    status
        Of the answer.
    reason
        By which it is counted; None where it is not the body's fault, so that the sender comes again.
    headers
        Of the answer.
    """

    def __init__(
        self, status: int, text: str, reason: Reason | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.headers = headers or {}


def error_response(status: int, text: str) -> Response:
    """An answer that says what went wrong."""
    return Response(msgspec.json.encode({"error": text}), status, media_type="application/json")


def _with_status(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        response = error_response(status, str(error))
        if status == 503:
            response.headers["retry-after"] = "1"
        return response

    return handle


async def _body_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, BodyError):
        raise error
    response = await _with_status(error.status)(request, error)
    response.headers.update(error.headers)
    return response


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path
    text = {
        404: f"cannot find {path!r}: there is no such page",
        405: f"cannot {request.method} {path!r}: the method is not allowed here",
    }.get(error.status_code, error.detail)
    response = error_response(error.status_code, text)
    response.headers.update(error.headers or {})
    return response


async def _gone(request: Request, error: Exception) -> Response:
    # Nobody reads this answer, and that somebody hung up is not worth a word in the log.
    return error_response(400, "cannot answer: the connection was closed; expected the whole request")


async def _unforeseen(request: Request, error: Exception) -> Response:
    # The server logs the traceback; what it says is not for whoever asked.
    return error_response(500, "cannot answer: an error that was not foreseen; the server's log has it")


exception_handlers = {
    BodyError: _body_error,
    QueryError: _with_status(400),
    OverloadedError: _with_status(503),
    StoreError: _with_status(503),
    TakenNameError: _with_status(409),
    HTTPException: _http_error,
    ClientDisconnect: _gone,
    GoneError: _gone,
    Exception: _unforeseen,
}
"""For the application: which answer each exception becomes."""
