"""What is known of series over HTTP: written by glob, read beside the numbers, the names and by itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.described import Descriptions
from tallystick.model.clock import ManualClock
from tallystick.model.description import Description
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import QueryLimits
from tallystick.store.memory import MemoryStore
from tallystick.web.api import api_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.graphite import graphite_routes
from tallystick.web.metadata import metadata_routes
from tallystick.web.workers import Workers

NOW_S = 1_700_000_000
NAMES = {
    "prod.apps.shop.sent": Kind.COUNTER,
    "prod.apps.shop.view.GET.cart": Kind.TIMING,
    "prod.hosts.web.web1.shop.sent": Kind.COUNTER,
    "prod.hosts.web.web2.shop.sent": Kind.COUNTER,
    "prod.shop{a,b}.sent": Kind.COUNTER,
}
NONE = {"unit": "", "owner": "", "description": "", "alert": ""}
SENT = {"unit": "bytes", "owner": "team-shop", "description": "Bytes of bodies.", "alert": ""}


@pytest.fixture
def known() -> Descriptions:
    return Descriptions(None, ManualClock(float(NOW_S)))


@pytest.fixture
def client(known: Descriptions) -> Iterator[TestClient]:
    clock, limits = ManualClock(float(NOW_S)), QueryLimits(series_max=10)
    store = MemoryStore(clock=clock)
    for series in store.create(list(NAMES), list(NAMES.values())).tolist():
        store.append(SampleBatch.of([series], [(NOW_S - 10) * 1000], [1.0]))
    routes = [
        *metadata_routes(known, store, Workers(1), limits.series_max),
        *api_routes(store, limits, clock, descriptions=known),
        *graphite_routes(store, limits, clock, descriptions=known),
    ]
    with TestClient(Starlette(routes=routes, exception_handlers=exception_handlers)) as client:
        yield client


def metas(client: TestClient, target: str) -> dict[str, dict[str, Any]]:
    found = client.get("/api/query", params={"target": target, "meta": "1"}).json()["series"]
    fields = ("unit", "owner", "description", "alert")
    return {one["name"]: {field: one["meta"].get(field, "") for field in fields} for one in found}


def test_what_is_written_of_a_glob_is_known_of_each_of_its_series(client: TestClient) -> None:
    answer = client.post("/api/metadata", json={"query": "prod.*.*.*.shop.sent", **SENT})
    assert (answer.status_code, answer.json()) == (200, {"written": [{"query": "prod.*.*.*.shop.sent", **SENT}]})
    series = client.get("/api/metadata", params={"query": "prod.hosts.*.*.*.*"}).json()["series"]
    assert series == [{"name": f"prod.hosts.web.web{n}.shop.sent", "kind": "counter", **SENT} for n in (1, 2)]
    assert metas(client, "prod.hosts.web.web1.shop.sent") == {"prod.hosts.web.web1.shop.sent": SENT}
    assert metas(client, "prod.apps.shop.sent") == {"prod.apps.shop.sent": NONE}


def test_several_are_written_at_once_and_removed_one_by_one(client: TestClient) -> None:
    rules = [{"query": "prod.apps.shop.sent", "unit": "bytes"}, {"query": "prod.**", "owner": "ops"}]
    assert client.post("/api/metadata", json=rules).status_code == 200
    written = client.get("/api/metadata").json()["written"]
    assert written == [NONE | rules[1], NONE | rules[0]]
    assert client.delete("/api/metadata", params={"query": "prod.**"}).status_code == 204
    assert client.delete("/api/metadata", params={"query": "prod.**"}).status_code == 404
    assert client.get("/api/metadata").json()["written"] == [NONE | rules[0]]


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ('{"query": "a", "team": "b"}', "unknown field `team`"),
        ('{"query": "a"}', "nothing is said of it"),
        ('{"query": "", "unit": "s"}', "length >= 1"),
        ('{"query": "a", "unit": "two\\nlines"}', "matching regex"),
        ('{"query": "a.{b", "unit": "s"}', "cannot"),
        ("[" * 5000, "cannot read the metadata"),
        ("nothing", "malformed"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_reason(client: TestClient, body: str, cause: str) -> None:
    answer = client.post("/api/metadata", content=body)
    assert answer.status_code == 400
    assert cause in answer.json()["error"]
    assert client.get("/api/metadata").json() == {"written": []}


@pytest.mark.parametrize(
    ("target", "unit"),
    [
        ("sumSeries(prod.hosts.*.*.shop.sent)", "bytes"),
        ("alias(perSecond(sumSeries(prod.hosts.*.*.shop.sent)),'x')", "bytes/s"),
        (r"sumSeries(prod.shop\\\{a\\\,b\\\}.sent)", "bytes"),
        ("scale(prod.hosts.web.web1.shop.sent,8)", ""),
        ("asPercent(prod.hosts.web.web1.shop.sent,prod.hosts.web.web2.shop.sent)", "%"),
        ("group(sumSeries(prod.hosts.*.*.shop.sent),sumSeries(prod.apps.*.sent))", ""),
    ],
)
def test_what_functions_make_has_the_unit_that_they_leave_it(
    client: TestClient, known: Descriptions, target: str, unit: str
) -> None:
    for name in ("prod.hosts.web.web1.shop.sent", "prod.shop{a,b}.sent"):
        known.say(name, Description(**SENT))
    assert {meta["unit"] for meta in metas(client, target).values()} == {unit}


def test_names_are_found_with_what_is_known_of_them_if_that_is_asked_for(
    client: TestClient, known: Descriptions
) -> None:
    known.say("prod.apps.shop.sent", Description(**SENT))
    asked = {"query": "prod.apps.shop.*"}
    plain = client.get("/metrics/find", params=asked).json()
    assert all("meta" not in one for one in plain)
    tree = client.get("/metrics/find", params=asked | {"meta": "1"}).json()
    assert {one["text"]: one.get("meta") for one in tree} == {"sent": SENT, "view": None}
    entries = client.get("/metrics/find", params=asked | {"meta": "1", "format": "json"}).json()
    assert {one["path"]: one.get("meta") for one in entries} == {
        "prod.apps.shop.sent": SENT,
        "prod.apps.shop.view": None,
    }
