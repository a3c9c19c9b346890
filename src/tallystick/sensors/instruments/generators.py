"""How long generators work: the time between `next` and the item, not that in which somebody uses the item."""

from collections.abc import AsyncGenerator, Callable, Generator
from time import perf_counter
from typing import Any


def timed_items(own: Generator[Any, Any, Any], observe: Callable[[float], None]) -> Generator[Any, Any, Any]:
    """The items of a generator, and what is sent and thrown into it; its time is observed when it ends."""
    spent_s = 0.0
    step: Callable[[Any], Any] = own.send
    value = None
    try:
        while True:
            began = perf_counter()
            try:
                item = step(value)
            except StopIteration as end:
                return end.value
            finally:
                spent_s += perf_counter() - began
            try:
                value = yield item
                step = own.send
            except GeneratorExit:
                own.close()
                raise
            except BaseException as error:  # thrown in by whoever iterates: it is the generator's
                step, value = own.throw, error
    finally:
        observe(spent_s)


async def timed_async_items(
    own: AsyncGenerator[Any, Any], observe: Callable[[float], None]
) -> AsyncGenerator[Any, Any]:
    """As `timed_items`, for asynchronous generators."""
    spent_s = 0.0
    step: Callable[[Any], Any] = own.asend
    value = None
    try:
        while True:
            began = perf_counter()
            try:
                item = await step(value)
            except StopAsyncIteration:
                return
            finally:
                spent_s += perf_counter() - began
            try:
                value = yield item
                step = own.asend
            except GeneratorExit:
                await own.aclose()
                raise
            except BaseException as error:
                step, value = own.athrow, error
    finally:
        observe(spent_s)
