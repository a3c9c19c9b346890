"""What tests of writes over HTTP share: the routes of all families over a store in memory, and how to ask them."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message

from tallystick.config import Http
from tallystick.ledger import Balance, Ledger
from tallystick.model.clock import ManualClock
from tallystick.model.statistic import Statistic
from tallystick.parse import NameTable
from tallystick.receive import Intake, IntakeLimits
from tallystick.route import Router
from tallystick.store.memory import MemoryStore
from tallystick.web.access import Access
from tallystick.web.errors import exception_handlers
from tallystick.web.writes import writing_routes
from tallystick.web.writes.writing import Writing

NOW_S = 1_700_000_000


class House:
    """All routes that take writes, and what is behind them. Its clock stands still at `NOW_S`.

    Parameters
    ----------
    token
        Asked of whoever writes; None if nobody is asked.
    when_durable
        Says when the disk is done, as `Store.when_durable`; at once if it is not given.
    options
        The config's.
    """

    def __init__(
        self,
        store: MemoryStore | None = None,
        token: str | None = None,
        when_durable: Callable[[int, Callable[[], None]], None] | None = None,
        options: Http | None = None,
    ) -> None:
        clock = ManualClock(float(NOW_S))
        names = NameTable()
        self.store = store or MemoryStore(clock=clock)
        self.ledger = Ledger(clock)
        self.intake = Intake(
            names, Router(names, self.store.create), self.store, self.ledger, clock, IntakeLimits(600, 86400 * 3650)
        )
        self.writing = Writing(self.intake, when_durable or self.store.when_durable, options or Http())
        app: ASGIApp = Starlette(routes=writing_routes(self.writing), exception_handlers=exception_handlers)
        self.app = app if token is None else Access(app, token)

    async def post(self, path: str, body: bytes, **options: Any) -> httpx2.Response:
        """The answer to a body."""
        return await self.ask("POST", path, content=body, **options)

    async def ask(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """The answer to any request."""
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), base_url="http://t") as client:
            return await client.request(method, path, **options)

    async def begin(
        self, path: str, first: bytes
    ) -> tuple["asyncio.Task[None]", "asyncio.Queue[Message]", list[Message]]:
        """A request whose body is not finished: its task, how to go on, and what it is answered."""
        more: asyncio.Queue[Message] = asyncio.Queue()
        answer: list[Message] = []
        await more.put({"type": "http.request", "body": first, "more_body": True})

        async def send(message: Message) -> None:
            answer.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
        task = asyncio.ensure_future(self.app(scope, more.get, send))
        while not more.empty():
            await asyncio.sleep(0)
        return task, more, answer

    def values(self, statistic: Statistic = Statistic.LAST) -> dict[str, float]:
        """What each series has in the slot of `NOW_S`."""
        ids = self.store.catalog.ids()
        start_s = NOW_S // 10 * 10
        read = self.store.read(ids, start_s, start_s + 10, 10, [statistic])[statistic]
        return dict(zip(self.store.catalog.names(ids), read.ravel().tolist(), strict=True))

    def balance(self, route: str) -> Balance:
        """The account of a route, everything that came by it having become of something."""
        (balance,) = (balance for balance in self.ledger.balances() if balance.source == f"http {route}")
        assert balance.in_flight == 0
        return balance
