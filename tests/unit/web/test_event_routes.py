"""Events over HTTP, as Graphite's clients and Grafana's annotations speak of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.events import EventStore
from tallystick.model.clock import ManualClock
from tallystick.web.errors import exception_handlers
from tallystick.web.events import event_routes
from tallystick.web.workers import Workers

NOW_S = 1_700_000_000


@pytest.fixture
def client() -> Iterator[TestClient]:
    clock = ManualClock(float(NOW_S))
    routes = event_routes(EventStore(None, clock), clock, Workers(1))
    with TestClient(Starlette(routes=routes, exception_handlers=exception_handlers)) as client:
        yield client


def posted(client: TestClient, **event: Any) -> None:
    answer = client.post("/events/", json=event)
    assert (answer.status_code, answer.content) == (200, b"")


def test_what_is_posted_can_be_read_as_graphite_gives_it(client: TestClient) -> None:
    posted(client, what="deploy", tags=["a", "b"], data="x", when=NOW_S - 5, user="ann")
    assert client.get("/events/get_data").json() == [
        {"when": NOW_S - 5, "what": "deploy", "data": "x", "tags": ["a", "b"], "id": 1}
    ]
    assert client.get("/events/1/").json() == {
        "id": 1,
        "when": "2023-11-14T22:13:15Z",
        "what": "deploy",
        "data": "x",
        "tags": ["a", "b"],
    }


def test_tags_may_be_a_text_or_missing_and_data_anything(client: TestClient) -> None:
    posted(client, what="one", tags="a b")
    posted(client, what="two", tags=None, data={"version": [4, 2]})
    found = client.get("/events/get_data").json()
    assert [(one["tags"], one["data"], one["when"]) for one in found] == [
        (["a", "b"], "", NOW_S),
        ([], '{"version":[4,2]}', NOW_S),
    ]


def test_an_event_that_is_posted_again_by_the_same_word_is_kept_once(client: TestClient) -> None:
    answers = [client.post("/api/events", json={"what": "deploy", "once": word}).json() for word in ("a", "a", "b")]
    assert [answer["id"] for answer in answers] == [1, 1, 2]
    posted(client, what="deploy", once="b")
    assert len(client.get("/events/get_data").json()) == 2
    assert client.post("/api/events", json={"what": "deploy", "once": "x" * 65}).status_code == 400


@pytest.mark.parametrize(
    ("asked", "whats"),
    [
        ({}, ["old", "ab", "a"]),
        ({"from": "-1h"}, ["ab", "a"]),
        ({"from": str(NOW_S - 7200), "until": str(NOW_S - 60)}, ["old", "ab"]),
        ({"tags": "a b"}, ["ab"]),
        ({"tags": "a b", "set": "union"}, ["ab", "a"]),
        ({"tags": "a b", "set": "intersection"}, ["ab"]),
        ({"tags": "*"}, ["old", "ab", "a"]),
        ({"limit": "1"}, ["a"]),
    ],
)
def test_events_are_found_by_range_and_tags(client: TestClient, asked: dict[str, str], whats: list[str]) -> None:
    posted(client, what="old", when=NOW_S - 7200)
    posted(client, what="ab", tags="a b", when=NOW_S - 60)
    posted(client, what="a", tags="a", when=NOW_S - 10.5)
    assert [one["what"] for one in client.get("/events/get_data", params=asked).json()] == whats
    assert [one["what"] for one in client.post("/events/get_data", data=asked).json()] == whats


def test_answers_can_be_called_as_a_script(client: TestClient) -> None:
    answer = client.get("/events/get_data", params={"jsonp": "show"})
    assert (answer.text, answer.headers["content-type"]) == ("show([])", "text/javascript; charset=utf-8")


def test_our_own_path_says_what_was_kept(client: TestClient) -> None:
    answer = client.post("/api/events", content='{"what": "deploy", "tags": "shop"}').json()
    assert answer == {"id": 1, "time_s": NOW_S, "what": "deploy", "tags": ["shop"], "data": ""}
    assert client.get("/api/events").json() == {"events": [answer]}


def test_an_event_can_be_removed(client: TestClient) -> None:
    posted(client, what="wrong")
    assert client.delete("/events/1").status_code == 204
    assert client.delete("/events/1").status_code == 404
    assert client.get("/events/1").status_code == 404
    assert client.get("/events/").json() == []


def test_a_number_larger_than_any_events_is_not_found(client: TestClient) -> None:
    for number in (1 << 63, 10**40):
        assert client.get(f"/events/{number}").status_code == 404
        assert client.delete(f"/events/{number}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"what=deploy",
        b'{"tags": "a"}',
        b'{"what": ""}',
        b'{"what": "x", "tags": 5}',
        b'{"what": "x", "when": "now"}',
        b'{"what": "x", "when": 1e99}',
        b'{"what": "\xff"}',
        b'[{"what": "x"}]',
        b'{"what": "x", "data": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"what": "x", "data": "' + b"y" * 70_000 + b'"}',
        b'{"what": "x", "tags": "' + b" ".join(b"t%d" % n for n in range(99)) + b'"}',
    ],
)
def test_what_is_no_event_is_refused_with_a_sentence(client: TestClient, body: bytes) -> None:
    answer = client.post("/events", content=body)
    assert answer.status_code == 400
    assert "event" in answer.json()["error"]
    assert client.get("/events/get_data").json() == []


def test_more_than_a_megabyte_is_not_read(client: TestClient) -> None:
    assert client.post("/events", content=b" " * (1 << 21)).status_code == 413


def test_an_unknown_way_to_join_tags_is_refused(client: TestClient) -> None:
    answer = client.get("/events/get_data", params={"set": "both"})
    assert (answer.status_code, "union" in answer.text) == (400, True)
