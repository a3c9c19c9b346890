"""`Exchange`: how one target is asked and its answer read; `Answer`: what it said, within a limit."""

from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from importlib import import_module

from tallystick.config import Poll
from tallystick.ledger import Account
from tallystick.model.errors import TallystickError
from tallystick.model.point import Point
from tallystick.model.reason import Reason
from tallystick.parse.reading import Reading
from tallystick.receive.intake import Intake

_REJECTS_SHOWN = 8


class PollError(TallystickError):
    """A poll that came to nothing, or not to its end; the text is the cause, in half a sentence.

    Parameters
    ----------
    reason
        How it is counted.
    """

    def __init__(self, reason: Reason, cause: str) -> None:
        super().__init__(cause)
        self.reason = reason


class Answer:
    """What a target says, as far as it has said it.

    Parameters
    ----------
    bytes_max
        Saying more is a `PollError`.
    """

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self._said = bytearray()

    def __len__(self) -> int:
        return len(self._said)

    def say(self, data: bytes) -> None:
        """Add to the answer."""
        if len(self._said) + len(data) > self.bytes_max:
            raise PollError(
                Reason.BODY_LONG, f"the answer is longer than {self.bytes_max} bytes; expected less (answer_bytes_max)"
            )
        self._said += data

    @property
    def said(self) -> bytes:
        """Everything so far."""
        return bytes(self._said)


class Exchange(ABC):
    """One target, asked again and again.

    `ask` runs on the event loop; `deliver` on another thread, never while `ask` does.
    """

    in_parts = False
    """Whether the beginning of an answer that was cut off is worth reading."""

    def __init__(self, poll: Poll) -> None:
        self.poll = poll
        self.kept = AsyncExitStack()

    @abstractmethod
    async def ask(self, answer: Answer) -> None:
        """Ask, and have everything said that the target answers.

        Raises
        ------
        PollError, OSError
            If nothing, or nothing more, came that could be used. Whoever asks also limits the time.
        """

    @abstractmethod
    def deliver(self, intake: Intake, account: Account, answer: bytes, now_ms: int) -> int:
        """Have what an answer of `now_ms` holds stored; returns the number of samples that it held.

        Raises
        ------
        PollError
            If it cannot be read at all.
        """

    def told(self, up: bool, duration_s: float, samples: int) -> list[Point]:
        """What the protocol's own users expect to be told of a poll; nothing for most."""
        return []

    async def close(self) -> None:
        """Let go of what is kept open from one poll to the next."""
        await self.kept.aclose()


class ReadingExchange(Exchange):
    """An exchange whose answers are read by Python."""

    @abstractmethod
    def read(self, answer: bytes, now_ms: int) -> Reading:
        """What the answer holds that was given at `now_ms`."""

    def deliver(self, intake: Intake, account: Account, answer: bytes, now_ms: int) -> int:
        """See `Exchange.deliver`; the lock of the names is taken for what was read, not while it is."""
        reading = self.read(answer, now_ms)
        account.received(int(reading.reject_counts.sum()), len(answer))  # the samples are counted by `take`
        account.rejected(reading.reject_counts)
        for reason, text in reading.rejects[:_REJECTS_SHOWN]:
            intake.ledger.note_offender(account.source, reason, text)
        if len(reading.samples):
            intake.take(reading.names, reading.samples, account)
        intake.meanings.tell(reading.meant)
        return len(reading.samples)


def exchange_for(poll: Poll) -> Exchange:
    """The exchange with a target of the config."""
    made: Exchange = import_module(f"{__package__}.{poll.protocol}").exchange(poll)
    return made
