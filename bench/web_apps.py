"""What counting costs a web application: requests in a second of CPU with the middleware and without, in one run.

Applications are called as their servers call them, without sockets: what a server adds is the same for both.
"""

import asyncio
import io
import os
from collections.abc import Callable, Iterator
from importlib import import_module
from time import process_time
from typing import Any

from bench.figure import Figure, benchmark, load

_REPEATS = 7
_SPAN_S = 0.2
_ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/orders/3",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(),
}
_SCOPE = {"type": "http", "method": "GET", "path": "/orders/3", "headers": [], "query_string": b"", "root_path": ""}

Serve = Callable[[int], None]
"""Has an application answer so many requests."""


@benchmark("web-apps")
def web_apps() -> Iterator[Figure]:
    """Requests a second of CPU of Django, Starlette and bare applications, with our middleware and without."""
    os.environ |= {"TALLYSTICK_AGENT": "none", "TALLYSTICK_RUNTIME": "off"}
    for name, make in (("WSGI", _wsgi), ("ASGI", _asgi), ("Starlette", _starlette), ("Django", _django)):
        bare, counted = make(False), make(True)
        without, with_it = _rates(bare, counted)
        note = f"{1e6 / with_it - 1e6 / without:.1f} us a request; {load()}"
        yield Figure(f"{name}, without", without, "requests/CPU-s")
        yield Figure(f"{name}, counted", with_it, "requests/CPU-s", note=note)


def _rates(*serves: Serve) -> list[float]:
    """Requests in a second of CPU, the most of some runs, which take turns."""
    best = [0.0 for _ in serves]
    for _ in range(_REPEATS):
        for at, serve in enumerate(serves):
            best[at] = max(best[at], _rate(serve))
    return best


def _rate(serve: Serve) -> float:
    requests, began = 0, process_time()
    while (spent := process_time() - began) < _SPAN_S:
        serve(200)
        requests += 200
    return requests / spent


def _ask_wsgi(app: Any) -> Serve:
    def serve(requests: int) -> None:
        for _ in range(requests):
            answer = app(_ENVIRON.copy(), lambda status, headers, error=None: None)
            list(answer)
            if (close := getattr(answer, "close", None)) is not None:
                close()

    return serve


def _ask_asgi(app: Any) -> Serve:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        pass

    async def several(requests: int) -> None:
        for _ in range(requests):
            await app(_SCOPE.copy(), receive, send)

    return lambda requests: asyncio.run(several(requests))


def _wsgi(counted: bool) -> Serve:
    from tallystick.sensors.web import WsgiMiddleware

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"order 3"]

    return _ask_wsgi(WsgiMiddleware(app) if counted else app)


def _asgi(counted: bool) -> Serve:
    from tallystick.sensors.web import AsgiMiddleware

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"order 3"})

    return _ask_asgi(AsgiMiddleware(app) if counted else app)


def _starlette(counted: bool) -> Serve:
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from tallystick.sensors.web import AsgiMiddleware

    async def order(request: Any) -> PlainTextResponse:
        return PlainTextResponse(f"order {request.path_params['number']}")

    app = Starlette(routes=[Route("/orders/{number:int}", order)])
    if counted:
        app.add_middleware(AsgiMiddleware)
    return _ask_asgi(app)


def _django(counted: bool) -> Serve:
    settings = import_module("django.conf").settings
    if not settings.configured:
        settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="bench.loads.django_urls", MIDDLEWARE=[])
        import_module("django").setup()
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    if counted:
        settings.MIDDLEWARE.insert(0, "tallystick.sensors.web.django.Middleware")
    return _ask_wsgi(import_module("django.core.handlers.wsgi").WSGIHandler())
