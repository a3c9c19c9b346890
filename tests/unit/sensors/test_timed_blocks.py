"""A block, a function or a generator is told its own time, whatever tasks and threads run it."""

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import AsyncIterator, Generator

import pytest

from hearing import Hearing
from tallystick.sensors import Sensors


def test_a_timing_times_blocks_functions_and_coroutines_and_what_they_hold(own: Sensors, door: Hearing) -> None:
    timing = own.timing("work")

    @timing
    def work(depth: int) -> int:
        with timing:
            return work(depth - 1) if depth else 5

    @timing
    async def task() -> str:
        with timing:
            await asyncio.sleep(0.001)
        return "done"

    async def tasks() -> list[str]:
        return await asyncio.gather(task(), task(), task())

    assert work(1) == 5
    assert asyncio.run(tasks()) == ["done"] * 3
    with pytest.raises(KeyError), timing:
        raise KeyError("what fails is timed, too")
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.work"]
    assert slot["spread"]["count"] == 11
    assert work.__name__ == "work"


def test_blocks_of_tasks_and_threads_that_share_a_context_are_told_apart(own: Sensors, door: Hearing) -> None:
    timing = own.timing("work")
    with timing, timing, timing:
        pass  # what this leaves in the context is what all of those below begin with

    async def task(turns: list[asyncio.Event], k: int) -> None:
        with timing:
            turns[k].set()
            await turns[-1 - k].wait()  # in pairs, so that they end in another order than they began
            with timing:
                await asyncio.sleep(0)

    async def tasks() -> None:
        turns = [asyncio.Event() for _ in range(10)]
        await asyncio.gather(*(task(turns, k) for k in range(10)))
        await asyncio.gather(*(asyncio.to_thread(block) for _ in range(10)))

    def block() -> None:
        for _ in range(2000):
            with timing, timing:
                pass

    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        asyncio.run(tasks())
    finally:
        sys.setswitchinterval(switch_s)
    assert own.flush()
    assert sum(slot["spread"]["count"] for slot in door.slots["dev.apps.shop.work"]) == 3 + 2 * 10 + 2 * 10 * 2000


def test_a_block_lasts_from_its_beginning_to_its_own_end(own: Sensors, door: Hearing) -> None:
    timing = own.timing("work")
    with timing:
        for _ in range(5):
            with timing:
                pass
        time.sleep(0.05)
    with timing:
        pass
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.work"]
    assert slot["spread"]["max"] >= 0.05
    assert slot["spread"]["count"] == 7
    assert slot["spread"]["sum"] - slot["spread"]["max"] < slot["spread"]["max"]


def test_a_task_does_not_take_the_place_of_a_block_around_which_another_is_open(own: Sensors, door: Hearing) -> None:
    timing = own.timing("work")

    async def in_background(is_open: asyncio.Event, may_end: asyncio.Event) -> None:
        with timing:
            is_open.set()
            await may_end.wait()

    async def main() -> None:
        is_open, may_end = asyncio.Event(), asyncio.Event()
        with timing:
            time.sleep(0.05)
            with timing:
                pass
            task = asyncio.create_task(in_background(is_open, may_end))
            await is_open.wait()
        assert timing._pending[-1] >= 0.05  # not the time since the task began its own
        may_end.set()
        await task

    asyncio.run(main())
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.work"]
    assert slot["spread"]["count"] == 3


def test_a_context_that_goes_from_thread_to_thread_does_not_grow(own: Sensors) -> None:
    timing, context = own.timing("work"), contextvars.copy_context()

    def block() -> None:
        with timing, timing:
            pass

    def depth() -> int:
        block, found = timing._inmost.get(), 0
        while block is not None:
            block, found = block.around, found + 1
        return found

    for _ in range(20):
        thread = threading.Thread(target=context.run, args=(block,))
        thread.start()
        thread.join()
        context.run(block)
    assert context.run(depth) <= 3


def test_a_generator_is_timed_while_it_works_and_passes_everything_on(own: Sensors, door: Hearing) -> None:
    @own.timing("items")
    def items() -> Generator[str, str, str]:
        try:
            sent = yield "first"
            assert sent == "sent"
            yield "second"
        except KeyError:
            yield "caught"
        return "result"

    def delegating() -> Generator[str, str, None]:
        result = yield from items()
        yield result

    running = delegating()
    assert next(running) == "first"
    time.sleep(0.05)  # whoever uses the item takes his time
    assert running.send("sent") == "second"
    assert running.throw(KeyError()) == "caught"
    assert next(running) == "result"
    broken_off = items()
    next(broken_off)
    broken_off.close()
    assert own.flush()
    [slot] = door.slots["dev.apps.shop.items"]
    assert slot["spread"]["count"] == 2
    assert slot["spread"]["sum"] < 0.05


def test_an_asynchronous_generator_too(own: Sensors, door: Hearing) -> None:
    @own.timing("items")
    async def items() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async def collect() -> list[int]:
        return [item async for item in items()]

    assert asyncio.run(collect()) == [0, 1, 2]
    assert own.flush()
    assert len(door.slots["dev.apps.shop.items"]) == 1
