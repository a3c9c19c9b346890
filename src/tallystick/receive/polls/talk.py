"""A connection to a target, read line by line or to its end, within limits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tallystick.model.address import Address
from tallystick.model.reason import Reason
from tallystick.receive.polls.exchange import PollError

_LINE_BYTES_MAX = 1 << 16
_PIECE_BYTES = 1 << 16


class Talk:
    """What is written goes out at once; what is read is counted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_max: int) -> None:
        self._reader = reader
        self._writer = writer
        self._left = self._bytes_max = bytes_max

    async def say(self, line: str) -> None:
        """Send a line."""
        self._writer.write(line.encode() + b"\n")
        await self._writer.drain()

    async def line(self) -> bytes:
        """The next line, without its end.

        Raises
        ------
        PollError
            If there is none: it is too long, or the target went away.
        """
        try:
            line = await self._reader.readline()
        except ValueError:
            raise PollError(
                Reason.LINE_LONG, f"a line is longer than {_LINE_BYTES_MAX} bytes; expected shorter ones"
            ) from None
        if not line.endswith(b"\n"):
            where = f" behind {line[-80:]!r}" if line else ""
            raise PollError(Reason.TRUNCATED, f"it hung up{where}; expected a whole line")
        self._count(line)
        return line.strip()

    async def rest(self) -> AsyncIterator[bytes]:
        """Pieces of everything that comes until the target hangs up."""
        while piece := await self._reader.read(_PIECE_BYTES):
            self._count(piece)
            yield piece

    def _count(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            raise PollError(
                Reason.BODY_LONG, f"it said more than {self._bytes_max} bytes; expected less (answer_bytes_max)"
            )


@asynccontextmanager
async def connected(address: Address, bytes_max: int) -> AsyncIterator[Talk]:
    """A connection that is there, and gone afterwards, whatever happens."""
    if address.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(address.path, limit=_LINE_BYTES_MAX)
    else:
        reader, writer = await asyncio.open_connection(address.host, address.port, limit=_LINE_BYTES_MAX)
    try:
        yield Talk(reader, writer, bytes_max)
    finally:
        writer.transport.abort()  # everything was said, or nothing more matters
