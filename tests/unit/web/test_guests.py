"""Connections that came in by a door for senders and speak HTTP."""

import asyncio
import socket
import threading

from starlette.types import ASGIApp

from posting import NOW_S, House
from tallystick.described import Descriptions
from tallystick.events import EventStore
from tallystick.model.clock import ManualClock
from tallystick.query import QueryLimits
from tallystick.web.app import make_opentsdb_app
from tallystick.web.guests import Guests
from tallystick.web.reading import Reads
from tallystick.web.workers import Workers

POINT = b'{"metric":"a","timestamp":%d,"value":1,"tags":{"b":"c"}}' % NOW_S


def opentsdb_app(house: House) -> ASGIApp:
    clock, limits = ManualClock(float(NOW_S)), QueryLimits()
    reads = Reads(
        house.store, limits, clock, Workers(limits.workers), EventStore(None, clock), Descriptions(None, clock)
    )
    return make_opentsdb_app(house.writing, reads, token="")


def test_a_connection_is_served_from_the_first_byte_on_that_somebody_else_read() -> None:
    house = House()
    guests = Guests(opentsdb_app(house))
    request = b"POST /api/put HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(POINT) + POINT
    theirs, ours = socket.socketpair()

    async def play() -> bytes:
        loop = asyncio.get_running_loop()
        guests.serve_on(loop)
        thread = threading.Thread(target=guests.take, args=(ours, request[:70]))
        thread.start()
        theirs.setblocking(False)
        await loop.sock_sendall(theirs, request[70:])
        return await loop.sock_recv(theirs, 1000)

    with theirs:
        assert asyncio.run(play()).startswith(b"HTTP/1.1 204")
    assert house.values() == {"a;b=c": 1}


def test_a_connection_that_nobody_can_serve_is_closed() -> None:
    guests = Guests(opentsdb_app(House()))
    loop = asyncio.new_event_loop()
    loop.close()
    for _ in range(2):  # before HTTP runs, and after it has ended
        theirs, ours = socket.socketpair()
        guests.take(ours, b"GET / HTTP/1.1\r\n")
        with theirs:
            assert theirs.recv(10) == b""
        guests.serve_on(loop)
