"""Threads that evaluate: what calls give comes back, none works for nobody, and none is left behind."""

import asyncio
import gc
import threading
from contextlib import suppress

import pytest
from starlette.requests import Request

from servers import wait_until
from tallystick.web.errors import OverloadedError
from tallystick.web.workers import IsGone, Workers


def raising(error: BaseException) -> None:
    raise error


async def silence() -> dict[str, object]:
    """Who has asked and waits."""
    await asyncio.sleep(3600)
    return {}


def test_what_a_call_returns_or_raises_comes_back() -> None:
    async def ask() -> None:
        workers = Workers(2)
        assert await asyncio.gather(*(workers.run(divmod, k, 3) for k in range(20))) == [
            divmod(k, 3) for k in range(20)
        ]
        with pytest.raises(KeyError, match="nothing"):
            await workers.run(raising, KeyError("nothing"))
        with pytest.raises(RuntimeError, match="StopIteration"):
            await workers.run(raising, StopIteration())
        assert workers.asked == 0

    asyncio.run(ask())


def test_threads_are_used_again_on_another_event_loop() -> None:
    workers = Workers(1)
    first, second = (asyncio.run(workers.run(threading.current_thread)) for _ in range(2))
    assert first is second


def test_one_that_asks_alone_needs_one_thread() -> None:
    async def ask() -> set[threading.Thread]:
        workers = Workers(4)
        return {await workers.run(threading.current_thread) for _ in range(20)}

    assert len(asyncio.run(ask())) == 1


def test_a_system_without_room_for_a_thread_is_asked_again() -> None:
    async def ask() -> None:
        workers = Workers(2)
        usual = threading.stack_size(1 << 50)  # more than there are addresses
        try:
            with pytest.raises(OverloadedError, match="cannot answer now: can't start new thread"):
                await workers.run(int)
        finally:
            threading.stack_size(usual)
        assert [await workers.run(int) for _ in range(5)] == [0] * 5
        assert workers.asked == 0

    asyncio.run(ask())


def test_threads_end_with_their_workers() -> None:
    async def ask() -> list[threading.Thread]:
        workers, together = Workers(3), threading.Barrier(3)

        def meet() -> threading.Thread:
            together.wait(60)
            return threading.current_thread()

        return await asyncio.gather(*(workers.run(meet) for _ in range(3)))

    threads = asyncio.run(ask())
    assert len(set(threads)) == 3
    gc.collect()
    wait_until(lambda: not any(thread.is_alive() for thread in threads), "the threads to end")


def test_a_call_whose_asker_is_cancelled_is_told() -> None:
    begun, told = threading.Event(), threading.Event()

    def work(is_gone: IsGone) -> None:
        begun.set()
        wait_until(is_gone, "the asker to go")
        told.set()

    async def ask() -> None:
        workers = Workers(1)
        asking = asyncio.ensure_future(workers.answer(Request({"type": "http"}, silence), work))
        await asyncio.to_thread(begun.wait, 60)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert workers.asked == 0

    asyncio.run(ask())
    assert told.wait(60)


def test_jobs_that_were_given_up_take_room_until_a_thread_comes_by() -> None:
    begun, free = threading.Event(), threading.Event()

    async def ask() -> None:
        workers = Workers(1, waiting_max=2)
        holding = asyncio.ensure_future(workers.run(lambda: begun.set() or free.wait(60)))
        await asyncio.to_thread(begun.wait, 60)
        for _ in range(3):
            given_up = asyncio.ensure_future(workers.run(int))
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.sleep(0)
        assert workers.asked == 1
        with pytest.raises(OverloadedError):
            await workers.run(int)
        free.set()
        assert await holding
        assert await once_there_is_room(workers) == 0

    async def once_there_is_room(workers: Workers) -> int:
        while True:
            with suppress(OverloadedError):
                return await workers.run(int)
            await asyncio.sleep(0)

    asyncio.run(ask())
