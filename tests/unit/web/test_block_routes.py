"""The block list over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.blocks import BlockList
from tallystick.ledger import Ledger
from tallystick.model.clock import ManualClock
from tallystick.model.reason import Reason
from tallystick.web.blocks import block_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.workers import Workers

NOW_S = 1_700_000_000


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(ManualClock(float(NOW_S)))


@pytest.fixture
def client(ledger: Ledger) -> Iterator[TestClient]:
    clock = ManualClock(float(NOW_S))
    routes = block_routes(BlockList(None, clock), lambda: ["test.*"], ledger, clock, Workers(1))
    with TestClient(Starlette(routes=routes, exception_handlers=exception_handlers)) as client:
        yield client


def test_a_block_is_listed_with_its_act_until_it_is_taken_off(client: TestClient) -> None:
    posted = client.post("/api/blocks", json={"pattern": "web.*", "for": "2h", "why": "a flood", "who": "ann"})
    one = {
        "id": 1,
        "pattern": "web.*",
        "source": "",
        "since": NOW_S,
        "until": NOW_S + 7200,
        "why": "a flood",
        "who": "ann from testclient",
        "refused": 0,
    }
    assert (posted.status_code, posted.json()) == (201, one)
    listed = client.get("/api/blocks").json()
    assert (listed["blocks"], listed["rules"], listed["sources"]) == ([one], [{"pattern": "test.*"}], [])
    ended = client.request("DELETE", "/api/blocks", json={"pattern": "web.*", "who": "bob"})
    assert (ended.status_code, ended.json()["pattern"]) == (200, "web.*")
    listed = client.get("/api/blocks").json()
    assert listed["blocks"] == []
    assert [(act["what"], act["who"]) for act in listed["acts"]] == [
        ("unblock", "bob from testclient"),
        ("block", "ann from testclient"),
    ]


def test_whose_samples_are_kept_out_is_listed_most_first(client: TestClient, ledger: Ledger) -> None:
    ledger.account("native", "10.0.0.1").refused(Reason.WITHHELD, 3, 0)
    ledger.account("carbon", "10.0.0.2").refused(Reason.BLOCKED, 5, 0)
    ledger.account("carbon", "10.0.0.3").refused(Reason.VALUE, 5, 0)
    assert client.get("/api/blocks").json()["sources"] == [
        {"source": "carbon", "peer": "10.0.0.2", "blocked": 5, "withheld": 0},
        {"source": "native", "peer": "10.0.0.1", "blocked": 0, "withheld": 3},
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"pattern": "a"}, "missing required field `why`"),
        ({"why": "x", "pattern": "a", "bogus": 1}, "bogus"),
        ({"why": "x", "for": "soon"}, "expected one as 30m, 2h or 7d"),
        ({"why": "x", "for": "9" * 400 + "y"}, "expected one as 30m, 2h or 7d"),
        ({"why": "x", "for": "2h", "until": NOW_S + 5}, "expected one of 'for' and 'until'"),
        ({"why": "x", "until": NOW_S}, "expected a time to come"),
        ({"why": "x", "until": 1e300}, "expected a time to come"),
        ({"why": "x", "source": "web1"}, "expected a host as 10.1.2.3"),
    ],
)
def test_what_is_no_block_is_answered_with_a_sentence(client: TestClient, body: dict[str, Any], told: str) -> None:
    answer = client.post("/api/blocks", json=body)
    assert answer.status_code == 400
    assert told in answer.json()["error"]


def test_what_is_not_on_the_list_cannot_be_taken_off(client: TestClient) -> None:
    answer = client.request("DELETE", "/api/blocks", json={"pattern": "web.*"})
    assert answer.status_code == 400
    assert "it is not on the list" in answer.json()["error"]
