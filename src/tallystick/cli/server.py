"""Asking a server that runs, or telling it something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tallystick.cli.options import checked_address
from tallystick.model.errors import TallystickError

if TYPE_CHECKING:
    from http.client import HTTPResponse

SERVER = "http://127.0.0.1:8080"
_WAIT_S_MAX = 3600
_TIMEOUT_S = 60.0
_ANSWER_BYTES_MAX = 256 << 20

server_asked = click.option(
    "--server",
    metavar="URL",
    default=SERVER,
    show_default=True,
    envvar="TALLYSTICK_SERVER",
    callback=checked_address,
    help="Whom to ask.",
)


def asked(server: str, token: str | None, path: str, fields: Sequence[tuple[str, str]]) -> Any:
    """What a server answers.

    Raises
    ------
    QueryError, ServerError
        If it refuses, or cannot be asked.
    """
    from tallystick.database.http import Server

    return Server(server, token or "", _TIMEOUT_S, _ANSWER_BYTES_MAX).json(path, fields)


def post(server: str, path: str, body: dict[str, Any], token: str | None, method: str = "POST") -> dict[str, Any]:
    """The server's answer to a body of JSON.

    Raises
    ------
    TallystickError
        If it does not answer, or refuses; with its own sentence.
    """
    with opened(server, path, token, json.dumps(body).encode(), method, _WAIT_S_MAX) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


@contextmanager
def opened(
    server: str,
    path: str,
    token: str | None,
    body: bytes | None = None,
    method: str = "GET",
    timeout_s: float = _TIMEOUT_S,
) -> Iterator[HTTPResponse]:
    """An answer, while it is read.

    Parameters
    ----------
    body
        JSON, if there is one.
    timeout_s
        How long the server may stay silent.

    Raises
    ------
    TallystickError
        If it does not answer, or refuses; with its own sentence.
    """
    from urllib.error import HTTPError
    from urllib.request import Request, build_opener

    from tallystick.redirects import NoRedirects

    request = Request(f"{server.rstrip('/')}{path}", body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with build_opener(NoRedirects).open(request, timeout=timeout_s) as response:
            yield response
    except HTTPError as error:
        try:
            text = json.loads(error.read(65536))["error"]
        except (ValueError, KeyError, TypeError):
            text = f"cannot ask {server}: it answers {error.code} {error.reason}"
        raise TallystickError(text) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise TallystickError(f"cannot ask {server}: {reason}; expected a running 'tallystick serve' there") from error
