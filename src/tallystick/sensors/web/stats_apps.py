"""The ``/stats/`` page as an ASGI and as a WSGI application, to mount in another.

>>> app.mount("/stats", asgi_stats())                                             # Starlette, FastAPI
>>> app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/stats": wsgi_stats()})   # Flask, by Werkzeug
"""

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus

from tallystick.sensors.web.asgi import Application, Receive, Scope, Send
from tallystick.sensors.web.stats import Stats
from tallystick.sensors.web.stats_page import Answer, respond
from tallystick.sensors.web.wsgi import Environ, Write


def asgi_stats(stats: Stats | None = None) -> Application:
    """An ASGI application that answers the page and its numbers."""
    told = stats or Stats()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        root = str(scope.get("root_path", ""))
        path = str(scope["path"]).removeprefix(root)
        headers = dict(scope["headers"])
        gzips = b"gzip" in headers.get(b"accept-encoding", b"")
        query = scope.get("query_string", b"").decode("latin-1")
        # The numbers are asked of a server, and waited for: in a thread.
        answer = await asyncio.to_thread(_answer, told, scope["method"], root, path, query, gzips=gzips)
        encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
        encoded.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    return application


def wsgi_stats(stats: Stats | None = None) -> Callable[[Environ, Callable[..., Write]], Iterable[bytes]]:
    """A WSGI application that answers the page and its numbers."""
    told = stats or Stats()

    def application(environ: Environ, start_response: Callable[..., Write]) -> Iterable[bytes]:
        method, root = environ["REQUEST_METHOD"], environ.get("SCRIPT_NAME", "")
        gzips = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        answer = _answer(told, method, root, environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""), gzips=gzips)
        status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
        start_response(status, [*answer.headers.items(), ("Content-Length", str(len(answer.body)))])
        return [b"" if method == "HEAD" else answer.body]

    return application


def _answer(stats: Stats, method: str, root: str, path: str, query: str, *, gzips: bool) -> Answer:
    if method not in ("GET", "HEAD"):
        return Answer(405, b"", {"Allow": "GET, HEAD"})
    if not path:  # the page's own addresses are relative to the slash
        return Answer(308, b"", {"Location": f"{root.rpartition('/')[2]}/"})
    return respond(stats, path.lstrip("/"), query, gzips=gzips)
