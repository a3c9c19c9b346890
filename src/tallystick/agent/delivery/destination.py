"""`Destination`: a thread that sends the spool to one server, or to the first of several that answers."""

import contextlib
import logging
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallystick.agent.spool import Reader, Spool
from tallystick.agent.spool.reader import DamagedRecordError
from tallystick.model.address import Address
from tallystick.model.clock import Clock
from tallystick.native import messages
from tallystick.native.blocking import NOTHING_BLOCKED, Blocking
from tallystick.native.link import Answer, Link
from tallystick.sockets import Backoff

log = logging.getLogger(__name__)

WINDOW_BYTES = 4 << 20
"""So much is sent without an answer."""
RETURN_S = 60.0
"""How often the preferred server is tried again while another one is sent to."""
_GREETING_S = 10.0
_LOOK_S = 10.0
_NOT_YET = "it was not reached yet"


@dataclass(frozen=True, slots=True)
class Greeting:
    """How an agent presents itself.

    Parameters
    ----------
    agent
        Who it is: letters, digits and ``. _ -``, at most 64.
    token
        What servers ask for.
    tls
        How ``tls`` servers are verified.
    """

    agent: str
    token: str = ""
    tls: ssl.SSLContext | None = None

    def hello(self, run: str) -> bytes:
        """The first frame of a conversation."""
        return messages.framed(messages.hello(self.agent, run, self.token))


