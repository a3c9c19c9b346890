"""`Counter`: counts what happens."""

import math
import random
from typing import Any

from tallystick.model.kind import Kind
from tallystick.sensors.instruments.instrument import FOLD_AT, Instrument

_ONE = 1
_INFINITE = math.inf


class Counter(Instrument[float]):
    """Counts what happens; flushed as the sum of the increments, with their number, least and greatest."""

    __slots__ = ()

    kind = Kind.COUNTER

    def increment(self, by: float = _ONE) -> None:
        """Add `by`.

        Raises
        ------
        ValueError
            If `by` is negative or not finite: a counter counts up.
        """
        if by is not _ONE:
            by = _checked(by)
        pending = self._pending
        pending.append(by)
        if len(pending) >= FOLD_AT:
            self.fold()

    def _add(self, samples: list[float]) -> None:
        self._spread.add_all(samples, self._weight)


class SampledCounter(Counter):
    """A counter that looks at some of the increments and lets each stand for many; readers see no difference.

    Parameters
    ----------
    rate
        Share of the increments that it looks at, above 0 and at most 1.
    """

    __slots__ = ("_rate",)

    def __init__(self, wake: Any, rate: float) -> None:
        super().__init__(wake, 1.0 / rate)
        self._rate = rate

    def increment(self, by: float = _ONE) -> None:
        if random.random() < self._rate:
            super().increment(by)


def _checked(by: float) -> float:
    by = float(by)  # whatever number it was: numbers of NumPy and fractions do not add up with all others
    if not 0 <= by < _INFINITE:
        raise ValueError(f"cannot increment by {by}: a counter counts up; expected a finite number from 0")
    return by
