"""``POST /api/write``: carbon lines in the body, answered once they are safe on disk."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
import numpy as np
from anyio import CapacityLimiter, move_on_after, to_thread
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tallystick.parse import PADDING

BODY_BYTES_MAX = 16 << 20
DURABLE_WAIT_S_MAX = 10
BODIES_BYTES_MAX = 8 * BODY_BYTES_MAX
"""All bodies that are being received, together: more senders are told to come again."""
BODY_WAIT_S_MAX = 30
"""A sender that takes longer for a body gives up its place."""


class Written(msgspec.Struct, frozen=True):
    """What became of a body: samples stored, and rejected by reason. `ticket` is the store's, None if it took
    nothing."""

    stored: int
    rejected: dict[str, int]
    ticket: int | None


class Writer(Protocol):
    """The server's side of a write."""

    def write(self, lines: NDArray[np.uint8], length: int) -> Written:
        """Take the lines in the first `length` bytes; the array has room for the parser's padding."""
        ...

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        """Have `call` called, from any thread, once the ticket is on disk."""
        ...


def write_routes(writer: Writer) -> list[BaseRoute]:
    """The route for writes."""
    bodies = Bodies(BODY_BYTES_MAX, BODIES_BYTES_MAX, b"\n" + bytes(PADDING))
    limiter = CapacityLimiter(1)  # one at a time: the kernels take all of a core, the rest wait in order

    async def write(request: Request) -> Response:
        body = await bodies.receive(request)
        if isinstance(body, Response):
            return body
        try:
            return await take(body)
        finally:
            bodies.done(body)

    async def take(body: bytearray) -> Response:
        length = len(body) - PADDING
        lines = np.frombuffer(body, np.uint8)  # writable, as parsers need it
        written = await to_thread.run_sync(writer.write, lines, length, limiter=limiter, abandon_on_cancel=True)
        if written.ticket is not None and not await _durable(writer, written.ticket):
            return error_response(
                503, f"cannot make it safe: the disk took nothing for {DURABLE_WAIT_S_MAX} s; it is queued"
            )
        full = written.rejected.get("store_full", 0)
        answer = {"stored": written.stored, "rejected": written.rejected}
        return Response(msgspec.json.encode(answer), 503 if full else 200, media_type="application/json")

    return [Route("/api/write", write, methods=["POST"])]


class Bodies:
    """Receives bodies, within a number of bytes for all that are there at the same time.

    Parameters
    ----------
    bytes_max
        Of one body.
    all_bytes_max
        Of all that are being received or worked on.
    ending
        Put behind each.
    """

    def __init__(self, bytes_max: int, all_bytes_max: int, ending: bytes = b"") -> None:
        self._bytes_max = bytes_max
        self._all_bytes_max = all_bytes_max
        self._ending = ending
        self._bytes = 0

    async def receive(self, request: Request) -> bytearray | Response:
        """The body and the ending, to be given to `done`; or why it is not taken."""
        declared = request.headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._bytes_max:
            return error_response(413, f"cannot take a body of {declared} bytes; expected at most {self._bytes_max}")
        body = bytearray()
        whole = False
        try:
            with move_on_after(BODY_WAIT_S_MAX):
                async for chunk in request.stream():
                    if len(body) + len(chunk) > self._bytes_max:
                        return error_response(413, f"cannot take a body of more than {self._bytes_max} bytes")
                    if self._bytes + len(chunk) > self._all_bytes_max:
                        return error_response(503, "cannot take it now: others are sending too much; expected later")
                    body += chunk
                    self._bytes += len(chunk)
                body += self._ending
                self._bytes += len(self._ending)
                whole = True
        finally:
            if not whole:
                self.done(body)
        return (
            body
            if whole
            else error_response(408, f"cannot take the body: not all of it came within {BODY_WAIT_S_MAX} s")
        )

    def done(self, body: bytearray) -> None:
        """Forget a body."""
        self._bytes -= len(body)


async def _durable(writer: Writer, ticket: int) -> bool:
    """Wait until a ticket is on disk; False if the disk does not take it in time."""
    loop, safe = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(safe.set)

    writer.when_durable(ticket, tell)
    with move_on_after(DURABLE_WAIT_S_MAX):
        await safe.wait()
    return safe.is_set()


def error_response(status: int, text: str) -> Response:
    return Response(msgspec.json.encode({"error": text}), status, media_type="application/json")
