"""Queries end when who asked has hung up: a real server, over real connections."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
import uvicorn
from starlette.applications import Starlette

from servers import wait_until
from tallystick.model.clock import SystemClock
from tallystick.model.kind import Kind
from tallystick.query import QueryLimits
from tallystick.store.memory import MemoryStore
from tallystick.web.api import api_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.graphite import graphite_routes
from tallystick.web.workers import Workers

ENDLESS = "timeStack(web.h1.cpu,'1s',0,1000000000)"
LIMITS = QueryLimits(points_max=10**12, series_max=10**9, bytes_max=1 << 40, time_s_max=3600.0)


class CountedStore(MemoryStore):
    """Counts reads, and stops in them while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.free = threading.Event()
        self.free.set()

    def read(self, *args: Any, **more: Any) -> Any:
        self.reads += 1
        assert self.free.wait(60)
        return super().read(*args, **more)


@dataclass
class Busy:
    """A server with one thread for queries."""

    store: CountedStore
    workers: Workers = field(default_factory=lambda: Workers(1))
    port: int = 0

    def ask(self, path: str, target: str) -> socket.socket:
        """A request whose answer nobody has read."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        address = f"{path}?target={quote(target)}&from=-1min"
        connection.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return connection


@pytest.fixture
def busy() -> Iterator[Busy]:
    store, clock = CountedStore(), SystemClock()
    store.create(["web.h1.cpu"], [Kind.GAUGE])
    found = Busy(store)
    routes = [
        *graphite_routes(store, LIMITS, clock, found.workers),
        *api_routes(store, LIMITS, clock, found.workers),
    ]
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    with socket.create_server(("127.0.0.1", 0)) as door:
        found.port = door.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            wait_until(lambda: server.started, "the server")
            yield found
        finally:
            store.free.set()
            server.should_exit = True
            thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("path", ["/render", "/api/query"])
def test_a_query_ends_when_its_client_hangs_up(busy: Busy, path: str) -> None:
    connection = busy.ask(path, ENDLESS)
    wait_until(lambda: busy.store.reads > 2, "the query to read")
    assert busy.workers.asked == 1
    connection.close()
    wait_until(lambda: busy.workers.asked == 0, "the query to end")
    seen = busy.store.reads
    with busy.ask("/render", "web.h1.cpu") as other:
        assert other.recv(12) == b"HTTP/1.1 200"
    assert busy.store.reads == seen + 1


def test_a_query_that_waits_for_a_thread_is_not_begun_when_its_client_hangs_up(busy: Busy) -> None:
    busy.store.free.clear()
    with busy.ask("/render", "web.h1.cpu") as first:
        wait_until(lambda: busy.store.reads == 1, "the first query to read")
        second = busy.ask("/render", ENDLESS)
        wait_until(lambda: busy.workers.asked == 2, "the second query to wait")
        second.close()
        wait_until(lambda: busy.workers.asked == 1, "the second query to be given up")
        busy.store.free.set()
        assert first.recv(12) == b"HTTP/1.1 200"
    assert busy.store.reads == 1
