"""What WSGI and ASGI applications answer is counted by status and view, whatever happens to a request."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import pytest

from tallystick.sensors import Sensors
from tallystick.sensors.settings import from_environment
from tallystick.sensors.view import snapshot
from tallystick.sensors.web import AsgiMiddleware, WsgiMiddleware, traffic
from tallystick.sensors.web.traffic import Traffic, view_component


@pytest.fixture
def own() -> Iterator[Sensors]:
    nowhere = {"TALLYSTICK_SERVER": "none", "TALLYSTICK_STATSD": "none", "TALLYSTICK_RUNTIME": "none"}
    made = Sensors(lambda: from_environment(nowhere, "shop"))
    yield made
    made.close()


def counted(own: Sensors) -> dict[str, float]:
    """The sums of counters, the numbers of timed requests, the levels of gauges; without what was never used."""
    found: dict[str, float] = {}
    for seen in snapshot(own):
        if seen.samples:
            level = seen.now.last if seen.now is not None else 0.0
            found[seen.name] = {"timing": seen.samples, "gauge": level}.get(seen.kind, seen.total)
    return found


class Served:
    """What a WSGI server does with an application."""

    def __init__(self, app: Any, own: Sensors, **options: Any) -> None:
        self.app = WsgiMiddleware(app, traffic=Traffic("team-x", own), **options)
        self.started: list[str] = []

    def get(self, method: str = "GET", parts: int | None = None, **environ: Any) -> bytes:
        """The body of the answer, or its first parts where the client goes."""

        def start_response(status: str, headers: object, *error: object) -> Callable[[bytes], object]:
            self.started.append(status)
            return lambda data: None

        answer = self.app({"REQUEST_METHOD": method, **environ}, start_response)
        try:
            body = b""
            for at, part in enumerate(answer):
                body += part
                if at + 1 == parts:
                    break
            return body
        finally:
            if (close := getattr(answer, "close", None)) is not None:
                close()


def test_a_complete_answer_is_counted_and_left_as_it_is(own: Sensors) -> None:
    answer = [b"hello ", b"world"]

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return answer

    served = Served(app, own)
    assert served.get(CONTENT_LENGTH="3") == b"hello world"
    assert counted(own) == {
        "in_flight": 0,
        "received_bytes": 3,
        "requests": 1,
        "response.200": 1,
        "response_time": 1,
        "sent_bytes": 11,
        "view.GET.unrouted": 1,
    }
    assert {seen.owner for seen in snapshot(own)} == {"team-x"}


def test_a_streamed_answer_is_counted_at_its_end_and_one_that_is_cut_off_as_such(own: Sensors) -> None:
    closed = threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            for _ in range(3):
                yield b"12345"
        finally:
            closed.set()

    served = Served(app, own)
    assert served.get() == b"123451234512345"
    assert "disconnects" not in counted(own)
    closed.clear()
    served.get(parts=1)
    assert closed.is_set()
    served.get("HEAD", parts=1)
    found = counted(own)
    assert (found["requests"], found["disconnects"], found["sent_bytes"], found["in_flight"]) == (3, 1, 25, 0)


def test_exceptions_are_errors_wherever_they_come(own: Sensors) -> None:
    def at_once(environ: Any, start_response: Any) -> Iterable[bytes]:
        raise RuntimeError("at once")

    def later(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"some"
        raise RuntimeError("later")

    def told(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("503 Later", [])
        return [b""]

    for app in (at_once, later):
        with pytest.raises(RuntimeError):
            Served(app, own).get()
    Served(told, own).get()
    found = counted(own)
    assert (found["errors"], found["requests"], found["in_flight"]) == (3, 3, 0)
    assert (found["response.500"], found["response.200"], found["response.503"]) == (1, 1, 1)
    assert "disconnects" not in found


def test_what_is_written_the_old_way_and_files_are_counted(own: Sensors) -> None:
    class FileWrapper:
        def __init__(self, parts: list[bytes]) -> None:
            self.parts = parts

        def __iter__(self) -> Iterator[bytes]:
            return iter(self.parts)

    def writing(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])(b"1234")
        return []

    def of_a_file(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("206 Partial Content", [("Content-Length", "7")])
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"]([b"1234567"])
        return wrapped

    Served(writing, own).get()
    served = Served(of_a_file, own)
    answer = served.app({"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}, lambda *_: lambda data: None)
    assert type(answer) is FileWrapper  # a server that knows its own has the kernel send it
    assert counted(own)["sent_bytes"] == 11
    assert counted(own)["response.206"] == 1


def test_there_are_as_many_names_as_views_whatever_is_asked_for(own: Sensors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "VIEWS_MAX", 3)

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(environ["status"], [])
        return [b""]

    served = Served(app, own, view=lambda environ: environ["view"])
    for number in range(9):
        served.get(f"GET{number % 2}", view=f"/path/{number}", status="999 What")
    names = {name for name in counted(own) if name.startswith(("view", "response."))}
    assert names == {"response.other", *(f"view.OTHER.path-{n}" for n in range(3)), "view.OTHER.other"}


@pytest.mark.parametrize(
    ("view", "part"),
    [
        ("/orders/<int:number>/", "orders-number"),
        ("/orders/{number:int}", "orders-number"),
        ("/orders/{number}", "orders-number"),
        ("/<any(a, b):word>", "word"),
        ("shop:cart", "shop-cart"),
        ("shop.views.Cart", "shop_views_Cart"),
        ("/", "root"),
        ("", "unrouted"),
    ],
)
def test_a_view_is_one_component_of_a_name(view: str, part: str) -> None:
    assert view_component(view) == part


Messages = list[dict[str, Any]]
BODY: Messages = [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.request", "body": b"d"}]
GONE = {"type": "http.disconnect"}


def serve(
    app: Any, own: Sensors, incoming: Messages, scope: dict[str, Any], send_error: OSError | None = None
) -> Messages:
    """What an ASGI server does with an application; returns what was sent."""
    sent: Messages = []
    waiting = list(incoming)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if waiting else dict(GONE)

    async def send(message: Any) -> None:
        if send_error is not None and message.get("body"):
            raise send_error
        sent.append(message)

    asyncio.run(AsgiMiddleware(app, traffic=Traffic("", own))(scope, receive, send))
    return sent


def http() -> dict[str, Any]:
    return {"type": "http", "method": "POST"}


async def answer(send: Callable[[Any], Awaitable[None]], status: int, *parts: bytes) -> None:
    await send({"type": "http.response.start", "status": status})
    for at, part in enumerate(parts):
        await send({"type": "http.response.body", "body": part, "more_body": at + 1 < len(parts)})


def test_an_asgi_answer_is_counted_with_the_route_that_took_it(own: Sensors) -> None:
    class Route:
        path = "/orders/{number}"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["route"] = Route()
        while (await receive()).get("more_body"):
            pass
        await answer(send, 201, b"12", b"345")

    serve(app, own, BODY, http())
    assert counted(own) == {
        "in_flight": 0,
        "received_bytes": 4,
        "requests": 1,
        "response.201": 1,
        "response_time": 1,
        "sent_bytes": 5,
        "view.POST.orders-number": 1,
    }


def test_what_fails_before_within_and_behind_an_asgi_answer_is_one_error(own: Sensors) -> None:
    async def before(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    async def within(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 200, b"some", b"")
        raise RuntimeError  # behind: a task in the background

    async def handled(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 500, b"sorry")
        raise RuntimeError  # as Starlette's outermost layer does, for the server's log

    for app in (before, within, handled):
        with pytest.raises(RuntimeError):
            serve(app, own, [], http())
    found = counted(own)
    assert (found["errors"], found["requests"], found["response.500"], found["response.200"]) == (3, 3, 2, 1)
    assert (found["in_flight"], found.get("disconnects")) == (0, None)


def test_clients_that_go_are_no_errors(own: Sensors) -> None:
    async def noticing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        assert (await receive())["type"] == "http.disconnect"

    async def raising(scope: Any, receive: Any, send: Any) -> None:
        if (await receive())["type"] == "http.disconnect":
            raise ConnectionError

    async def cancelled(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    async def sending(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 200, b"much", b"")

    serve(noticing, own, [], http())
    for app, error in ((raising, ConnectionError), (cancelled, asyncio.CancelledError)):
        with pytest.raises(error):
            serve(app, own, [], http())
    with pytest.raises(OSError, match="gone"):
        serve(sending, own, [], http(), OSError("gone"))
    found = counted(own)
    assert (found["disconnects"], found["requests"], found["in_flight"]) == (4, 4, 0)
    assert "errors" not in found


def test_websockets_are_counted_while_they_are_open_and_refused_ones_as_requests(own: Sensors) -> None:
    async def echoing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert counted(own)["websockets"] == 1
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "bytes": message.get("bytes"), "text": message.get("text")})

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close"})

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        raise RuntimeError

    words = [{"type": "websocket.receive", "text": "four"}, {"type": "websocket.receive", "bytes": b"bytes"}]
    serve(
        echoing, own, [{"type": "websocket.connect"}, *words, {"type": "websocket.disconnect"}], {"type": "websocket"}
    )
    serve(refusing, own, [], {"type": "websocket"})
    with pytest.raises(RuntimeError):
        serve(failing, own, [], {"type": "websocket"})
    found = counted(own)
    assert (found["received_bytes"], found["sent_bytes"]) == (9, 9)
    assert (found["requests"], found["response.101"], found["response.403"], found["errors"]) == (3, 2, 1, 1)
    assert (found["websockets"], found["in_flight"], found["view.WEBSOCKET.unrouted"]) == (0, 0, 2)


def test_a_request_is_counted_once_however_many_middlewares_it_goes_through(own: Sensors) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 200, b"x")

    def wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b""]

    serve(AsgiMiddleware(app, traffic=Traffic("", own)), own, [], http())
    Served(WsgiMiddleware(wsgi, traffic=Traffic("", own)), own).get()
    assert counted(own)["requests"] == 2
    assert counted(own)["in_flight"] == 0


def test_what_is_neither_a_request_nor_a_websocket_passes(own: Sensors) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})

    assert serve(app, own, [], {"type": "lifespan"}) == [{"type": "lifespan.startup.complete"}]
    assert counted(own) == {}
