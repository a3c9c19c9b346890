"""Counters, gauges and timings: what each keeps between two flushes, and the StatsD fields that it flushes as."""

import functools
import inspect
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

_INFINITE = math.inf

TIMINGS_MAX = 1000
"""Timings of one name that are kept between two flushes; of more, an even sample is kept and its rate is sent along."""


class Instrument(Protocol):
    """What a flush asks of each instrument."""

    def take(self) -> Iterator[str]:
        """What has gathered since the last call, as StatsD fields such as ``5|c``; begins anew."""
        ...

    def reset(self) -> None:
        """Begin anew in a forked child: what has gathered is the parent's to send, and a lock may be held for ever."""
        ...


class Counter:
    """Counts what happens; flushed as the sum of the increments."""

    __slots__ = ("_lock", "_sum")

    _sum: float

    def __init__(self) -> None:
        self.reset()

    def increment(self, by: float = 1) -> None:
        """Add `by`.

        Raises
        ------
        ValueError
            If `by` is negative or not finite: a counter counts up.
        """
        if not 0 <= by < _INFINITE:
            raise ValueError(f"cannot increment by {by}: a counter counts up; expected a finite number from 0")
        with self._lock:
            self._sum += by

    def take(self) -> Iterator[str]:
        with self._lock:
            total, self._sum = self._sum, 0
        if total:
            yield f"{total!r}|c"

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._sum = 0


class Gauge:
    """A level; the last value set is flushed, again and again until another is set."""

    __slots__ = ("_value",)

    _value: float | None

    def __init__(self) -> None:
        self.reset()

    def set(self, value: float) -> None:
        """Set the level.

        Raises
        ------
        ValueError
            If `value` is not finite.
        """
        if not math.isfinite(value):
            raise ValueError(f"cannot set a gauge to {value}: it is not finite; expected a number")
        self._value = value

    def take(self) -> Iterator[str]:
        value = self._value
        if value is not None:
            if value < 0:
                yield "0|g"  # StatsD takes a sign for a change of the level: from zero it is the level itself
            yield f"{value!r}|g"

    def reset(self) -> None:
        self._value = None


class Timing:
    """How long things take, in seconds; a context manager and a decorator of functions and coroutine functions.

    One object may be used by many threads and tasks, and within itself.

    Notes
    -----
    Beyond `TIMINGS_MAX` the sample is even (Vitter, Random Sampling with a Reservoir, 1985, algorithm R).
    """

    __slots__ = ("_lock", "_sample_ms", "_seen", "_starts")

    _sample_ms: list[float]
    _seen: int

    def __init__(self) -> None:
        self._starts: ContextVar[tuple[float, ...]] = ContextVar("starts", default=())
        self.reset()

    def observe(self, seconds: float) -> None:
        """Add something that took `seconds`; negative and non-finite lengths of time are no lengths and left out."""
        if not 0 <= seconds < _INFINITE:
            return
        with self._lock:
            self._seen += 1
            if len(self._sample_ms) < TIMINGS_MAX:
                self._sample_ms.append(seconds * 1000)
            elif (place := int(random.random() * self._seen)) < TIMINGS_MAX:
                self._sample_ms[place] = seconds * 1000

    def __enter__(self) -> "Timing":
        self._starts.set((*self._starts.get(), time.perf_counter()))
        return self

    def __exit__(self, *error: object) -> None:
        *outer, start = self._starts.get()
        self._starts.set(tuple(outer))
        self.observe(time.perf_counter() - start)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Time each call of `function`."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def timed_task(*args: P.args, **kwargs: P.kwargs) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return cast(Callable[P, R], timed_task)

        @functools.wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return timed

    def take(self) -> Iterator[str]:
        with self._lock:
            sample, seen = self._sample_ms, self._seen
            self._sample_ms, self._seen = [], 0
        rate = f"|@{len(sample) / seen!r}" if seen > len(sample) else ""
        for milliseconds in sample:
            yield f"{round(milliseconds, 6)!r}|ms{rate}"

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._sample_ms = []
        self._seen = 0
