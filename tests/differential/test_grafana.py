"""Grafana's Graphite data source: the requests that it makes, and what it reads from their answers.

Grafana cannot be installed here. The requests are those of its source, ``public/app/plugins/datasource/graphite`` and
``pkg/tsdb/graphite``; what each test looks at is what that code takes out of an answer, and nothing else.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.events import EventStore
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import QueryLimits
from tallystick.store.memory import MemoryStore
from tallystick.web.errors import exception_handlers
from tallystick.web.events import event_routes
from tallystick.web.graphite import graphite_routes
from tallystick.web.workers import Workers

NOW_S = 1_700_000_000
NAMES = ("web.h1.cpu", "web.h1.mem", "web.h2.cpu", "web.h2.mem", "disk.used;dc=a;host=h1", "disk.used;dc=b;host=h2")
HEADERS = {"X-Dashboard-Id": "1", "X-Panel-Id": "2", "X-Grafana-Org-Id": "1"}


@pytest.fixture(scope="module")
def grafana() -> Iterator[TestClient]:
    clock, limits, workers = ManualClock(float(NOW_S)), QueryLimits(), Workers(1)
    store, events = MemoryStore(clock=clock), EventStore(None, clock)
    times = list(range(NOW_S - 7200, NOW_S, 10))
    for series in store.create(list(NAMES), [Kind.GAUGE] * len(NAMES)).tolist():
        values = [float(series * 100 + (t // 10) % 7) for t in times]
        store.append(SampleBatch.of([series] * len(times), [t * 1000 for t in times], values))
    events.add("deployed shop 4.2", ["deploy", "shop"], "by ann", NOW_S - 600)
    events.add("restarted", ["shop"], "", NOW_S - 300)
    routes = [*graphite_routes(store, limits, clock, workers, events), *event_routes(events, clock, workers)]
    with TestClient(Starlette(routes=routes, exception_handlers=exception_handlers), headers=HEADERS) as client:
        yield client


def query(grafana: TestClient, *targets: str, since: str = "-1h", until: str = "now", points: int = 100) -> Any:
    """A panel's queries: each is wrapped so that the answer says whose it is."""
    wrapped = [f'aliasSub({target}, "(^.*$)", "\\1 {chr(65 + i)}")' for i, target in enumerate(targets)]
    form = {"target": wrapped, "from": since, "until": until, "format": "json", "maxDataPoints": str(points)}
    answer = grafana.post("/render", data=form)
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json(), list)
    return answer.json()


def test_each_series_of_a_panel_says_whose_it_is(grafana: TestClient) -> None:
    found = query(grafana, "web.*.cpu", "sumSeries(web.*.mem)", "seriesByTag('name=disk.used', 'dc=a')")
    assert [one["target"] for one in found] == [
        "web.h1.cpu A",
        "web.h2.cpu A",
        "sumSeries(web.*.mem) B",
        "disk.used;dc=a;host=h1 C",
    ]
    for one in found:
        assert re.search(r" [A-Z]$", one["target"])
        assert 0 < len(one["datapoints"]) <= 100
        assert all(NOW_S - 3700 < time <= NOW_S + 60 for _, time in one["datapoints"])
    assert found[3]["tags"]["dc"] == "a"
    assert all(isinstance(value, (str, int, float)) for one in found for value in one["tags"].values())


def test_a_panel_of_an_absolute_range_asks_in_epoch_seconds(grafana: TestClient) -> None:
    (one,) = query(grafana, "web.h1.cpu", since=str(NOW_S - 601), until=str(NOW_S - 299), points=1000)
    assert [time for _, time in one["datapoints"]] == list(range(NOW_S - 600, NOW_S - 290, 10))


def test_queries_that_name_others_come_with_these_put_in(grafana: TestClient) -> None:
    found = query(grafana, "scale(web.h1.cpu, 1)", "diffSeries(scale(web.h1.cpu, 1), web.h1.cpu)")
    assert {value for value, _ in found[1]["datapoints"]} <= {0.0, None}


def test_alerts_ask_for_one_query_and_take_tags_and_points(grafana: TestClient) -> None:
    form = {"from": str(NOW_S - 600), "until": str(NOW_S), "format": "json", "maxDataPoints": "500"}
    answer = grafana.post("/render", data=form | {"target": "averageSeries(web.*.cpu)"})
    (one,) = answer.json()
    assert set(one) >= {"target", "datapoints", "tags"}
    assert answer.headers["content-type"].startswith("application/json")


