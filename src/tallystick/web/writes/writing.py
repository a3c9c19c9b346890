"""`Writing`: the way of a body from a request through a parser into the store, and the wait for the disk.

Threads: a body is decoded and parsed in a worker thread. A parser is used by one at a time, and `_THREADS` bodies are
worked on at the same time; who waits is served in order, first among those of the same route and then among the routes,
so that a flood at one of them takes a place of each round and not all.
"""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from anyio import CapacityLimiter, move_on_after, to_thread
from numpy.typing import NDArray
from starlette.requests import Request

from tallystick.config import Http
from tallystick.ledger import Account, Balance
from tallystick.ledger.passage import Passage
from tallystick.model.errors import StoreError
from tallystick.model.reason import Reason
from tallystick.parse import PADDING, Parsed, Parser
from tallystick.parse.contract import REJECTS_NOTED_MAX
from tallystick.parse.messages import MessageParser
from tallystick.receive import Intake
from tallystick.receive.peers import host_of
from tallystick.web.errors import BodyError
from tallystick.web.writes.bodies import BODY_BYTES_MAX, Bodies, Body
from tallystick.web.writes.decoding import DECODED_BYTES_MAX, decode

BODIES_BYTES_MAX = 8 * BODY_BYTES_MAX
DURABLE_WAIT_S_MAX = 10

