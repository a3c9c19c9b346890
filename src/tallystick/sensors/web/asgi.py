"""`AsgiMiddleware`: what an ASGI application answers is counted; needs no framework and changes nothing.

Source: https://asgi.readthedocs.io/en/latest/specs/www.html
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tallystick.sensors.web.traffic import COUNTED, Traffic

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ViewOf = Callable[[Scope], str]
"""Says the view that answers, once it has."""


def route_of(scope: Scope) -> str:
    """The route that the framework chose, as Starlette and FastAPI leave it in the scope; empty if there is none."""
    path = getattr(scope.get("route"), "path", None)
    if isinstance(path, str):
        return path or "/"
    endpoint = scope.get("endpoint")
    return "" if endpoint is None else getattr(endpoint, "__qualname__", type(endpoint).__qualname__)


class AsgiMiddleware:
    """ASGI middleware that counts requests and WebSockets.

    Parameters
    ----------
    owner
        Shown where the metrics are.
    view
        Says the view that answered, for frameworks that do not leave their routes in the scope. It must have few
        answers: a path that was asked for is none.
    """

    def __init__(
        self, app: Application, owner: str = "", view: ViewOf = route_of, traffic: Traffic | None = None
    ) -> None:
        self._app = app
        self._view = view
        self._traffic = traffic or Traffic(owner)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if COUNTED in scope:
            await self._app(scope, receive, send)
            return
        scope[COUNTED] = True
        if scope["type"] == "http":
            await _Request(self._traffic, scope, receive, send, self._view).run(self._app)
        elif scope["type"] == "websocket":
            await _WebSocket(self._traffic, scope, receive, send, self._view).run(self._app)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, self._flushing(send))
        else:
            await self._app(scope, receive, send)

    def _flushing(self, send: Send) -> Send:
        """`send` of a lifespan: before the server is told that it may end, what is counted leaves the process.

        uvicorn ends itself by the signal that it was sent, and what is registered with `atexit` is not called then.
        """

        async def flush_and_send(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown."):
                await asyncio.to_thread(self._traffic.flush)
            await send(message)

        return flush_and_send


class _Exchange:
    """What goes to and fro between a server and an application, counted."""

    __slots__ = ("_began", "_receive", "_received", "_scope", "_send", "_sent", "_status", "_traffic", "_view")

    def __init__(self, traffic: Traffic, scope: Scope, receive: Receive, send: Send, view: ViewOf) -> None:
        self._traffic, self._scope, self._view = traffic, scope, view
        self._receive, self._send = receive, send
        self._status = self._sent = self._received = 0
        self._began = traffic.begin()


class _Request(_Exchange):
    """One request, from its first message to the last of its answer."""

    __slots__ = ("_ended", "_gone")

    def __init__(self, traffic: Traffic, scope: Scope, receive: Receive, send: Send, view: ViewOf) -> None:
        super().__init__(traffic, scope, receive, send, view)
        self._gone = self._ended = False

    async def run(self, app: Application) -> None:
        try:
            await app(self._scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._gone = True
            raise
        except BaseException:
            if not self._ended:
                self._end(failed=not self._gone)
            elif self._status < 500:
                self._traffic.failed()  # in what is done behind an answer, as Starlette's background tasks
            raise
        finally:
            if not self._ended:
                self._end(cut=True)

    async def receive(self) -> Message:
        message = await self._receive()
        kind = message["type"]
        if kind == "http.request":
            self._received += len(message.get("body", b""))
        elif kind == "http.disconnect" and not self._ended:
            self._gone = True
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._status = message["status"]
        try:
            await self._send(message)
        except OSError:
            self._gone = True
            raise
        if kind == "http.response.body":
            self._sent += len(message.get("body", b""))
            if not (message.get("more_body", False) or self._ended):
                self._end()
        elif kind == "http.response.pathsend" and not self._ended:
            self._end()

    def _end(self, *, failed: bool = False, cut: bool = False) -> None:
        self._ended = True
        self._traffic.end(
            self._began,
            self._scope["method"],
            self._view(self._scope),
            self._status,
            sent=self._sent,
            received=self._received,
            failed=failed,
            cut=not failed and (cut or self._gone),
        )


class _WebSocket(_Exchange):
    """One WebSocket, from its greeting to its end; one that is refused is a request."""

    __slots__ = ("_opened",)

    def __init__(self, traffic: Traffic, scope: Scope, receive: Receive, send: Send, view: ViewOf) -> None:
        super().__init__(traffic, scope, receive, send, view)
        self._opened: float | None = None

    async def run(self, app: Application) -> None:
        failed = True
        try:
            await app(self._scope, self.receive, self.send)
            failed = False
        except asyncio.CancelledError:
            failed = False
            raise
        finally:
            self._close(failed)

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.receive":
            self._received += _size(message)
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        await self._send(message)
        if kind == "websocket.accept":
            self._opened = self._traffic.opened()
        elif kind == "websocket.send":
            self._sent += _size(message)
        elif kind == "websocket.http.response.start":
            self._status = message["status"]
        elif kind == "websocket.close" and self._opened is None:
            self._status = 403  # by the specification

    def _close(self, failed: bool) -> None:
        view = self._view(self._scope)
        if self._opened is not None:
            self._traffic.closed(self._opened, view, self._sent, self._received, failed=failed)
        else:
            cut = not failed and not self._status
            self._traffic.end(self._began, "GET", view, self._status, failed=failed, cut=cut)


def _size(message: Message) -> int:
    """Bytes of a message; of a text its characters, most of which are one byte."""
    return len(message.get("bytes") or message.get("text") or "")
