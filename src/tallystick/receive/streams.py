"""`StreamDoor`: TCP and Unix stream sockets on a data thread with an event loop of its own.

All connections read into one buffer: a parser is done with it before the next read. A connection keeps only the
beginning of a line whose end has not come yet, so thousands of idle ones cost next to nothing.

Connections take turns. A turn is one read, of as many bytes as cost about `TURN_CPU_S`: whose lines are expensive reads
fewer of them, and who is new begins with few. Who has more to send than a turn waits until all others had theirs, and
the connections of one host share its turn while other hosts send, too.
"""

import asyncio
import logging
import os
import resource
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import uvloop

from tallystick.ledger import Account
from tallystick.model.address import Address
from tallystick.model.reason import Reason
from tallystick.parse import PADDING, Parsed, Parser
from tallystick.parse.ready import is_ready, make_ready
from tallystick.receive.intake import Intake
from tallystick.receive.peers import host_of
from tallystick.sockets import bind, bound_address

logger = logging.getLogger(__name__)

TURN_BYTES_MIN = 1 << 14
TURN_CPU_S = 0.01
"""What a turn of a connection is meant to cost at most; where it costs more, fewer bytes are read the next time."""

_BUFFER_BYTES = (1 << 20) + (1 << 16)
"""More than the longest line that a listener can be configured for: else nothing more could be read behind one."""
_BACKLOG = 1024
_UNREAD_BYTES_MAX = 1 << 16
_HANDSHAKE_S_MAX = 10.0
_FIRST_CAPITAL, _LAST_CAPITAL = 0x41, 0x5A
CONNECTIONS_MAX = 10_000
"""Further connections are closed at once, and so are those beyond half of the descriptors that the system grants: the
others are for the store and for HTTP."""


HandOver = Callable[[socket.socket, bytes], None]
"""Takes a connection that speaks HTTP, and the bytes of it that were read."""


@dataclass(slots=True)
class _Listening:
    address: Address
    parser: Parser
    account: Account
    socket: socket.socket
    hand_over: HandOver | None
    tls: ssl.SSLContext | None
    is_secret: bool