_THREADS = 2
_PIECE_BYTES = (1 << 20) + (1 << 16)
"""So much of a body of lines is parsed at a time, as from a socket: other receivers wait for the name table meanwhile.
Longer than the longest line that a parser may be made for."""
_FAULT_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a body that was not taken.

    Parameters
    ----------
    reason
        Why.
    offset
        Its position in the decoded body.
    text
        The beginning of it.
    """

    reason: Reason
    offset: int
    text: bytes


@dataclass(slots=True)
class Written:
    """What became of a body.

    Parameters
    ----------
    stored
        Samples that the store took.
    rejected
        Samples and unusable lines that were not taken, by the ledger's words.
    faults
        The first of those that the parser refused, with their place, in order. What is refused later (a name that a
        rule blocks, a time too far ahead) is only counted.
    ticket
        The store's; None if it took nothing.
    tallied
        Slots that the sender tallied itself, histograms for instance, among what the parser took.
    """

    stored: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    ticket: int | None = None
    tallied: int = 0

    @property
    def dropped(self) -> int:
        """All that was not taken."""
        return sum(self.rejected.values())

    @property
    def is_store_full(self) -> bool:
        """Whether samples were lost since the disk takes no more: the sender is to come again."""
        return Reason.STORE_FULL.name.lower() in self.rejected


class UnsafeError(StoreError):
    """The disk did not take in time what was stored of a body.

    Parameters
    ----------
    written
        What became of the body; it stays queued.
    """

    def __init__(self, written: Written, wait_s: float) -> None:
        super().__init__(f"cannot make it safe: the disk took nothing for {wait_s:g} s; it is queued")
        self.written = written


class Writing:
    """What all routes for senders share.

    Parameters
    ----------
    when_durable
        As `Store.when_durable`.
    options
        The config's, of what is taken over HTTP.
    """

    def __init__(
        self,
        intake: Intake,
        when_durable: Callable[[int, Callable[[], None]], None],
        options: Http,
    ) -> None:
        self.intake = intake
        self.options = options
        self._when_durable = when_durable
        self._bodies = Bodies(BODY_BYTES_MAX, BODIES_BYTES_MAX)
        self._threads = CapacityLimiter(_THREADS)
        self._takers: dict[str, Taker] = {}

    def taker(self, route: str) -> "Taker":
        """Who takes the bodies that are sent to a route; ``/write`` is ``http /write`` in the ledger."""
        source = f"http {route}"
        if source not in self._takers:
            self._takers[source] = Taker(self, self._bodies, self._threads, source)
        return self._takers[source]

    def finish(self) -> None:
        """Wait for bodies that are worked on, though nobody waits for their answers any more."""
        for taker in self._takers.values():
            taker.finish()

    async def is_durable(self, ticket: int, wait_s: float) -> bool:
        """Whether what has a ticket is on disk, now or after so many seconds at most."""
        loop, safe = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            loop.call_soon_threadsafe(safe.set)

        self._when_durable(ticket, tell)
        with move_on_after(wait_s):
            await safe.wait()
        return safe.is_set()


class Taker:
    """Takes the bodies of one route, one at a time; made by `Writing.taker`.

    Parameters
    ----------
    source
        Of its accounts.
    """

    def __init__(self, writing: Writing, bodies: Bodies, threads: CapacityLimiter, source: str) -> None:
        self.source = source
        self._writing = writing
        self._intake = writing.intake
        self._bodies = bodies
        self._threads = threads
        self._turn = CapacityLimiter(1)
        self._working = threading.Lock()  # also held by a thread that nobody waits for any more

    async def take(self, request: Request, parser: Parser, *, durable_wait_s: float | None = None) -> Written:
        """Take the body of a request; what was stored of it is on disk then.

        Parameters
        ----------
        parser
            Belongs to this route; which of them it is may depend on the request's headers and parameters.
        durable_wait_s
            How long the disk may take; `DURABLE_WAIT_S_MAX` if not given.

        Raises
        ------
        BodyError
            If the body is not taken at all; it is accounted for.
        UnsafeError
            If the disk does not take in time what was stored.
        """
        peer = host_of(request.client.host) if request.client is not None else ""
        account = self._intake.ledger.account(self.source, peer)
        try:
            async with self._bodies.received(request) as body, self._turn:
                written = await to_thread.run_sync(
                    self._work, body, parser, account, limiter=self._threads, abandon_on_cancel=True
                )
        except BodyError as error:
            if error.reason is not None:
                self._intake.reject(account, error.reason, str(error).encode())
            elif error.status == 503:
                account.turned_away()
            raise
        wait_s = DURABLE_WAIT_S_MAX if durable_wait_s is None else durable_wait_s
        if written.ticket is not None and not await self._writing.is_durable(written.ticket, wait_s):
            raise UnsafeError(written, wait_s)
        return written

    def finish(self) -> None:
        """Wait until no body is worked on."""
        with self._working:
            pass

    def _work(self, body: Body, parser: Parser, account: Account) -> Written:
        """Decode and parse a body; in a worker thread."""
        with self._working:
            decoded = decode(body, DECODED_BYTES_MAX, PADDING)
            passage = account.passage()
            written = self._parse(np.frombuffer(decoded, np.uint8), parser, account, passage)
            self._intake.meanings.look(parser.protocol, memoryview(decoded)[:-PADDING])
        became = Balance.of(passage.terms)
        written.stored, written.rejected = became.stored, became.rejected
        return written

    def _parse(self, decoded: NDArray[np.uint8], parser: Parser, account: Account, passage: Passage) -> Written:
        """Have a body parsed: messages at once, lines and frames piece by piece."""
        written = Written()
        length = len(decoded) - PADDING
        piece = length if isinstance(parser, MessageParser) else _PIECE_BYTES
        at, skipping, final = 0, False, False
        while not final:
            size = min(piece, length - at)
            final = at + size == length
            parsed, ticket = self._intake.parse_stream(
                parser, decoded[at:], size, account, skipping=skipping, final=final, passage=passage
            )
            _note(written, parsed, decoded, at)
            written.tallied += parsed.tallied
            if ticket is not None:
                written.ticket = ticket
            if parsed.broken:
                break
            at, skipping = at + parsed.consumed, parsed.skipping
        return written


def _note(written: Written, parsed: Parsed, decoded: NDArray[np.uint8], at: int) -> None:
    rejects = parsed.rejects
    for k in range(min(len(rejects.offset), REJECTS_NOTED_MAX - len(written.faults))):
        text = rejects.text(k, decoded[at:], _FAULT_BYTES_MAX)
        written.faults.append(Fault(Reason(rejects.reason[k]), at + int(rejects.offset[k]), text))
