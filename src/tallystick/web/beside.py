"""`Beside`: another application over HTTP, on an address of its own, served by the event loop of HTTP."""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

CONNECTIONS_MAX = 1000
"""Requests on further connections are answered 503 at once."""


class Beside:
    """Answers on a socket from `serve` on, for as long as the event loop runs.

    Parameters
    ----------
    app
        What is answered.
    listening
        Bound already, so that a taken address is told at start.
    """

    def __init__(self, app: ASGIApp, listening: socket.socket) -> None:
        self._config = uvicorn.Config(
            app,
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS_MAX,
        )
        self._config.load()
        self._state = ServerState()
        self._listening = listening
        self._server: asyncio.Server | None = None

    async def serve(self) -> None:
        """Begin to answer."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpToolsProtocol(self._config, self._state, {}), sock=self._listening
        )