class Destination:
    """Sends everything once, in order, and again what was not answered.

    Parameters
    ----------
    name
        Its name in the spool.
    servers
        Tried in this order; the first is the preferred one.
    when_blocked
        Called when a server says what it does not want.
    """

    def __init__(
        self,
        name: str,
        servers: Sequence[Address],
        spool: Spool,
        greeting: Greeting,
        clock: Clock,
        when_blocked: Callable[[], None],
    ) -> None:
        self.name = name
        self.blocking = NOTHING_BLOCKED
        self.connects = 0
        self.trouble = _NOT_YET
        """Why nothing is sent; empty while something can be."""
        self._servers = list(servers)
        self._spool = spool
        self._greeting = greeting
        self._clock = clock
        self._when_blocked = when_blocked
        self._stopping = threading.Event()
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"to {name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """There is more to send."""
        with contextlib.suppress(BlockingIOError):  # it is being woken already
            self._wake.send(b"\0")

    def stop(self) -> None:
        """End; what was not answered stays in the spool."""
        self._stopping.set()
        self.wake()
        if self._thread.ident is not None:
            self._thread.join()
        self._woken.close()
        self._wake.close()

    def _run(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            for position, server in enumerate(self._servers):
                if self._serve(server, RETURN_S if position else None):
                    backoff.begin_anew()
                    break
            self._stopping.wait(backoff.next_s())

    def _serve(self, server: Address, patience_s: float | None) -> bool:
        """Send to a server until that fails, or the preferred one is there again; True if it took something."""
        exchange = None
        is_over = False
        try:
            with contextlib.closing(Link(server, self._greeting.tls)) as link:
                exchange = Exchange(link, self._spool, self.name, self._greeting)
                with contextlib.closing(exchange):
                    exchange.greet(_GREETING_S)
                    if self.trouble:
                        log.info("sending to %s", server)
                    self.trouble = ""
                    self.connects += 1
                    self._follow(exchange, patience_s)
            is_over = True
        except (OSError, ValueError) as error:
            if isinstance(error, DamagedRecordError) and exchange is not None:
                exchange.reader.mend()
            if self.trouble in ("", _NOT_YET):  # once for each time it goes away
                log.warning("cannot send to %s: %s; keeping slots and trying again", server, error)
            self.trouble = f"{server}: {error}"
        return is_over or (exchange is not None and exchange.has_answered)

    def _follow(self, exchange: "Exchange", patience_s: float | None) -> None:
        until_s = None if patience_s is None else self._clock.monotonic() + patience_s
        while not self._stopping.is_set():
            if exchange.blocking is not None:
                self.blocking, exchange.blocking = exchange.blocking, None
                self._when_blocked()
            exchange.step(self._woken)
            if until_s is not None and self._clock.monotonic() > until_s and exchange.is_idle:
                if self._answers(self._servers[0]):
                    return
                until_s = self._clock.monotonic() + RETURN_S

    def _answers(self, server: Address) -> bool:
        """Whether the preferred server is there again."""
        try:
            probe(server, self._greeting)
        except (OSError, ValueError):
            return False
        return True


class Exchange:
    """One connection: conversations of one segment after the other."""

    def __init__(self, link: Link, spool: Spool, destination: str, greeting: Greeting) -> None:
        self.reader = Reader(spool, destination)
        self.blocking: Blocking | None = None
        """What the server said last that it does not want, for whoever takes it."""
        self.has_answered = False
        self._link = link
        self._greeting = greeting
        self._unanswered: deque[tuple[int, int]] = deque()  # number and bytes
        self._unanswered_bytes = 0

    def close(self) -> None:
        """Let go of the spool."""
        self.reader.close()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._unanswered

    def greet(self, timeout_s: float) -> None:
        """Begin a conversation, and wait until the server takes part in it.

        Raises
        ------
        OSError
            If it does not.
        """
        self._link.send(self._greeting.hello(self.reader.run))
        welcome(self._link, timeout_s, self._understand)

    def step(self, woken: socket.socket) -> None:
        """Send what there is to send; if there is nothing, wait for an answer, or for more."""
        room = WINDOW_BYTES - self._unanswered_bytes
        pieces = self.reader.take(room) if room > 0 else []
        for piece in pieces:
            if piece.number:
                self._unanswered.append((piece.number, len(piece.frames)))
                self._unanswered_bytes += len(piece.frames)
            self._link.send(piece.frames)
        if pieces:
            return
        if not self._unanswered and self.reader.advance():
            self.greet(_GREETING_S)
        elif self._link.wait(_LOOK_S, is_answer_due=bool(self._unanswered), woken=woken):
            for answer in self._link.answers():
                self._understand(answer)

    def _understand(self, answer: Answer) -> None:
        if answer.kind == messages.BLOCKED:
            self.blocking = Blocking(answer.number, answer.patterns)
        elif answer.kind == messages.TAKEN:
            while self._unanswered and self._unanswered[0][0] <= answer.number:
                self._unanswered_bytes -= self._unanswered.popleft()[1]
            self.has_answered = True
            self.reader.answered(answer.number)


def welcome(link: Link, timeout_s: float, understand: Callable[[Answer], None]) -> None:
    """Wait for a server's welcome.

    Parameters
    ----------
    understand
        Called with what it says beside that.

    Raises
    ------
    OSError
        If there is none in time: who closes the connection does not want us.
    """
    if not link.wait(timeout_s, is_answer_due=False):
        raise TimeoutError(f"no welcome within {timeout_s:.0f} s; expected a server that speaks the native protocol")
    is_welcome = False
    while not is_welcome:
        try:
            answers = list(link.answers())
        except ConnectionError as error:
            cause = (
                "it closed the connection instead of a welcome; expected the token that it asks for, and its version"
            )
            raise ConnectionError(cause) from error
        for answer in answers:
            is_welcome |= answer.kind == messages.WELCOME
            understand(answer)
        if not is_welcome and not link.wait(timeout_s, is_answer_due=False):
            raise TimeoutError(f"no welcome within {timeout_s:.0f} s")


def probe(server: Address, greeting: Greeting, timeout_s: float = 5.0) -> None:
    """Connect to a server and greet it, as one who numbers nothing.

    Raises
    ------
    OSError, ValueError
        If it cannot be reached, is not trusted, or does not want us.
    """
    with contextlib.closing(Link(server, greeting.tls)) as link:
        link.send(greeting.hello(""))
        welcome(link, timeout_s, lambda answer: None)
