"""A poller of one target, which is a function of the test, and what became of its answers."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from tallystick.config import Poll
from tallystick.ledger import Balance, Ledger
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.parse import NameTable
from tallystick.receive import Intake, IntakeLimits
from tallystick.receive.polls import Poller
from tallystick.route import Router
from tallystick.store.memory import MemoryStore

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Asked:
    """A store and a poller of one target."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store, self.ledger, names = MemoryStore(), Ledger(self.clock), NameTable()
        router = Router(names, self.store.create)
        self.intake = Intake(names, router, self.store, self.ledger, self.clock, IntakeLimits(600, 86400))

    def times(self, count: int, serve: Serve, **keys: object) -> Poller:
        """Have the target polled so many times, one after the other."""

        async def poll_all() -> Poller:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            place = str(keys.pop("address", "tcp://127.0.0.1:{port}")).format(port=port)
            poll = Poll(**{"protocol": "munin", **keys, "address": place})
            poller = Poller(self.intake, [poll])
            async with server:
                for _ in range(count):
                    await poller.poll(poller.targets[0])
                    self.clock.advance(10)
                await poller.targets[0].exchange.close()
            return poller

        return asyncio.run(poll_all())

    def once(self, serve: Serve, **keys: object) -> Poller:
        return self.times(1, serve, **keys)

    @property
    def balance(self) -> Balance:
        found = next(b for b in self.ledger.balances() if b.source.startswith("poll "))
        assert found.in_flight == 0
        return found

    @property
    def cause(self) -> str:
        return next(self.ledger.offenders()).text

    def kinds(self, prefix: str) -> dict[str, Kind]:
        """The series below a prefix, in the order in which they were first seen."""
        catalog = self.store.catalog
        ids = catalog.ids()
        pairs = zip(catalog.names(ids), catalog.kinds(ids).tolist(), strict=True)
        return {name: Kind(kind) for name, kind in pairs if name.startswith(f"{prefix}." if prefix else "")}

    def names(self, prefix: str) -> list[str]:
        return list(self.kinds(prefix))

    def last(self, name: str) -> float:
        """The latest value of a series."""
        ids = self.store.catalog.ids()
        series = ids[np.array([known == name for known in self.store.catalog.names(ids)])]
        at_s = int(self.clock.now()) // 10 * 10
        values = self.store.read(series, at_s - 600, at_s + 10, 10, [Statistic.LAST])[Statistic.LAST]
        return float(values[~np.isnan(values)][-1])
