"""Writes over HTTP: bodies whole, unfinished, too large, too many."""

import asyncio
from collections.abc import Callable

import httpx2
import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.types import Message

from tallystick.web import write as route
from tallystick.web.errors import exception_handlers
from tallystick.web.write import Written, write_routes


class Taking:
    """Takes every body, which is safe at once."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def write(self, lines: NDArray[np.uint8], length: int) -> Written:
        self.bodies.append(lines[:length].tobytes())
        return Written(length, {}, 1)

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        call()


class House:
    """The route, and what it was given."""

    def __init__(self) -> None:
        self.writer = Taking()
        self.app = Starlette(routes=write_routes(self.writer), exception_handlers=exception_handlers)

    async def post(self, body: bytes) -> int:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://t") as client:
            return (await client.post("/api/write", content=body)).status_code

    async def begin(self, first: bytes) -> tuple["asyncio.Task[None]", "asyncio.Queue[Message]", list[Message]]:
        """A request whose body is not finished: its task, how to go on, and what it is answered."""
        more: asyncio.Queue[Message] = asyncio.Queue()
        answer: list[Message] = []
        await more.put({"type": "http.request", "body": first, "more_body": True})

        async def send(message: Message) -> None:
            answer.append(message)

        scope = {"type": "http", "method": "POST", "path": "/api/write", "headers": [], "query_string": b""}
        task = asyncio.ensure_future(self.app(scope, more.get, send))
        while not more.empty():
            await asyncio.sleep(0)
        return task, more, answer


def test_bodies_that_are_never_finished_take_bounded_memory_and_their_place_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(route, "BODIES_BYTES_MAX", 1000)

    async def play() -> None:
        house = House()
        task, more, _ = await house.begin(b"x" * 900)
        assert await house.post(b"a" * 200) == 503
        assert await house.post(b"a" * 20) == 200
        await more.put({"type": "http.disconnect"})
        await task
        assert await house.post(b"a" * 700) == 200
        assert house.writer.bodies == [b"a" * 20 + b"\n", b"a" * 700 + b"\n"]

    asyncio.run(play())


def test_a_body_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "BODY_WAIT_S_MAX", 0)

    async def play() -> None:
        house = House()
        task, _, answer = await house.begin(b"half a li")
        await task
        assert answer[0]["status"] == 408
        assert house.writer.bodies == []

    asyncio.run(play())


def test_a_body_beyond_the_limit_is_refused_whether_it_is_declared_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "BODY_BYTES_MAX", 100)

    async def play() -> None:
        house = House()
        assert await house.post(b"a" * 101) == 413
        task, _, answer = await house.begin(b"a" * 101)
        await task
        assert answer[0]["status"] == 413
        assert await house.post(b"a" * 100) == 200

    asyncio.run(play())
