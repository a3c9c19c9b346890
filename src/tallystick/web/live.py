"""Live tails of a query: its answer, and then its new slots as they close, as Server-Sent Events.

The format is of https://html.spec.whatwg.org/multipage/server-sent-events.html: a page needs an ``EventSource`` and no
polling. Events: ``answer``, once, what the query gives now; ``slots`` each time a slot closes: of each series the slots
from the one on that was open when the event before was sent, which replace those of the same time; ``error``, when the
query cannot be answered any more, after which nothing follows.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

import anyio
import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse

from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError, StoreError
from tallystick.query import Band, Evaluator
from tallystick.query import Request as Reading
from tallystick.query.evaluate import is_plain
from tallystick.query.grammar import parse
from tallystick.store.contract import StoreReader
from tallystick.web.answers import json_of, lines_of
from tallystick.web.errors import OverloadedError
from tallystick.web.workers import Workers

EVENTS_TYPE = "text/event-stream"
FOLLOWERS_MAX = 200
"""So many may follow queries at the same time."""
_LATE_S = 1.0
"""So long after its end a slot counts as closed: what senders send on time is there."""
_STEP_S = 10
_PULSE_S = 15.0
"""Something is sent at least this often, so that nobody between takes the connection for dead."""

Sleep = Callable[[float], Awaitable[None]]


class Live:
    """Those who follow queries.

    Parameters
    ----------
    sleep
        Waits for so many seconds of the clock.
    """

    def __init__(
        self, store: StoreReader, evaluator: Evaluator, workers: Workers, clock: Clock, sleep: Sleep = anyio.sleep
    ) -> None:
        self._store = store
        self._evaluator = evaluator
        self._workers = workers
        self._clock = clock
        self._sleep = sleep
        self._followers = 0

    async def follow(self, request: Request, targets: Sequence[str], asked: Reading) -> StreamingResponse:
        """The events of a query, until who asked hangs up.

        Raises
        ------
        QueryError
            If it cannot be answered.
        OverloadedError
            If as many follow as there is room for, or too many queries wait.
        """
        if self._followers >= FOLLOWERS_MAX:
            raise OverloadedError(f"cannot follow now: {self._followers} do already; expected fewer")
        tail = _Tail(targets, asked, self._store, self._evaluator)
        first = await self._workers.answer(request, lambda is_gone: tail.advance(int(self._clock.now()), is_gone))
        # So that no proxy holds back what is to come.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._events(tail, first), headers=headers, media_type=EVENTS_TYPE)

    async def _events(self, tail: "_Tail", first: bytes) -> AsyncIterator[bytes]:
        """What is sent, piece by piece."""
        self._followers += 1
        gone = False
        try:
            yield _event("answer", first)
            while True:
                async for pulse in self._until_closed(tail):
                    yield pulse
                try:
                    new = await self._workers.run(tail.advance, int(self._clock.now()), lambda: gone)
                except OverloadedError:
                    tail.closed_s += 1  # what is missing now comes with the next event
                except (QueryError, StoreError) as error:
                    yield _event("error", msgspec.json.encode({"error": str(error)}))
                    return
                else:
                    yield _event("slots", new)
        finally:
            gone = True  # a thread that still works for nobody ends
            self._followers -= 1

    async def _until_closed(self, tail: "_Tail") -> AsyncIterator[bytes]:
        """Wait until the next slot is closed; give a sign of life now and then."""
        closed_s = tail.closed_s + _LATE_S
        while (left_s := closed_s - self._clock.now()) > 0:
            await self._sleep(min(left_s, _PULSE_S))
            if left_s > _PULSE_S:
                yield b": here\n\n"


class _Tail:
    """How far a query was told.

    Parameters
    ----------
    asked
        The range at the beginning; it moves with the time.
    """

    def __init__(self, targets: Sequence[str], asked: Reading, store: StoreReader, evaluator: Evaluator) -> None:
        self._targets = targets
        self._asked = asked
        self._store = store
        self._evaluator = evaluator
        self._told_s: int | None = None
        self._steps: list[int | None] = []
        self.closed_s = 0
        """When the slot ends that is the first to."""

    def advance(self, now_s: int, is_gone: Callable[[], bool]) -> bytes:
        """The answer, at the first time; then what is new in it.

        Raises
        ------
        QueryError
            If it cannot be answered.
        """
        asked = self._asked
        asked = replace(asked, from_s=now_s - (asked.until_s - asked.from_s), until_s=now_s, now_s=now_s)
        if self._told_s is None:
            bands = self._evaluator.bands(self._targets, asked, is_gone)
            self._steps = [_common_step_s(some) for some in bands]
        else:
            bands = self._since(self._told_s, asked, is_gone)
        step_s = min((band.grid.step_s for some in bands for band in some), default=_STEP_S)
        self._told_s = now_s
        self.closed_s = now_s - now_s % step_s + step_s
        return json_of(asked, list(lines_of(self._store, self._targets, bands, asked)))

    def _since(self, told_s: int, asked: Reading, is_gone: Callable[[], bool]) -> list[list[Band]]:
        """The slots that were open at `told_s`, and those since."""
        together: dict[tuple[int | None, bool], list[int]] = {}
        found: list[list[Band]] = [[] for _ in self._targets]
        for i, (target, step_s) in enumerate(zip(self._targets, self._steps, strict=True)):
            together.setdefault((step_s, is_plain(parse(target))), []).append(i)
        for (step_s, plain), places in together.items():
            narrowed = _narrowed(asked, step_s, told_s, plain=plain)
            every = self._evaluator.bands([self._targets[i] for i in places], narrowed, is_gone)
            for i, some in zip(places, every, strict=True):
                found[i] = [_cut(band, told_s) for band in some]
        return found


def _common_step_s(bands: Sequence[Band]) -> int | None:
    """The step that all grids have, or None."""
    steps = {band.grid.step_s for band in bands}
    return steps.pop() if len(steps) == 1 else None


def _narrowed(asked: Reading, step_s: int | None, told_s: int, *, plain: bool) -> Reading:
    """What must be read to know the slots since `told_s` as the whole range would show them.

    Slots keep the length that they had at first. A target that leaves values as they are needs no more than these
    slots; what another makes of a slot may depend on the whole range.
    """
    if step_s is None:
        return asked
    from_s = told_s - told_s % step_s - 1 if plain else asked.from_s
    return replace(asked, from_s=from_s, slots_max=None, step_s=step_s)


def _cut(band: Band, told_s: int) -> Band:
    """The band from the slot on that was open at `told_s`."""
    grid = band.grid
    first = max(0, -(-(told_s - told_s % grid.step_s - grid.start_s) // grid.step_s))
    low, high = (None if one is None else one[:, first:] for one in (band.low, band.high))
    moved = replace(grid, values=grid.values[:, first:], start_s=grid.start_s + first * grid.step_s)
    return Band(moved, low, high, band.ids)


def _event(name: str, data: bytes) -> bytes:
    """An event; JSON has no line breaks, so its data is one line."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)
