"""The names that StatsD makes, and what its events said, over HTTP."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.dogstatsd import event_of
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.parse.events import EVENTS_KEPT, EventJournal
from tallystick.query import QueryLimits
from tallystick.query.statsd_names import Marks, Naming, StatsdView
from tallystick.store.memory import MemoryStore
from tallystick.web.api import api_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.graphite import graphite_routes
from tallystick.web.statsd import statsd_routes

NOW_S = 1_700_000_000


@pytest.fixture
def journal() -> EventJournal:
    return EventJournal()


@pytest.fixture
def client(journal: EventJournal) -> Iterator[TestClient]:
    clock, limits = ManualClock(float(NOW_S)), QueryLimits()
    store = MemoryStore(clock=clock)
    ids = store.create(["hits", "took;host=a", "level"], [Kind.COUNTER, Kind.TIMING, Kind.GAUGE])
    for series, kind in zip(ids.tolist(), (Kind.COUNTER, Kind.TIMING, Kind.GAUGE), strict=True):
        times = [(NOW_S - 20) * 1000, (NOW_S - 19) * 1000, (NOW_S - 10) * 1000]
        store.append(SampleBatch.of([series] * 3, times, [1.0, 3.0, 5.0], kind=int(kind)))
    marks = Marks(store)
    marks.note(ids[:2])
    view = StatsdView(store, marks, Naming(idle_s=60), clock)
    routes = [
        *graphite_routes(view, limits, clock),
        *api_routes(view, limits, clock),
        *statsd_routes(journal),
    ]
    with TestClient(Starlette(routes=routes, exception_handlers=exception_handlers)) as client:
        yield client


def test_the_tree_has_them(client: TestClient) -> None:
    def found(query: str) -> list[str]:
        answer = client.get("/metrics/find", params={"query": query, "format": "json"}).json()
        return [node["path"] for node in answer]

    assert found("*") == ["hits", "level", "stats", "stats_counts", "took;host=a"]
    assert found("stats.*") == ["stats.hits", "stats.timers"]  # no gauges: the only one did not come by StatsD
    assert found("stats.timers.*") == ["stats.timers.took"]
    assert "stats.timers.took.upper_90;host=a" in found("stats.timers.took.*")
    answer = client.get("/metrics/expand", params={"query": "stats*.hits", "leavesOnly": "1"}).json()
    assert answer == {"results": ["stats.hits", "stats_counts.hits"]}


def test_tags_find_them_by_name(client: TestClient) -> None:
    answer = client.get("/tags/findSeries", params={"expr": ["name=stats.timers.took.mean", "host=a"]}).json()
    assert answer == ["stats.timers.took.mean;host=a"]
    keys = client.get("/tags/autoComplete/tags", params={"expr": "name=stats.timers.took.mean"}).json()
    assert keys == ["host"]


def test_our_own_reads_know_them(client: TestClient) -> None:
    asked = {"target": "stats_counts.hits", "from": str(NOW_S - 21), "until": str(NOW_S - 10), "meta": "1"}
    (line,) = client.get("/api/query", params=asked).json()["series"]
    assert line["values"] == [4.0, 5.0]
    assert (line["min"], line["max"], line["kind"]) == ([4.0, 5.0], [4.0, 5.0], "gauge")
    assert line["meta"]["statistic"] == "sum"
    asked |= {"target": "stats.timers.took.*;host=a", "statistics": "default,max", "step": "20"}
    rows = client.get("/api/query", params=asked).json()["series"]
    assert {row["name"].partition(";")[0].rpartition(".")[2] for row in rows} >= {"mean", "upper_90", "count_ps"}
    (known,) = client.get("/api/series", params={"query": "stats.timers.took.std;*"}).json()["series"]
    assert known["tags"] == {"name": "stats.timers.took.std", "host": "a"}
    assert known["last_seen_s"] == NOW_S - 10
    assert client.get("/api/parts", params={"query": "stats.hits"}).json()["parts"]


def test_the_last_events_can_be_read_newest_first(client: TestClient, journal: EventJournal) -> None:
    for k in range(EVENTS_KEPT + 5):
        journal.note(event_of(f"_e{{1,4}}:{k % 10}|a\\nb|d:{k + 1}|h:web|t:error|#x:y,z".encode()))
    events = client.get("/api/statsd/events").json()["events"]
    assert len(events) == EVENTS_KEPT
    assert events[0] == {
        "title": "4",
        "text": "a\nb",
        "time_s": EVENTS_KEPT + 5,
        "host": "web",
        "type": "error",
        "priority": "",
        "source": "",
        "key": "",
        "tags": ["x:y", "z"],
    }


def test_what_stands_in_a_message_is_no_field_of_an_event() -> None:
    event = event_of(b"_e{1,1}:a|b|d:17|m:all|d:soon")
    assert (event.time_s, event.title, event.text) == (17, "a", "b")