class StreamDoor:
    """Listens on any number of addresses; one thread serves them all."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.buffer = np.zeros(_BUFFER_BYTES + PADDING, np.uint8)
        self.view = self.buffer.data
        self.turn_bytes_max = _BUFFER_BYTES
        self.connections: dict[asyncio.Transport, _Connection] = {}
        self.hosts: Counter[str] = Counter()
        self.connections_max = CONNECTIONS_MAX
        self._listening: list[_Listening] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def open(
        self,
        address: Address,
        parser: Parser,
        hand_over: HandOver | None = None,
        tls: ssl.SSLContext | None = None,
        *,
        is_secret: bool = False,
    ) -> Address:
        """Bind a socket; senders are served once `start` is called. Returns the address with the port it got.

        Parameters
        ----------
        hand_over
            Given the connections that begin with a capital letter, as requests of HTTP do and no command.
        tls
            Where connections are encrypted.
        is_secret
            Whether senders begin with a secret: what comes before they were answered is not shown to anybody.

        Raises
        ------
        StartError
            If the address cannot be bound.
        """
        bound = bind(address, socket.SOCK_STREAM)
        actual = bound_address(address, bound)
        account = self.intake.ledger.account(f"{parser.protocol} {actual}")
        self._listening.append(_Listening(actual, parser, account, bound, hand_over, tls, is_secret))
        return actual

    def tell(self, protocol: str, text_for: Callable[[str], bytes]) -> None:
        """Write to all senders of a protocol that were answered before what is for their hosts; any thread may call."""

        def write() -> None:
            for connection in list(self.connections.values()):
                connection.tell(protocol, text_for)

        if self._loop is not None:
            self._loop.call_soon_threadsafe(write)

    def start(self) -> None:
        """Serve, in a thread of its own."""
        granted, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if granted != resource.RLIM_INFINITY:
            self.connections_max = min(CONNECTIONS_MAX, granted // 2)
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="streams", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Stop listening, drop the connections and end the thread."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        for listening in self._listening:
            listening.socket.close()
            if listening.address.local:
                Path(listening.address.path).unlink(missing_ok=True)

    def _run(self, ready: threading.Event) -> None:
        loop = self._loop = uvloop.new_event_loop()
        asyncio.set_event_loop(loop)
        servers = [loop.run_until_complete(self._serve(loop, listening)) for listening in self._listening]
        ready.set()
        loop.run_forever()
        for server in servers:
            server.close()
        for transport in list(self.connections):
            transport.abort()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    async def _serve(self, loop: asyncio.AbstractEventLoop, listening: _Listening) -> asyncio.Server:
        def connection() -> _Connection:
            return _Connection(self, loop, listening)

        patience_s = _HANDSHAKE_S_MAX if listening.tls is not None else None
        if listening.address.local:
            return await loop.create_unix_server(
                connection, sock=listening.socket, backlog=_BACKLOG, ssl=listening.tls, ssl_handshake_timeout=patience_s
            )
        return await loop.create_server(
            connection, sock=listening.socket, backlog=_BACKLOG, ssl=listening.tls, ssl_handshake_timeout=patience_s
        )


class _Connection(asyncio.BufferedProtocol):
    """A sender; `_rest` is the beginning of its last line, `_skipping` whether that line is too long."""

    def __init__(self, door: StreamDoor, loop: asyncio.AbstractEventLoop, listening: _Listening) -> None:
        self._door = door
        self._loop = loop
        self._turn_bytes = min(TURN_BYTES_MIN, door.turn_bytes_max)  # what its bytes cost nobody knows yet
        self._asked_bytes = 0
        self._host = ""
        self._parser = listening.parser
        self._account = listening.account
        self._hand_over = listening.hand_over
        self._rest = b""
        self._skipping = False
        self._is_secret = listening.is_secret
        self._is_answered = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        if len(self._door.connections) >= self._door.connections_max:
            self._account.turned_away()
            self._transport.abort()
            return
        self._door.connections[self._transport] = self
        named = transport.get_extra_info("peername")
        if isinstance(named, tuple):
            self._host = host_of(named[0])
            self._account = self._door.intake.ledger.account(self._account.source, self._host)
        self._parser = self._parser.connected(self._host)
        if not is_ready(self._parser):
            self._wait_until_ready(self._transport)
        self._door.hosts[self._host] += 1

    def _wait_until_ready(self, transport: asyncio.Transport) -> None:
        """Read nothing before the parser is ready: compiling would keep the thread from all the others."""

        def go_on(_: asyncio.Future[None]) -> None:
            if not transport.is_closing():
                transport.resume_reading()

        transport.pause_reading()
        self._loop.run_in_executor(None, make_ready, self._parser).add_done_callback(go_on)

    def get_buffer(self, sizehint: int) -> memoryview:
        kept = len(self._rest)
        self._door.view[:kept] = self._rest
        self._asked_bytes = min(self._share_bytes(), _BUFFER_BYTES - kept)
        return self._door.view[kept : kept + self._asked_bytes]

    def buffer_updated(self, nbytes: int) -> None:
        door = self._door
        length = len(self._rest) + nbytes
        hand_over, self._hand_over = self._hand_over, None
        if hand_over is not None and _FIRST_CAPITAL <= door.view[0] <= _LAST_CAPITAL:
            self._give_away(hand_over, bytes(door.view[:length]))
            return
        used_s = time.thread_time()
        try:
            parsed, ticket = door.intake.parse_stream(
                self._parser, door.buffer, length, self._account, skipping=self._skipping, final=False
            )
        except Exception:
            # Whatever one sender provokes must not stop the thread that serves the others.
            logger.exception("cannot take data from %s: the connection is closed", self._account.source)
            if self._transport is not None:
                self._transport.abort()
            return
        self._skipping = parsed.skipping
        self._rest = bytes(door.view[parsed.consumed : length])
        self._end_turn(nbytes, time.thread_time() - used_s)
        if self._transport is not None and (parsed.reply or parsed.broken):
            self._answer(self._transport, parsed)
        if self._transport is not None and parsed.receipt:
            self._promise(self._transport, parsed.receipt, ticket)

    def _promise(self, transport: asyncio.Transport, receipt: bytes, ticket: int | None) -> None:
        """Tell the sender what it is told once all that came is on disk."""
        if ticket is None:  # it was not taken: the sender finds out and sends it again
            transport.abort()
            return

        def tell() -> None:
            if not transport.is_closing():
                self._say(transport, receipt)

        def safe() -> None:
            self._loop.call_soon_threadsafe(tell)  # the log's thread says so

        self._door.intake.when_durable(ticket, safe)

    def tell(self, protocol: str, text_for: Callable[[str], bytes]) -> None:
        """Write to the sender what is for its host, if it speaks this protocol and was answered."""
        transport = self._transport
        wanted = self._is_answered and self._parser.protocol == protocol
        if wanted and transport is not None and not transport.is_closing():
            self._say(transport, text_for(self._host))

    def _give_away(self, hand_over: HandOver, read: bytes) -> None:
        """Let somebody else serve this connection, over a descriptor of his own."""
        if self._transport is not None:
            own = self._transport.get_extra_info("socket")
            descriptor = os.dup(own.fileno())
            self._transport.abort()
            hand_over(socket.socket(fileno=descriptor), read)

    def _share_bytes(self) -> int:
        """What this connection may read in a turn."""
        hosts = self._door.hosts
        share = self._turn_bytes // hosts[self._host] if len(hosts) > 1 else self._turn_bytes
        return max(share, TURN_BYTES_MIN)

    def _end_turn(self, read_bytes: int, cpu_s: float) -> None:
        """Let the others have theirs if there is more to read."""
        if cpu_s > TURN_CPU_S:
            self._turn_bytes = max(self._turn_bytes // 2, TURN_BYTES_MIN)
        elif cpu_s < TURN_CPU_S / 4:
            self._turn_bytes = min(self._turn_bytes * 2, self._door.turn_bytes_max)
        transport = self._transport
        if read_bytes == self._asked_bytes and len(self._door.connections) > 1 and transport is not None:
            transport.pause_reading()
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _answer(self, transport: asyncio.Transport, parsed: Parsed) -> None:
        self._say(transport, parsed.reply)
        self._is_answered = not parsed.broken
        if parsed.broken:
            transport.close()

    def _say(self, transport: asyncio.Transport, text: bytes) -> None:
        """Write, or hang up: who sends and never reads must not fill our memory."""
        if transport.get_write_buffer_size() > _UNREAD_BYTES_MAX:
            self._account.turned_away()
            transport.abort()
            return
        transport.write(text)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if self._transport in self._door.connections:
            del self._door.connections[self._transport]
            self._door.hosts[self._host] -= 1
            if not self._door.hosts[self._host]:
                del self._door.hosts[self._host]
        if self._rest.strip():
            shown = b"" if self._is_secret and not self._is_answered else self._rest
            self._door.intake.reject(self._account, Reason.TRUNCATED, shown)
            self._rest = b""
