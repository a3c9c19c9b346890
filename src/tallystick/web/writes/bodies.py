"""Bodies of requests on their way in: bounded, one by one and all together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio import move_on_after
from starlette.requests import Request

from tallystick.model.reason import Reason
from tallystick.web.errors import BodyError

BODY_BYTES_MAX = 16 << 20
"""As it is received; what it becomes has a limit of its own."""
BODY_WAIT_S_MAX = 30
"""A sender that takes longer for a body gives up its place."""


@dataclass(frozen=True, slots=True)
class Body:
    """A whole body, as it was received.

    Parameters
    ----------
    data
        Its bytes; whoever works on it may change them.
    encoding
        What ``Content-Encoding`` says.
    """

    data: bytearray
    encoding: str


class Bodies:
    """Receives bodies, within a number of bytes for all that are there at the same time.

    Parameters
    ----------
    bytes_max
        Of one body.
    all_bytes_max
        Of all that are being received or worked on: more senders are told to come again.
    """

    def __init__(self, bytes_max: int, all_bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._all_bytes_max = all_bytes_max
        self._bytes = 0

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[Body]:
        """The body of a request; its place is given back at the end.

        Raises
        ------
        BodyError
            If it is too large, too slow, or there are too many.
        ClientDisconnect
            If the sender went away before it was whole.
        """
        data = bytearray()
        try:
            await self._fill(request, data)
            yield Body(data, request.headers.get("content-encoding", ""))
        finally:
            self._bytes -= len(data)

    async def _fill(self, request: Request, data: bytearray) -> None:
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._bytes_max:
            raise self._too_long(f"{declared} bytes")
        with move_on_after(BODY_WAIT_S_MAX):
            async for chunk in request.stream():
                if len(data) + len(chunk) > self._bytes_max:
                    raise self._too_long(f"more than {self._bytes_max} bytes")
                if self._bytes + len(chunk) > self._all_bytes_max:
                    raise BodyError(503, "cannot take it now: others are sending too much; expected later")
                data += chunk
                self._bytes += len(chunk)
            return
        raise BodyError(408, f"cannot take the body: not all of it came within {BODY_WAIT_S_MAX} s; expected it whole")

    def _too_long(self, size: str) -> BodyError:
        text = f"cannot take a body of {size}: it is too large; expected at most {self._bytes_max} bytes"
        return BodyError(413, text, Reason.BODY_LONG)
