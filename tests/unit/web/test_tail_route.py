"""``/ledger/tail``: as many may look as there is room for, and who goes away makes room."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from posting import House
from tallystick.receive.taps import TAPS_MAX
from tallystick.web.errors import exception_handlers
from tallystick.web.ledger import ledger_routes
from tallystick.web.workers import Workers

SCOPE = {
    "type": "http",
    "asgi": {"spec_version": "2.3"},
    "path": "/ledger/tail",
    "headers": [],
    "query_string": b"pattern=*",
}


class Looker:
    """Somebody who looks until told to go."""

    def __init__(self, app: Starlette, method: str = "GET") -> None:
        self.sent: list[Message] = []
        self.began, self._going = asyncio.Event(), asyncio.Event()
        self.task = asyncio.ensure_future(app({**SCOPE, "method": method}, self._receive, self._send))

    async def _receive(self) -> Message:
        await self._going.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        self.began.set()

    async def go(self) -> None:
        """Hang up."""
        self._going.set()
        await self.task


@pytest.mark.anyio
async def test_one_looker_too_many_is_told_so_and_has_a_place_when_another_went() -> None:
    house = House()
    routes = ledger_routes(house.ledger, house.intake.taps, house.store, house.intake.clock, Workers(1))
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    lookers = [Looker(app) for _ in range(TAPS_MAX)]
    for looker in lookers:
        await looker.began.wait()
    assert {looker.sent[0]["status"] for looker in lookers} == {200}
    refused = Looker(app)
    await refused.task
    assert refused.sent[0]["status"] == 503
    assert b"too many are looking" in refused.sent[1]["body"]
    await lookers.pop().go()
    lookers.append(Looker(app))
    await lookers[-1].began.wait()
    assert lookers[-1].sent[0]["status"] == 200
    for looker in lookers:
        await looker.go()
    assert not house.intake.taps


@pytest.mark.anyio
async def test_who_asks_only_for_the_head_of_the_answer_has_all_of_it_at_once() -> None:
    house = House()
    routes = ledger_routes(house.ledger, house.intake.taps, house.store, house.intake.clock, Workers(1))
    looker = Looker(Starlette(routes=routes), "HEAD")
    await asyncio.wait_for(looker.task, 10)
    assert [message["type"] for message in looker.sent] == ["http.response.start", "http.response.body"]
    assert looker.sent[0]["status"] == 200
    assert (b"content-type", b"application/x-ndjson") in looker.sent[0]["headers"]
    assert not house.intake.taps
