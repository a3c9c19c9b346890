"""What HTTP answers, clients read as graphite-web's; its answers were recorded by ``tools/record_http.py``."""

import base64
import io
import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import comparing
import msgspec
import pytest
from http_requests import REQUESTS, SCENE, Asked
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.events import EventStore
from tallystick.model.clock import ManualClock
from tallystick.query import QueryLimits
from tallystick.web.errors import exception_handlers
from tallystick.web.events import event_routes
from tallystick.web.graphite import graphite_routes
from tallystick.web.workers import Workers

RECORDED = Path(__file__).parents[1] / "golden" / "http" / "answers.json"
THEIRS: dict[str, dict[str, Any]] = json.loads(RECORDED.read_text(encoding="utf-8"))
PICTURES = ("image/png", "image/svg+xml", "application/x-pdf")


class Known(pickle.Unpickler):
    """Reads pickles as graphite-web does: objects of its own two classes, and no others."""

    def find_class(self, module: str, name: str) -> Any:
        assert (module, name) in {("graphite.intervals", "Interval"), ("graphite.intervals", "IntervalSet")}
        return type(name, (), {"__eq__": lambda one, other: vars(one) == vars(other), "__hash__": None})


@pytest.fixture(scope="module")
def ours() -> Iterator[dict[str, Any]]:
    """Our answers, by the names of the requests: asked in their order, as events are told before they are read."""
    clock, limits, workers = ManualClock(float(SCENE.until_s)), QueryLimits(), Workers(1)
    store, events = comparing.evaluator(SCENE).store, EventStore(None, clock)
    routes = [*graphite_routes(store, limits, clock, workers, events), *event_routes(events, clock, workers)]
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield {request.name: asked(client, request) for request in REQUESTS}


def asked(client: TestClient, request: Asked) -> Any:
    if request.body:
        return client.post(request.path, content=request.body, headers={"content-type": "application/json"})
    if request.form is not None:
        form: dict[str, list[str]] = {}
        for key, value in request.form:
            form.setdefault(key, []).append(value)
        return client.post(request.path, params=list(request.query), data=form)
    return client.get(request.path, params=list(request.query))


def read(media_type: str, body: bytes) -> object:
    """What a client reads of a body."""
    match media_type:
        case "application/json":
            return json.loads(body)
        case "text/javascript":
            function, _, rest = body.partition(b"(")
            return function, json.loads(rest.removesuffix(b")"))
        case "application/pickle":
            return plain(Known(io.BytesIO(body)).load())
        case "application/x-msgpack":
            return msgspec.msgpack.decode(body)
        case one if one in PICTURES:
            return body[:4]
    return body


def plain(value: object) -> object:
    """Objects as their attributes."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return plain(vars(value)) if hasattr(value, "__dict__") else value


@pytest.mark.parametrize("request_", [one for one in REQUESTS if not one.differs], ids=lambda one: one.name)
def test_an_answer_is_read_as_that_of_graphite(ours: dict[str, Any], request_: Asked) -> None:
    answer, theirs = ours[request_.name], THEIRS[request_.name]
    expected = base64.b64decode(theirs["base64"]) if "base64" in theirs else theirs["body"].encode()
    assert answer.status_code == theirs["status"]
    if expected:
        assert answer.headers["content-type"].partition(";")[0] == theirs["type"]
    assert read(theirs["type"], answer.content) == read(theirs["type"], expected)


@pytest.mark.parametrize("request_", [one for one in REQUESTS if one.differs], ids=lambda one: one.name)
def test_what_differs_on_purpose_differs_indeed(ours: dict[str, Any], request_: Asked) -> None:
    answer, theirs = ours[request_.name], THEIRS[request_.name]
    expected = base64.b64decode(theirs["base64"]) if "base64" in theirs else theirs["body"].encode()
    same_type = answer.headers["content-type"].partition(";")[0] == theirs["type"]
    assert not same_type or read(theirs["type"], answer.content) != read(theirs["type"], expected)


def test_every_request_was_recorded_and_no_other() -> None:
    assert list(THEIRS) == [request.name for request in REQUESTS]
