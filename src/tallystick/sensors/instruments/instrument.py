"""`Instrument`: what counters, gauges, timings and distinct counts have in common.

A sample is appended to a list. `list.append` is indivisible, with the interpreter's lock and without it, so nothing is
lost between threads, and whoever is interrupted in the middle of it by a signal, the garbage collector or a fork holds
nothing that another waits for. When the list is long, whoever appended last folds it: copies the samples that are
there, deletes so many from the front (whatever is appended meanwhile is behind them), and adds them to the statistics.
One folds at a time, and who finds that another does goes on, unless that one has fallen far behind.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from tallystick.model.kind import Kind
from tallystick.native.accumulate import Spread

FOLD_AT = 1024
"""Samples that are folded together by whoever takes the last of them; the others wait for the flush."""
WAITING_MAX = 16 * FOLD_AT
"""Beyond this many, threads take samples faster than the one that folds gets its turn: each is held up a little."""
_BREATH_S = 0.01
_PATIENCE_S = 0.5

Sample = TypeVar("Sample")


class Taken(NamedTuple):
    """The statistics of the samples between two flushes, as `tallystick.native.Slot` has them."""

    last: float
    spread: tuple[float, float, float, float, float] | None = None
    buckets: tuple[tuple[int, float], ...] = ()
    sketch: bytes = b""


class _Asleep(list[Any]):
    """The list of an instrument that has not been used in this process: its first sample wakes the sensors up."""

    __slots__ = ("_instrument", "_list")

    def __init__(self, instrument: "Instrument[Any]") -> None:
        super().__init__()
        self._instrument = instrument
        self._list: list[Any] = []

    def append(self, sample: Any) -> None:
        self._list.append(sample)  # also for whoever had this list in hand when another put the real one in its place
        self._instrument.awaken(self._list)


class Instrument(ABC, Generic[Sample]):
    """Samples of one series, folded as they come.

    Parameters
    ----------
    wake
        Called when the first sample comes, in this process and in each of its forks.
    weight
        How many samples each one stands for.
    """

    __slots__ = ("_folding", "_pending", "_spread", "_wake", "_weight", "seen", "total")

    kind: ClassVar[Kind]

    def __init__(self, wake: Callable[[], None], weight: float = 1.0) -> None:
        self._wake = wake
        self._weight = weight
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget everything, in a forked child: what has gathered is the parent's, and a lock may be held for ever."""
        self._folding = threading.Lock()
        self._pending: list[Sample] = _Asleep(self)
        self._spread = Spread()
        self.seen = 0.0
        """Samples since the process began, without those of the present ten seconds."""
        self.total = 0.0
        """Their sum."""
        self.start_over()

    def awaken(self, pending: list[Sample]) -> None:
        """Take samples in this list from now on."""
        self._pending = pending
        self._wake()

    def fold(self) -> None:
        """Add the samples that wait to the statistics, unless another thread does; if very many do, wait for it."""
        if self._folding.acquire(timeout=_BREATH_S if len(self._pending) >= WAITING_MAX else 0):
            try:
                self._fold()
            finally:
                self._folding.release()

    def look(self) -> tuple[float, float, Taken | None]:
        """How many samples there were since the process began, their sum, and those since the last flush."""
        if not self._folding.acquire(timeout=_PATIENCE_S):
            return self.seen, self.total, None
        try:
            self._fold()
            spread = self._spread
            return self.seen + spread.count, self.total + spread.sum, self.taken()
        finally:
            self._folding.release()

    def take(self) -> Taken | None:
        """What has gathered since the last call, if anything; begins anew.

        Called by a signal handler that has interrupted a fold it takes nothing, and leaves all to the next call.
        """
        if not self._folding.acquire(timeout=_PATIENCE_S):
            return None
        try:
            self._fold()
            taken = self.taken()
            self.seen += self._spread.count
            self.total += self._spread.sum
            self._spread = Spread()
            self.start_over()
            return taken
        finally:
            self._folding.release()

    def taken(self) -> Taken | None:
        """The statistics so far, None without samples."""
        return Taken(self._spread.last, self._spread.statistics()) if self._spread.count else None

    def start_over(self) -> None:
        """Forget what is kept beside the spread."""

    @abstractmethod
    def _add(self, samples: list[Sample]) -> None:
        """Add samples to the statistics: each kind in its own way."""
        ...

    def _fold(self) -> None:
        pending = self._pending
        count = len(pending)
        if count:
            samples = pending[:count]
            del pending[:count]
            self._add(samples)
