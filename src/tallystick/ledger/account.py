"""`Ledger`: an `Account` for each source, and the last inputs that were refused."""

import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import Clock
from tallystick.model.reason import Reason

OFFENDERS_MAX = 100
"""So many rejected inputs of each reason are kept to be read."""
_TEXT_BYTES_MAX = 256


@dataclass(frozen=True, slots=True)
class Offender:
    """A rejected input.

    Parameters
    ----------
    source
        The account it came in by.
    reason
        Why it was rejected.
    text
        The beginning of it; bytes that are not printable are escaped. Whoever shows it treats it as hostile.
    at_s
        Epoch seconds of its arrival.
    """

    source: str
    reason: Reason
    text: str
    at_s: float


class Account:
    """The counts of one source since the start; thread-safe.

    Attributes are read through `snapshot`.
    """

    def __init__(self, source: str, peer: str = "") -> None:
        self.source = source
        self.peer = peer
        self._lock = threading.Lock()
        self._bytes = 0
        self._received = 0
        self._stored = 0
        self._kernel_drops = 0
        self._generated = 0
        self._rejected = np.zeros(len(Reason), np.int64)

    def received(self, samples: int, size_bytes: int) -> None:
        """Samples (and lines that were none) that a parser saw in so many bytes."""
        with self._lock:
            self._received += samples
            self._bytes += size_bytes

    def stored(self, samples: int) -> None:
        """Samples that the store took."""
        with self._lock:
            self._stored += samples

    def rejected(self, counts: NDArray[np.int64]) -> None:
        """Samples that a stage refused, int64 by `Reason`."""
        with self._lock:
            self._rejected += counts

    def rejected_for(self, reason: Reason, samples: int) -> None:
        """Samples that a stage refused for one reason."""
        with self._lock:
            self._rejected[reason] += samples

    def generated(self, samples: int) -> None:
        """Samples that the sender says it made, for senders that number what they send: what of them never came is
        lost on the way. To be told once for each, however often it is sent."""
        with self._lock:
            self._generated += samples

    def kernel_dropped(self, datagrams: int) -> None:
        """Datagrams that the kernel has dropped so far since a socket's buffer was full; never received, so not in
        the sum."""
        with self._lock:
            self._kernel_drops = datagrams

    def snapshot(self) -> "Balance":
        """The counts at one moment."""
        with self._lock:
            rejected = {Reason(k).name.lower(): int(self._rejected[k]) for k in np.flatnonzero(self._rejected).tolist()}
            return Balance(
                self.source,
                self._bytes,
                self._received,
                self._stored,
                rejected,
                self._kernel_drops,
                self.peer,
                self._generated,
            )


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
    generated
        Samples that senders say they made, where they number them.
    """

    source: str
    received_bytes: int
    received: int
    stored: int
    rejected: dict[str, int]
    kernel_drops: int
    peer: str = ""
    generated: int = 0

    @property
    def in_flight(self) -> int:
        """Received, and not yet stored or rejected; 0 at rest."""
        return self.received - self.stored - sum(self.rejected.values())


class Ledger:
    """All accounts, and the last offenders; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, str], Account] = {}
        self._offenders: dict[Reason, deque[Offender]] = {}

    def account(self, source: str, peer: str = "") -> Account:
        """The account of a peer of a source (a listener, a route of HTTP), opened on first use."""
        with self._lock:
            if (source, peer) not in self._accounts:
                self._accounts[source, peer] = Account(source, peer)
            return self._accounts[source, peer]

    def balances(self) -> list[Balance]:
        """The balance of each source, of all peers together, in the order of opening."""
        with self._lock:
            accounts = list(self._accounts.values())
        found: dict[str, list[Balance]] = {}
        for account in accounts:
            found.setdefault(account.source, []).append(account.snapshot())
        return [_together(balances) for balances in found.values()]

    def note_offender(self, source: str, reason: Reason, text: bytes) -> None:
        """Keep a rejected input to be read, instead of the oldest of its kind if there are many."""
        shown = text[:_TEXT_BYTES_MAX].decode("utf-8", "backslashreplace")
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)
        offender = Offender(source, reason, shown, self._clock.now())
        with self._lock:
            self._offenders.setdefault(reason, deque(maxlen=OFFENDERS_MAX)).append(offender)

    def offenders(self) -> Iterator[Offender]:
        """Rejected inputs, newest first."""
        with self._lock:
            kept = [offender for kind in self._offenders.values() for offender in kind]
        return iter(sorted(kept, key=lambda o: o.at_s, reverse=True))


def _together(balances: Sequence[Balance]) -> Balance:
    rejected: Counter[str] = Counter()
    for balance in balances:
        rejected.update(balance.rejected)
    return Balance(
        balances[0].source,
        sum(balance.received_bytes for balance in balances),
        sum(balance.received for balance in balances),
        sum(balance.stored for balance in balances),
        dict(rejected),
        sum(balance.kernel_drops for balance in balances),
        generated=sum(balance.generated for balance in balances),
    )