def test_the_data_source_tests_itself_by_a_constant(grafana: TestClient) -> None:
    form = {"target": "constantLine(100)", "from": "-1h", "until": "now", "format": "json", "maxDataPoints": "300"}
    (one,) = grafana.post("/render", data=form).json()
    assert {value for value, _ in one["datapoints"]} == {100.0}


def test_a_query_that_is_wrong_is_a_failure_with_a_sentence(grafana: TestClient) -> None:
    answer = grafana.post(
        "/render", data={"target": "sumSeries(web.*", "from": "-1h", "until": "now", "format": "json"}
    )
    assert answer.status_code == 400
    assert "column" in answer.json()["error"]


def test_the_version_is_one_that_it_knows(grafana: TestClient) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", grafana.get("/version").text.strip())


def test_the_editor_is_made_of_the_functions(grafana: TestClient) -> None:
    text = grafana.get("/functions").text
    functions = json.loads(re.sub(r'"default": ?Infinity', '"default": 1e9999', text))
    kinds = set()
    for name, one in functions.items():
        assert one["name"] == name and one["group"] and one["description"] is not None
        for parameter in one["params"]:
            kinds.add(parameter["type"])
            assert parameter["name"]
            assert not parameter.get("options") or all(isinstance(option, str) for option in parameter["options"])
    assert functions["movingAverage"]["params"][0]["type"] == "seriesList"
    assert kinds >= {"seriesList", "float", "integer", "string", "boolean", "nodeOrTag", "intOrInterval"}


def test_the_tree_opens_level_by_level(grafana: TestClient) -> None:
    def level(path: str) -> list[tuple[str, int]]:
        span = {"from": "-6h", "until": "now"}
        found = grafana.post("/metrics/find", params=span, data={"query": path}).json()
        return [(one["text"], one["expandable"]) for one in found]

    assert level("*")[-1] == ("web", 1)
    assert level("web.*") == [("h1", 1), ("h2", 1)]
    assert level("web.h1.*") == [("cpu", 0), ("mem", 0)]
    assert level("web.*h*.*cp*") == [("cpu", 0)]


def test_variables_expand_paths_and_complete_tags(grafana: TestClient) -> None:
    span = {"from": "-6h", "until": "now"}
    expanded = grafana.get("/metrics/expand", params={"query": "web.*.cpu", **span}).json()
    assert expanded["results"] == ["web.h1.cpu", "web.h2.cpu"]

    def complete(what: str, *pairs: tuple[str, str]) -> list[str]:
        found: list[str] = grafana.get(f"/tags/autoComplete/{what}", params=[*pairs, ("limit", "10000")]).json()
        return found

    assert complete("tags", ("expr", "name=disk.used")) == ["dc", "host"]
    assert complete("tags", ("expr", "name=disk.used"), ("expr", "dc=a"), ("tagPrefix", "h")) == ["host"]
    assert complete("values", ("expr", "name=disk.used"), ("tag", "host")) == ["h1", "h2"]
    assert complete("values", ("expr", "dc=b"), ("tag", "host"), ("valuePrefix", "h")) == ["h2"]
    assert [one["tag"] for one in grafana.get("/tags").json()] == ["dc", "host", "name"]
    assert [one["value"] for one in grafana.get("/tags/host").json()["values"]] == ["h1", "h2"]


def test_annotations_are_events_by_their_tags(grafana: TestClient) -> None:
    span = {"from": "-1h", "until": "now"}
    found = grafana.get("/events/get_data", params={**span, "tags": "deploy shop"}).json()
    assert [(one["when"], one["what"], one["tags"], one["data"]) for one in found] == [
        (NOW_S - 600, "deployed shop 4.2", ["deploy", "shop"], "by ann")
    ]
    epoch = {"from": str(NOW_S - 400), "until": str(NOW_S)}
    assert [one["what"] for one in grafana.get("/events/get_data", params={**epoch, "tags": "shop"}).json()] == [
        "restarted"
    ]


def test_annotations_are_points_of_a_query(grafana: TestClient) -> None:
    form = {"target": 'events("shop")', "from": "-1h", "until": "now", "format": "json", "maxDataPoints": "100"}
    (one,) = grafana.post("/render", data=form).json()
    marked = [(value, time) for value, time in one["datapoints"] if value]
    assert [value for value, _ in marked] == [1.0, 1.0]
    assert [abs(time - at) < 40 for (_, time), at in zip(marked, (NOW_S - 600, NOW_S - 300), strict=True)] == [
        True,
        True,
    ]
