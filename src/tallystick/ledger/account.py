"""`Account`: what one peer of one source sent; `Balance`: what became of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import UNDECIDED
from tallystick.ledger.book import Book
from tallystick.ledger.passage import Passage
from tallystick.ledger.terms import (
    BYTES,
    GENERATED,
    KERNEL_DROPS,
    LATE,
    MADE,
    PARSED,
    QUEUE_DROPS,
    RECEIVED,
    REJECTED,
    ROUTED,
    STORED,
)
from tallystick.model.reason import Reason


@dataclass(frozen=True, slots=True)
class Balance:
    """What a source sent and what became of it, in samples.

    Parameters
    ----------
    rejected
        By reason, those that occurred.
    kernel_drops
        Datagrams lost before we saw them.
    peer
        Whom it came from; empty for all together.
    prefix
        What the names begin with; empty for all together.
    generated
        Samples that senders say they made, where they number them.
    parsed
        Samples that a parser understood.
    late
        Stored samples of slots that were over.
    queue_drops
        Connections, requests or messages that were turned away because a queue was full.
    made
        Samples that rules made of others.
    """

    source: str
    received_bytes: int
    received: int
    stored: int
    rejected: dict[str, int]
    kernel_drops: int
    peer: str = ""
    prefix: str = ""
    generated: int = 0
    parsed: int = 0
    late: int = 0
    queue_drops: int = 0
    made: int = 0

    @property
    def in_flight(self) -> int:
        """Received or made, and not yet stored or rejected; 0 at rest."""
        return self.received + self.made - self.stored - sum(self.rejected.values())

    @property
    def lost_on_the_way(self) -> int | None:
        """Samples that were made and never came, of senders that number them; None of those that do not."""
        if not self.generated:
            return None
        return max(self.generated - self.received + self.rejected.get("duplicate", 0), 0)

    @classmethod
    def of(cls, counts: NDArray[np.int64], source: str = "", peer: str = "", prefix: str = "") -> "Balance":
        """The balance of a row of terms: int64[COLUMNS]."""
        rejected = counts[REJECTED:]
        return cls(
            source=source,
            received_bytes=int(counts[BYTES]),
            received=int(counts[RECEIVED]),
            stored=int(counts[STORED]),
            rejected={Reason(k).name.lower(): int(rejected[k]) for k in np.flatnonzero(rejected).tolist()},
            kernel_drops=int(counts[KERNEL_DROPS]),
            peer=peer,
            prefix=prefix,
            generated=int(counts[GENERATED]),
            parsed=int(counts[PARSED]),
            late=int(counts[LATE]),
            queue_drops=int(counts[QUEUE_DROPS]),
            made=int(counts[MADE]),
        )


class Account:
    """Counts for one peer of one source; thread-safe.

    Batches with names are counted by `tallystick.receive.Intake`, through a `Passage`. The methods here are for what
    has none: inputs refused before a parser, drops, what senders say of themselves.

    Parameters
    ----------
    number
        Its number in the book.
    window
        Tells the number of the present window.
    """

    def __init__(self, book: Book, number: int, source: str, peer: str, window: Callable[[], int]) -> None:
        self.number = number
        self.source = source
        self.peer = peer
        self._book = book
        self._window = window
        self._source_number = book.source_number(number)
        self._kernel_drops = 0

    def passage(self, window: int | None = None) -> Passage:
        """The way of a batch that arrives in this window, by default the present one."""
        return Passage(self._book, self._source_number, self._window() if window is None else window)

    def received(self, samples: int, size_bytes: int) -> None:
        """Samples without a name, and lines that were none; what becomes of them is to be told by the methods below."""
        self._post(RECEIVED, samples)
        self._post(BYTES, size_bytes)

    def stored(self, samples: int) -> None:
        """Samples of `received` that the store took."""
        for term in (PARSED, ROUTED, STORED):
            self._post(term, samples)

    def rejected(self, counts: NDArray[np.int64]) -> None:
        """Samples of `received` that a stage refused, int64 by `Reason`."""
        self._post(slice(REJECTED, REJECTED + len(counts)), counts)

    def rejected_for(self, reason: Reason, samples: int) -> None:
        """Samples of `received` that a stage refused for one reason."""
        self._post(REJECTED + int(reason), samples)

    def refused(self, reason: Reason, samples: int, size_bytes: int) -> None:
        """Samples (or one input that holds none) that were received and rejected at once."""
        counts = np.zeros(len(Reason), np.int64)
        counts[reason] = samples
        self.passage().unnamed(self.number, samples, size_bytes, counts)

    def generated(self, samples: int) -> None:
        """Samples that the sender says it made, for senders that number what they send: what of them never came is
        lost on the way. To be told once for each, however often it is sent."""
        self._post(GENERATED, samples)

    def kernel_dropped(self, datagrams: int) -> None:
        """Datagrams that the kernel has dropped so far since a socket's buffer was full; never received, so not in
        the sum."""
        more, self._kernel_drops = datagrams - self._kernel_drops, datagrams
        if more:
            self._post(KERNEL_DROPS, more)

    def turned_away(self, count: int = 1) -> None:
        """Connections, requests or messages that a full queue of ours had no room for; never received."""
        self._post(QUEUE_DROPS, count)

    def snapshot(self) -> Balance:
        """The counts at one moment, of all prefixes together."""
        book = self._book
        with book.lock:
            cells = np.flatnonzero(book.account_of == self.number)
            counts = book.windows.total_of(cells).sum(axis=0)
        return Balance.of(counts, self.source, self.peer)

    def _post(self, term: int | slice, count: int | NDArray[np.int64]) -> None:
        book = self._book
        with book.lock:
            counts = book.windows.counting(self._window())
            counts[book.place[self.number, UNDECIDED], term] += count
            book.passed(self._source_number)[term] += count
