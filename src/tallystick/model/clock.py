"""Time is handed in, so that tests can turn it."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Where a component asks for the time."""

    def now(self) -> float:
        """Seconds since the epoch; may jump."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never runs backwards."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass(slots=True)
class ManualClock:
    """A clock that moves only when told to."""

    time_s: float = 1_700_000_000.0
    elapsed_s: float = 0.0

    def now(self) -> float:
        return self.time_s

    def monotonic(self) -> float:
        return self.elapsed_s

    def advance(self, seconds: float) -> None:
        """Let time pass: both readings move."""
        self.time_s += seconds
        self.elapsed_s += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an operator or NTP does; the monotonic reading stays."""
        self.time_s += seconds
