"""Asking a server over HTTP: one answer at a time, with a sentence for whatever can go wrong.

What comes back is believed in nothing: redirects are not followed (they would carry the token elsewhere), what is not
of the media type that was asked for is refused, and no more is read than the caller allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, build_opener

from tallystick.model.errors import LimitError, QueryError, ServerError
from tallystick.redirects import NoRedirects

Fields = Sequence[tuple[str, str]]

_JSON = "application/json"
_PIECE_BYTES = 1 << 20
_SENTENCE_BYTES_MAX = 1 << 16
_SHOWN_CHARS_MAX = 120


class Server:
    """A server at an address.

    Parameters
    ----------
    url
        ``http://host:port``, with a path before ours if a proxy has one.
    token
        Empty if the server needs none.
    timeout_s
        How long the server may stay silent.
    answer_bytes_max
        Larger answers are refused.

    Raises
    ------
    ServerError
        If the address or the token cannot be one.
    """

    def __init__(self, url: str, token: str, timeout_s: float, answer_bytes_max: int) -> None:
        self.url = _checked_url(url)
        self._headers = {"Authorization": f"Bearer {_checked_token(token)}"} if token else {}
        self._timeout_s = timeout_s
        self.answer_bytes_max = answer_bytes_max
        self._opener = build_opener(NoRedirects)

    def check(self) -> None:
        """Ask for the server's version, which strangers are not told.

        Raises
        ------
        ServerError
            If no Tallystick answers, or not to this token.
        """
        told = self.json("/healthz", [])
        if not isinstance(told, dict) or "status" not in told:
            raise ServerError(
                f"cannot use {self.url}: what answers there is no Tallystick; expected 'tallystick serve'"
            )
        if "version" not in told:
            raise ServerError(self._refused())

    def json(self, path: str, fields: Fields) -> Any:
        """The answer to a question, as JSON.

        Raises
        ------
        QueryError
            If the server says that the question cannot be answered.
        ServerError
            If it cannot be asked, or its answer is no JSON.
        """
        with self.answer(path, fields, _JSON) as body:
            text = body.read()
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self.unusable(f"its JSON cannot be read ({error})") from error

    @contextmanager
    def answer(self, path: str, fields: Fields, media_type: str) -> Iterator[Body]:
        """The body of an answer while it is read.

        Raises
        ------
        QueryError
            If the server says that the question cannot be answered.
        ServerError
            If it cannot be asked, or answers something else than `media_type`.
        """
        with self._asked(path, fields, media_type) as response:
            given = response.headers.get_content_type()
            if given != media_type:
                raise self.unusable(f"it answers {given}, not {media_type}: {_shown(response)!r}")
            yield Body(self, response, self.answer_bytes_max)

    def _asked(self, path: str, fields: Fields, media_type: str) -> HTTPResponse:
        # As a form: many targets do not fit an address.
        data = urlencode(fields).encode() if fields else None
        try:
            request = Request(self.url + path, data, {"Accept": media_type, **self._headers})
            response: HTTPResponse = self._opener.open(request, timeout=self._timeout_s)
        except HTTPError as error:
            with error:
                raise self._told(error) from error
        except (OSError, HTTPException, ValueError) as error:
            raise self.unreachable(error) from error
        return response

    def unreachable(self, error: Exception) -> ServerError:
        """What to tell when the connection cannot be made or breaks."""
        reason = error.reason if isinstance(error, URLError) else error
        told = " ".join(str(reason).split())[:_SHOWN_CHARS_MAX] or type(reason).__name__
        return ServerError(f"cannot ask {self.url}: {told}; expected a running 'tallystick serve' there")

    def unusable(self, what: str) -> ServerError:
        """What to tell when something answers that is no Tallystick, or a broken one."""
        return ServerError(
            f"cannot use the answer of {self.url}: {what}; expected that of a Tallystick server, is there a proxy?"
        )

    def _refused(self) -> str:
        given = "not with this token" if self._headers else "not without a token"
        return f"cannot ask {self.url}: it does not answer this machine, {given}; expected that of its http.token"

    def _told(self, error: HTTPError) -> Exception:
        """The server's own sentence, or what HTTP says."""
        if error.code == 401:
            return ServerError(self._refused())
        if 300 <= error.code < 400:
            place = error.headers.get("Location", "")[:_SHOWN_CHARS_MAX]
            return ServerError(f"cannot ask {self.url}: it redirects to {place!r}; expected the address of the server")
        try:
            told = json.loads(error.read(_SENTENCE_BYTES_MAX))["error"]
        except (ValueError, KeyError, TypeError, RecursionError, OSError, HTTPException):
            return self.unusable(f"it answers {error.code} {error.reason}")
        return QueryError(str(told)) if error.code == 400 else ServerError(str(told))


class Body:
    """The body of an answer; a file as far as Arrow needs one."""

    closed = False

    def __init__(self, server: Server, response: HTTPResponse | IO[bytes], bytes_max: int) -> None:
        self._server = server
        self._response = response
        self._left = bytes_max

    def read(self, size: int = -1) -> bytes:
        """`size` bytes, or all; fewer at the end. In pieces: a size that a stranger wrote is not allocated before.

        Raises
        ------
        LimitError
            If the answer is larger than allowed.
        ServerError
            If the connection breaks.
        """
        pieces: list[bytes] = []
        wanted = size if size >= 0 else self._left + 1
        while wanted:
            try:
                piece = self._response.read(min(wanted, _PIECE_BYTES))
            except (OSError, HTTPException, ValueError) as error:
                raise self._server.unreachable(error) from error
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
            self._left -= len(piece)
            if self._left < 0:
                raise LimitError(
                    f"cannot take the answer of {self._server.url}: it is larger than answer_bytes_max = "
                    f"{self._server.answer_bytes_max}; expected a narrower path, a shorter range or a longer step"
                )
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and not parts.username
        right = right and not parts.query and not parts.fragment and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise ServerError(f"cannot use address {url!r}: expected http://host:port, the token apart from it")
    return url.rstrip("/")


def _checked_token(token: str) -> str:
    if not (token.isascii() and token.isprintable()):
        raise ServerError("cannot use the token: it has characters that do not fit into a header; expected ASCII")
    return token


def _shown(response: HTTPResponse) -> str:
    try:
        return " ".join(response.read(512).decode("utf-8", "replace").split())[:_SHOWN_CHARS_MAX]
    except (OSError, HTTPException, ValueError):
        return ""
