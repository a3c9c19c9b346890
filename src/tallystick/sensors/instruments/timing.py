"""`Timing`: how long things take."""

import functools
import inspect
import math
import random
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator
from contextvars import ContextVar
from threading import get_ident
from time import perf_counter
from typing import Any, ParamSpec, TypeVar, cast

from tallystick.model.kind import Kind
from tallystick.native.accumulate import BUCKETS_MAX, Histogram, count_buckets
from tallystick.sensors.instruments.generators import timed_async_items, timed_items
from tallystick.sensors.instruments.instrument import FOLD_AT, Instrument, Taken

P = ParamSpec("P")
R = TypeVar("R")

_INFINITE = math.inf


class _Block:
    """A block that is timed, or the place of one that has ended, for the next."""

    __slots__ = ("around", "began", "thread")

    def __init__(self, thread: int, around: "_Block | None") -> None:
        self.began: float | None = None
        self.thread = thread
        self.around = around


class Timing(Instrument[float]):
    """How long things take, in seconds: a context manager and a decorator, with a histogram of what it has seen.

    One object may be used by many threads and tasks, and within itself. A decorated coroutine function is timed until
    it returns; a decorated generator for as long as it works itself, without the time between its items.
    """

    __slots__ = ("_counted", "_histogram", "_inmost")

    kind = Kind.TIMING

    def __init__(self, wake: Callable[[], None], weight: float = 1.0) -> None:
        self._inmost: ContextVar[_Block | None] = ContextVar("inmost", default=None)
        super().__init__(wake, weight)

    def observe(self, seconds: float) -> None:
        """Add something that took `seconds`; negative and non-finite lengths of time are no lengths and left out."""
        if not 0 <= seconds < _INFINITE:
            return
        pending = self._pending
        pending.append(seconds)
        if len(pending) >= FOLD_AT:
            self.fold()

    def __enter__(self) -> "Timing":
        # To set a variable of a context costs more than all the rest, so the outermost block stays for the next when it
        # has ended. Tasks begin with the block of whoever started them: while it is open it is around theirs, then any
        # may take it. So the inmost block of whoever is within one is always open, for another would take it.
        block, thread = self._inmost.get(), get_ident()
        if block is None or block.began is not None:
            block = self._place(thread, block)
        elif block.thread != thread:  # who may take it at this moment
            block = self._place(thread, None)
        block.began = perf_counter()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        now = perf_counter()
        block = self._inmost.get()
        if block is None or block.began is None:
            return  # it began in another context
        began, block.began = block.began, None
        around = block.around
        if around is not None and around.began is not None:
            self._inmost.set(around)
        self.observe(now - began)

    def _place(self, thread: int, around: _Block | None) -> _Block:
        block = _Block(thread, around)
        self._inmost.set(block)
        return block

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Time each call of `function`."""
        return cast(Callable[P, R], _timed(function, self.observe))

    def _add(self, samples: list[float]) -> None:
        samples = list(map(float, samples))
        self._spread.add_all(samples, self._weight)
        count_buckets(self._counted, samples)
        if len(self._counted) > BUCKETS_MAX:
            self._settle()

    def taken(self) -> Taken | None:
        taken = super().taken()
        if taken is None or taken.spread is None:
            return taken  # a single sample needs no histogram
        self._settle()
        return taken._replace(buckets=tuple(self._histogram.buckets()))

    def start_over(self) -> None:
        self._counted: Counter[int] = Counter()
        self._histogram = Histogram()

    def _settle(self) -> None:
        """Have the histogram, which has a bound, take what was counted, which is quicker."""
        weight = self._weight
        self._histogram.merge((bucket, weight * count) for bucket, count in self._counted.items())
        self._counted.clear()


class SampledTiming(Timing):
    """A timing that looks at some of what happens and lets each stand for many; readers see no difference.

    Parameters
    ----------
    rate
        Share of what happens that it looks at, above 0 and at most 1.
    """

    __slots__ = ("_rate",)

    def __init__(self, wake: Callable[[], None], rate: float) -> None:
        super().__init__(wake, 1.0 / rate)
        self._rate = rate

    def observe(self, seconds: float) -> None:
        if random.random() < self._rate:
            super().observe(seconds)


def _timed(function: Callable[..., Any], observe: Callable[[float], None]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def task(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            try:
                return await function(*args, **kwargs)
            finally:
                observe(perf_counter() - began)

        return task
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def items(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            return (yield from timed_items(function(*args, **kwargs), observe))

        return items
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        def async_items(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            return timed_async_items(function(*args, **kwargs), observe)

        return async_items

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        began = perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            observe(perf_counter() - began)

    return call
