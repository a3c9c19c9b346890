"""`Gauge`: a level."""

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

from tallystick.model.kind import Kind
from tallystick.sensors.instruments.instrument import FOLD_AT, Instrument, Taken

log = logging.getLogger(__name__)

_STEPS: Mapping[float, tuple[float]] = {1: (1.0,), -1: (-1.0,)}
"""Changes that most of what goes up and down is made of: by one."""


class Gauge(Instrument[float | tuple[float]]):
    """A level; the last one is flushed again and again until there is another.

    It is set, changed, or given by a function that is asked at each flush. Levels of ten seconds are kept with their
    average, least and greatest.
    """

    __slots__ = ("_function", "_level", "_warned")

    kind = Kind.GAUGE

    def __init__(self, wake: Callable[[], None], weight: float = 1.0) -> None:
        self._function: Callable[[], float | None] | None = None
        self._warned = False
        super().__init__(wake, weight)

    def begin_anew(self) -> None:
        self._level: float | None = None
        super().begin_anew()

    def set(self, value: float) -> None:
        """Set the level.

        Raises
        ------
        ValueError
            If `value` is not finite.
        """
        pending = self._pending
        pending.append(_checked(value, "set a gauge to"))
        if len(pending) >= FOLD_AT:
            self.fold()

    def change(self, by: float) -> None:
        """Raise the level by `by`, or lower it where that is negative; it begins at 0.

        Raises
        ------
        ValueError
            If `by` is not finite.
        """
        pending = self._pending
        pending.append(_STEPS.get(by) or (_checked(by, "change a gauge by"),))
        if len(pending) >= FOLD_AT:
            self.fold()

    def ask(self, function: Callable[[], float | None]) -> None:
        """Have `function` say the level at each flush, in a thread of its own; None says that there is none now.

        It should answer quickly: everything else waits for it. What it raises is logged once, and leaves a gap.
        """
        self._function = function
        self._wake()

    def _add(self, samples: list[float | tuple[float]]) -> None:
        levels: list[float] = []
        level = self._level or 0.0
        for sample in samples:
            level = level + sample[0] if isinstance(sample, tuple) else sample
            levels.append(level)
        self._level = level
        self._spread.add_all(levels, self._weight)

    def taken(self) -> Taken | None:
        taken = super().taken()
        if taken is None and self._level is not None:
            return Taken(self._level)
        return taken

    def take(self) -> Taken | None:
        if self._function is not None:
            self._ask(self._function)
        return super().take()

    def _ask(self, function: Callable[[], Any]) -> None:
        self._level = None  # what it said before is no answer now
        try:
            value = function()
            if value is not None:
                self._pending.append(_checked(value, "set a gauge to"))
        except Exception as error:  # whatever a program's function raises must not stop the flush of the others
            if not self._warned:
                self._warned = True
                log.warning("cannot ask %r for a level: %s: %s", function, type(error).__name__, error)


def _checked(value: float, what: str) -> float:
    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"cannot {what} {value}: it is not finite; expected a number")
    return value
