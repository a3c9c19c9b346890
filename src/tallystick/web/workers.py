"""`Workers`: threads in which queries are evaluated, so that the event loop goes on serving.

A dashboard asks for many small things, so what lies between a request and its query must cost little beside it: a job
is put into a queue and its end told to the loop. No task is made to see whether who asked is still there, since most
answers are there before the first look.
"""

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, ParamSpec, TypeVar

from starlette.requests import Request

from tallystick.model.errors import GoneError
from tallystick.web.errors import OverloadedError

P = ParamSpec("P")
R = TypeVar("R")

IsGone = Callable[[], bool]
"""Whether who asked has gone."""

WAITING_MAX = 400
"""Fifty dashboards that are refreshed at one moment ask for 300 graphs at once: a browser has six connections."""
_LOOK_S = 0.05
"""Seconds between looks whether who asked is still there."""


class Workers:
    """Threads for queries; asked on an event loop.

    Parameters
    ----------
    threads
        How many queries are evaluated at the same time.
    waiting_max
        How many more may wait; what comes then is refused, so that a flood ends in quick answers.
    """

    def __init__(self, threads: int, waiting_max: int = WAITING_MAX) -> None:
        self._threads = threads
        self._started = 0
        self._asked_max = threads + waiting_max
        self._asked = 0
        self._jobs: _Jobs = SimpleQueue()
        weakref.finalize(self, _end, self._jobs, threads)

    @property
    def asked(self) -> int:
        """Queries that run or wait."""
        return self._asked

    async def run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `call` returns, from a thread.

        Raises
        ------
        OverloadedError
            If too many wait already.
        """
        return await self._result(lambda _: call(*args, **kwargs), None)

    async def answer(self, request: Request, call: Callable[[IsGone], R]) -> R:
        """What `call` returns, from a thread; it is given what says whether who asked has gone, and may end then.

        What still waits for a thread when who asked goes is not begun.

        Raises
        ------
        OverloadedError
            If too many wait already.
        GoneError
            If who asked has gone.
        """
        return await self._result(call, request)

    async def _result(self, call: Callable[[IsGone], R], request: Request | None) -> R:
        # Jobs that were given up stay in the queue until a thread comes by them.
        if max(self._asked, self._jobs.qsize()) >= self._asked_max:
            raise OverloadedError(f"cannot answer now: {self._asked} queries are running or waiting; expected fewer")
        job = _Job(call)
        self._asked += 1
        try:
            if self._started < min(self._threads, self._asked):
                self._start()
            self._jobs.put(job.do)
            if request is not None:
                await job.watch(request)
            return await job.outcome()
        finally:
            self._asked -= 1
            job.is_gone = True  # if this was cancelled, nobody waits for it

    def _start(self) -> None:
        try:
            # Who stops the server does not wait for a query that computes: it only reads.
            threading.Thread(target=_work, args=(self._jobs,), name="query", daemon=True).start()
        except RuntimeError as error:  # the system has none left: those that are there do, or the next who asks tries
            if not self._started:
                raise OverloadedError(f"cannot answer now: {error}; expected room for a thread") from error
        else:
            self._started += 1


class _Job(Generic[R]):
    """A call on its way through a thread: made, watched and waited for on an event loop."""

    def __init__(self, call: Callable[[IsGone], R]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._found: list[R] = []
        self._error: BaseException | None = None
        self._is_begun = False
        self.is_gone = False

    def do(self) -> None:
        """Make the call, in a thread, unless nobody waits for it any more."""
        if self.is_gone:
            return
        self._is_begun = True
        try:
            self._found.append(self._call(lambda: self.is_gone))
        except BaseException as error:
            self._error = error
        with suppress(RuntimeError):  # the loop has ended, and with it who asked
            self._loop.call_soon_threadsafe(self._tell)

    async def watch(self, request: Request) -> None:
        """Return when the call is made, or if who asked goes before it is begun.

        Raises
        ------
        GoneError
            If it is not going to be made.
        """
        await asyncio.wait([self._done], timeout=_LOOK_S)
        while not self._done.done():
            self.is_gone = self.is_gone or await request.is_disconnected()
            if self.is_gone and not self._is_begun:
                raise GoneError("cannot answer: who asked has gone")
            await asyncio.wait([self._done], timeout=_LOOK_S)

    async def outcome(self) -> R:
        """What the call returns, or raises."""
        await self._done
        if self._error is not None:
            raise self._error
        return self._found[0]

    def _tell(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


_Jobs = SimpleQueue[Callable[[], None] | None]
"""What is to be done; None for a thread that is to end."""


def _work(jobs: _Jobs) -> None:
    """Do one job after the other, until there is none instead of one."""
    while (do := jobs.get()) is not None:
        do()
        del do  # what it found is not kept until the next comes


def _end(jobs: _Jobs, threads: int) -> None:
    for _ in range(threads):
        jobs.put(None)
