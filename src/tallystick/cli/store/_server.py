"""Asking a server that runs about its store, or to do something with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tallystick.model.errors import TallystickError

_WAIT_S_MAX = 3600
_TIMEOUT_S = 60.0
_ANSWER_BYTES_MAX = 256 << 20


def asked(server: str, token: str | None, path: str, fields: Sequence[tuple[str, str]]) -> Any:
    """What a server answers.

    Raises
    ------
    QueryError, ServerError
        If it refuses, or cannot be asked.
    """
    from tallystick.door.http import Server

    return Server(server, token or "", _TIMEOUT_S, _ANSWER_BYTES_MAX).json(path, fields)


def post(server: str, path: str, body: dict[str, Any], token: str | None, method: str = "POST") -> dict[str, Any]:
    """The server's answer to a body of JSON.

    Raises
    ------
    TallystickError
        If it does not answer, or refuses; with its own sentence.
    """
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    request = Request(
        f"{server.rstrip('/')}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
    )
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urlopen(request, timeout=_WAIT_S_MAX) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except HTTPError as error:
        text = error.read(65536).decode(errors="replace")
        try:
            text = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):
            text = f"cannot ask {server}: it answers {error.code} {error.reason}"
        raise TallystickError(text) from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise TallystickError(f"cannot ask {server}: {reason}; expected a running 'tallystick serve' there") from error
