"""`Poller`: when each target is asked, and what becomes of its answer."""

import asyncio
import contextlib
import logging
import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import uvloop

from tallystick.config import Poll
from tallystick.ledger import Account
from tallystick.model.point import Point
from tallystick.model.reason import Reason
from tallystick.native.names import component
from tallystick.receive.intake import Intake
from tallystick.receive.points import take_points
from tallystick.receive.polls.exchange import Answer, Exchange, PollError, exchange_for

logger = logging.getLogger(__name__)

POLLS_AT_ONCE = 32
FAILURES_MAX = 3
"""So many failures in turn are worth a notice, for those who ask how the server is."""
OWN_PREFIX = "tallystick.polls."
"""Stands before the names of what is told of each poll."""
_FIRST_S = 5.0
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(slots=True)
class Target:
    """Who is asked.

    Parameters
    ----------
    phase
        Where in an interval it is asked, 0 to 1.
    failures
        Polls in turn that failed, up to the last one.
    cause
        Why the last one failed.
    """

    exchange: Exchange
    account: Account
    phase: float
    failures: int = 0
    cause: str = ""

    @property
    def poll(self) -> Poll:
        """What the config says of it."""
        return self.exchange.poll

    def __str__(self) -> str:
        return f"{self.poll.protocol} {self.poll.address}{self.poll.query}"


class Poller:
    """Asks all targets, each at its own interval.

    The first polls are soon after the start, the later ones spread evenly over the interval. Time is that of a clock
    which never jumps; a poll that comes too late, as others took their time, is not made up for.
    """

    def __init__(self, intake: Intake, polls: Sequence[Poll]) -> None:
        self._intake = intake
        self._own = intake.ledger.account("tallystick")
        self.targets = [
            Target(
                exchange_for(poll),
                intake.ledger.account(f"poll {poll.protocol} {poll.address}{poll.query}"),
                k * _GOLDEN % 1,
            )
            for k, poll in enumerate(polls)
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._polling: asyncio.Task[object] | None = None
        self._thread: threading.Thread | None = None
        self._reader = ThreadPoolExecutor(1, "polls-reader")  # reading a long answer must not hold up the others

    def start(self) -> None:
        """Poll, in a thread of its own, if there is anybody to ask."""
        if not self.targets:
            return
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="polls", daemon=True)
        self._thread.start()
        ready.wait()

    def stop(self) -> None:
        """Drop what is under way and end the thread."""
        if self._loop is not None and self._polling is not None and self._thread is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._polling.cancel)
            self._thread.join()
        self._reader.shutdown()

    def notices(self) -> list[str]:
        """A sentence for each target that failed several times in turn; it is not this server that is ill then."""
        return [
            f"cannot poll {target}: {target.cause} ({target.failures} times in turn)"
            for target in self.targets
            if target.failures >= FAILURES_MAX
        ]

    async def poll(self, target: Target) -> None:
        """Ask a target once and take what it answers."""
        loop = asyncio.get_running_loop()
        began_s, answer = loop.time(), Answer(target.poll.answer_bytes_max)
        fault: PollError | None = None
        try:
            async with asyncio.timeout(target.poll.limit_s):
                await target.exchange.ask(answer)
        except TimeoutError:
            cause = f"no end within {target.poll.limit_s} s, after {len(answer)} bytes; expected it sooner (timeout_s)"
            fault = PollError(Reason.TRUNCATED, cause)
        except OSError as error:
            fault = PollError(Reason.TRUNCATED, f"{error.strerror or error}; expected it to listen and answer")
        except PollError as error:
            fault = error
        await loop.run_in_executor(self._reader, self._deliver, target, answer, fault, loop.time() - began_s)

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.suppress(asyncio.CancelledError):
            runner.run(self._poll_all(ready))

    async def _poll_all(self, ready: threading.Event) -> None:
        self._loop, self._polling = asyncio.get_running_loop(), asyncio.current_task()
        ready.set()
        turns = asyncio.Semaphore(POLLS_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                for target in self.targets:
                    group.create_task(self._keep_polling(target, turns))
        finally:
            for target in self.targets:
                await target.exchange.close()

    async def _keep_polling(self, target: Target, turns: asyncio.Semaphore) -> None:
        loop, interval_s = asyncio.get_running_loop(), target.poll.interval_s
        beat_s = loop.time() + target.phase * interval_s
        await asyncio.sleep(target.phase * min(interval_s, _FIRST_S))
        while True:
            async with turns:
                try:
                    await self.poll(target)
                except Exception:
                    # Whatever one target provokes must not stop the polling of the others.
                    logger.exception("cannot poll %s", target)
            beat_s += interval_s * max(1, math.ceil((loop.time() - beat_s) / interval_s))
            await asyncio.sleep(beat_s - loop.time())

    def _deliver(self, target: Target, answer: Answer, fault: PollError | None, duration_s: float) -> None:
        """Take what was answered, and say how the poll went; in the reader's thread."""
        intake, samples = self._intake, 0
        now_ms = int(intake.clock.now() * 1000)
        if len(answer) and (fault is None or target.exchange.in_parts):
            try:
                samples = target.exchange.deliver(intake, target.account, answer.said, now_ms)
            except PollError as error:
                fault = fault or error
        if fault is not None:
            intake.reject(target.account, fault.reason, f"cannot poll {target}: {fault}".encode())
        self._note(target, fault)
        place = OWN_PREFIX + component(str(target))
        points = [
            Point(f"{place}.up", float(fault is None)),
            Point(f"{place}.duration_s", duration_s),
            Point(f"{place}.samples", float(samples)),
            *target.exchange.told(fault is None, duration_s, samples),
        ]
        take_points(intake, points, now_ms // 1000, self._own)

    def _note(self, target: Target, fault: PollError | None) -> None:
        """Keep count of failures in turn; the first and the end of them are logged."""
        if fault is None:
            if target.failures:
                logger.info("can poll %s again, after %d failures", target, target.failures)
            target.failures, target.cause = 0, ""
            return
        target.failures, target.cause = target.failures + 1, str(fault)
        if target.failures == 1:
            logger.warning("cannot poll %s: %s", target, fault)
