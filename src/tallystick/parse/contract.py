"""What a parser promises: bytes to columns, without I/O, and without state but what its protocol spreads over messages.

Ownership: the arrays of a `Parsed` are fresh; nothing overwrites them later. Buffers given to a parser need `PADDING`
writable bytes behind what is used; they are read, and left as they were.

Threads: one parser belongs to one thread (it keeps scratch memory). The name table may be shared: the caller holds
``names.lock`` during a call.

Conservation: ``parsed.lines == parsed.taken + parsed.rejects.total``, exactly. What is counted is the *sample*; a slot
that the sender tallied itself is one, and a line that yields none because it is bad as a whole counts once. Blank lines
count nothing.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Listener
from tallystick.kernels.names import NameTable
from tallystick.kernels.words import PADDING
from tallystick.model.numbered import NumberedBatches
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.parse.meant import Meant

__all__ = ["LINE_BYTES_MAX", "PADDING", "REJECTS_NOTED_MAX", "Parsed", "Parser", "Rejects"]

LINE_BYTES_MAX = 16_384
"""The default limit on a line, which is carbon's; longer ones are rejected whole."""

REJECTS_NOTED_MAX = 256
"""So many rejects of one call are noted with their place; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Rejects:
    """What was not taken, and why.

    Parameters
    ----------
    offset : int64[k]
        Position in the buffer of the first `REJECTS_NOTED_MAX` rejected lines or samples.
    length : int32[k]
        Their lengths in bytes.
    reason : uint8[k]
        Their `Reason`.
    counts : int64[len(Reason)]
        All rejects, by reason.
    texts
        What is told of each of the noted ones, where their bytes in the buffer tell nobody anything; else empty.
    """

    offset: NDArray[np.int64]
    length: NDArray[np.int32]
    reason: NDArray[np.uint8]
    counts: NDArray[np.int64]
    texts: tuple[bytes, ...] = ()

    @property
    def total(self) -> int:
        """How many there are."""
        return int(self.counts.sum()) if len(self.offset) else 0

    def text(self, k: int, buffer: NDArray[np.uint8], bytes_max: int) -> bytes:
        """What is told of one that was noted, as much of it as is asked for."""
        if self.texts:
            return self.texts[k][:bytes_max]
        start = int(self.offset[k])
        return buffer[start : start + min(int(self.length[k]), bytes_max)].tobytes()

    @classmethod
    def none(cls) -> "Rejects":
        """Nothing was refused: always the same one."""
        return _NO_REJECTS

    @classmethod
    def one(cls, reason: Reason, offset: int, length: int) -> "Rejects":
        """A single reject, for what the receiver finds out: a sender that went away inside a line."""
        counts = np.zeros(len(Reason), np.int64)
        counts[reason] = 1
        return cls(
            np.array([offset], np.int64), np.array([length], np.int32), np.array([int(reason)], np.uint8), counts
        )


_NO_REJECTS = Rejects(
    np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8), np.zeros(len(Reason), np.int64)
)
_NO_REJECTS.counts.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser made of some bytes.

    Parameters
    ----------
    batch
        The samples; their ids are entries of the name table.
    rejects
        What was not taken.
    lines
        Samples and unusable lines that were seen: what was taken and the rejects together.
    consumed
        Bytes that are dealt with; the caller keeps the rest and sends it again with more behind it.
    skipping
        Whether the bytes ended inside a line that is too long (and is counted already); to be handed to the next
        call for the same connection.
    broken
        Whether nothing that follows on this connection can be read: it is to be closed.
    reply
        What the protocol has the sender told; nothing for most.
    began : int64[spans, 2]
        Samples of the batch, and samples and unusable lines together, that came before each span of the buffer
        (datagram, frame); empty where that is not told.
    tallies
        Slots that the sender tallied itself, where the protocol has such.
    tallies_began : int64[spans]
        Tallied slots that came before each span, where there are any.
    numbered
        The numbered batches that these are of, where the protocol has such: they count once, however often sent.
    receipt
        What the protocol has the sender told once all that was parsed is on disk.
    meant
        What was said of series beside their numbers, where the protocol says it in messages of its own.
    """

    batch: SampleBatch
    rejects: Rejects
    lines: int
    consumed: int
    skipping: bool = False
    broken: bool = False
    reply: bytes = b""
    began: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    tallies: TallyBatch | None = None
    tallies_began: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    numbered: NumberedBatches | None = None
    receipt: bytes = b""
    meant: tuple[Meant, ...] = ()

    @property
    def taken(self) -> int:
        """Samples and tallied slots."""
        return len(self.batch) + self.tallied

    @property
    def tallied(self) -> int:
        """Tallied slots."""
        return len(self.tallies) if self.tallies is not None else 0


class Parser(Protocol):
    """A protocol's bytes to samples."""

    protocol: ClassVar[str]
    line_bytes_max: int
    """Longer lines are rejected. A stream's buffer must hold more than this: a line ends in it or is too long."""

    def __init__(self, line_bytes_max: int = LINE_BYTES_MAX) -> None: ...

    @classmethod
    def configured(cls, listener: Listener) -> Self:
        """A parser for a listener of the config."""
        ...

    @classmethod
    def prepare(cls) -> None:
        """Have all kernels compiled that a parser of this protocol calls: see `tallystick.parse.ready`."""
        ...

    def connected(self, host: str = "") -> "Parser":
        """The parser for one connection, of a sender at `host`: this one, where nothing is to be remembered from one
        call to the next."""
        ...

    def parse(
        self,
        buffer: NDArray[np.uint8],
        length: int,
        names: NameTable,
        now_ms: int,
        *,
        final: bool = False,
        skipping: bool = False,
    ) -> Parsed:
        """Parse the complete lines, or frames, among the first `length` bytes of a stream's buffer.

        Parameters
        ----------
        final
            Nothing follows: the unterminated rest is a line too. (Where a sender went away in mid-line the receiver
            does not set this, but counts the rest by ``Rejects.one(Reason.TRUNCATED, ...)``.)
        skipping
            What the last call for this connection returned.
        """
        ...

    def parse_datagrams(
        self,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int32],
        names: NameTable,
        now_ms: int,
    ) -> Parsed:
        """Parse datagrams in a buffer; the end of each ends its last line. `consumed` is their total length."""
        ...
