"""A shop without any framework: a function."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tallystick.sensors.web import WsgiMiddleware

ANSWERS = {"orders": "200 OK", "slow": "200 OK", "stream": "200 OK", "feed": "200 OK", "broken": "200 OK"}


def view_of(environ: dict[str, Any]) -> str:
    view = environ["PATH_INFO"].split("/")[1]
    return view if view in ANSWERS else ""


def parts(count: int) -> Iterator[bytes]:
    for _ in range(count):
        if count > 3:
            time.sleep(0.01)
        yield b"x" * (1000 if count == 3 else 10_000)


def shop(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    view = view_of(environ)
    if view == "broken":
        raise RuntimeError("broken on purpose")
    if view == "slow":
        time.sleep(0.3)
    posted = environ["REQUEST_METHOD"] == "POST"
    start_response("201 Created" if posted else ANSWERS.get(view, "404 Not Found"), [("Content-Type", "text/plain")])
    if view in ("stream", "feed"):
        return parts(3 if view == "stream" else 1_000_000)
    return [environ["PATH_INFO"].replace("/orders/", "order ").encode()]


application = WsgiMiddleware(shop, owner="team-shop", view=view_of)
