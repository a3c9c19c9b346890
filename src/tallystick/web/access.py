"""Who may ask: anyone on this machine, elsewhere whoever has the token.

A browser on this machine can be made to ask by a foreign page, so a request whose ``Host`` is not an address of this
machine's own (DNS rebinding) or whose ``Origin`` is foreign (a form posted from elsewhere) counts as foreign. So does
one that the browser says a foreign page made (``Sec-Fetch-Site``), unless somebody followed a link: such a page could
otherwise include ``/render?jsonp=...`` as a script and read what it answers.
"""

import hmac
import ipaddress
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tallystick.web.errors import error_response

STRANGER = "tallystick.stranger"
"""Key of the ASGI scope: whether who asks may not ask, and is answered because the path is open to all."""
_OPEN_PATHS = frozenset({"/healthz", "/health", "/ping"})
_QUERY_TOKEN_PATHS = {"/write", "/query"}
"""Where InfluxDB's clients put user and password into the address, as ``u`` and ``p``."""
_OWN_SITES = {"same-origin", "none"}
_OF_PAGES = {"origin", "sec-fetch-site"}


class Access:
    """ASGI middleware that answers 401 to whoever may not ask.

    Parameters
    ----------
    token
        What a client sends as ``Authorization: Bearer ...``, as ``Token ...`` or as the password of ``Basic ...``;
        empty if only this machine may ask.
    open_paths
        What is answered to all.
    """

    def __init__(self, app: ASGIApp, token: str, open_paths: Collection[str] = _OPEN_PATHS) -> None:
        self._app = app
        self._token = token
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stranger = scope["type"] == "http" and not self._allowed(scope)
        scope[STRANGER] = stranger
        if not stranger or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        text = "cannot answer: not on this machine and without its token; expected 'Authorization: Bearer TOKEN'"
        response = Response(
            msgspec.json.encode({"error": text}),
            401,
            {"www-authenticate": 'Bearer realm="tallystick", Basic realm="tallystick"'},
            media_type="application/json",
        )
        await response(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if self._token and (self._has_token(headers) or self._has_query_token(scope)):
            return True
        client = scope.get("client")
        if not client or not _is_loopback(client[0]):
            return False
        return _is_own_name(headers.get("host", "")) and not _is_foreign(headers)

    def _has_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            given = _password(given)
        elif scheme.lower() not in {"bearer", "token"}:  # the second is InfluxDB's word
            return False
        return self._is_token(given.strip())

    def _has_query_token(self, scope: Scope) -> bool:
        if scope["path"] not in _QUERY_TOKEN_PATHS:
            return False
        return self._is_token(QueryParams(scope["query_string"]).get("p", ""))

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())


class WithoutPages:
    """ASGI middleware that refuses what a page has a browser send, where nothing else would keep it out.

    Parameters
    ----------
    paths
        Where it does: what takes data from whoever reaches the port.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_guarded = scope["type"] == "http" and scope["path"] in self._paths
        if is_guarded and not _OF_PAGES.isdisjoint(Headers(scope=scope)):
            text = "cannot take it from a page in a browser: this port is for senders; expected http.address"
            await error_response(403, text)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _password(encoded: str) -> str:
    """The password of HTTP basic authentication, so that a browser can ask for the token; the user name is free."""
    import base64
    import binascii

    try:
        return base64.b64decode(encoded, validate=True).decode("utf-8", "replace").partition(":")[2]
    except binascii.Error:
        return ""


@lru_cache(maxsize=1024)
def _is_own_name(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:  # a bracket that is not closed
        return False
    return name in {"localhost", ""} or _is_loopback(name)


def _is_foreign(headers: Headers) -> bool:
    """Whether a page of somebody else's made a browser ask."""
    origin = headers.get("origin")
    if origin is not None:
        place = origin.partition("://")[2]  # nothing in "null", the origin of a page in a sandbox
        return not place or place != headers.get("host", "")
    # https://www.w3.org/TR/fetch-metadata/: "none" is an address typed in, "navigate" a link followed.
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "")
    return site not in _OWN_SITES and mode != "navigate"


@lru_cache(maxsize=1024)
def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
