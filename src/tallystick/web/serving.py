"""Serving HTTP, and others on the same event loop."""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp

from tallystick.web.beside import Beside
from tallystick.web.guests import Guests

_CONNECTIONS_MAX = 2000  # further requests are answered 503 at once: descriptors are left for senders


def serve(app: ASGIApp, listening: socket.socket, guests: Guests, beside: Beside | None) -> None:
    """Answer HTTP until SIGINT or SIGTERM.

    Parameters
    ----------
    listening
        The socket that `app` is asked at.
    guests
        Connections that came to somebody else.
    beside
        What has an address of its own, if there is something.
    """
    config = uvicorn.Config(
        app,
        loop="uvloop",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_graceful_shutdown=3,
    )
    _Server(config, guests, beside).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Serves others on its event loop, too: guests, and what has an address of its own."""

    def __init__(self, config: uvicorn.Config, guests: Guests, beside: Beside | None) -> None:
        super().__init__(config)
        self._guests = guests
        self._beside = beside

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._guests.serve_on(asyncio.get_running_loop())
        if self._beside is not None:
            await self._beside.serve()
