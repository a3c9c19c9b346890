"""`Guests`: HTTP on connections that came in by a door for senders, which are told by their first byte.

OpenTSDB has its lines and HTTP on one port, and its senders know one address for both. The door keeps those that begin
with a command and gives the others away. What is answered there is a small application of its own.
"""

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

CONNECTIONS_MAX = 1000
"""Requests on further connections are answered 503 at once."""


class Guests:
    """Serves connections on the event loop of HTTP, once that runs; what comes before is closed.

    Parameters
    ----------
    app
        What is answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._config = uvicorn.Config(
            app,
            http=_Guest,
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
        )
        self._config.load()
        self._state = ServerState()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._adopting: set[asyncio.Task[None]] = set()

    def serve_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve on this loop from now on."""
        self._loop = loop

    def take(self, connection: socket.socket, first: bytes) -> None:
        """Serve a connection of which some bytes are read already; from any thread."""
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._adopt, self._loop, connection, first)
                return
        except RuntimeError:  # the loop has ended
            pass
        connection.close()

    def _adopt(self, loop: asyncio.AbstractEventLoop, connection: socket.socket, first: bytes) -> None:
        guest = _Guest(self._config, self._state, first)
        task = loop.create_task(_connect(loop, guest, connection))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)


async def _connect(loop: asyncio.AbstractEventLoop, guest: "_Guest", connection: socket.socket) -> None:
    try:
        await loop.connect_accepted_socket(lambda: guest, connection)
    except OSError:  # it was closed meanwhile
        connection.close()


class _Guest(HttpToolsProtocol):
    """A connection that begins with bytes that somebody else has read."""

    def __init__(self, config: uvicorn.Config, state: ServerState, first: bytes) -> None:
        super().__init__(config, state, {})
        self._first = first

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.data_received(self._first)
