"""What programs ask over HTTP: columns by Arrow or JSON, and what is known of series; on the store in memory."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tallystick.model.clock import ManualClock
from tallystick.model.grid import Row
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import QueryLimits
from tallystick.query.table import Table
from tallystick.render import as_arrow
from tallystick.store.memory import MemoryStore
from tallystick.web.api import api_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.graphite import graphite_routes

NOW_S = 1_700_000_000
ARROW = as_arrow.MEDIA_TYPE


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    ids = store.create(["web.a", "web.b", "disk;dc=a"], [Kind.GAUGE, Kind.TIMING, Kind.COUNTER])
    for series in ids.tolist():
        times = np.arange(NOW_S - 120, NOW_S, 5, dtype=np.int64)
        store.append(SampleBatch.of(np.full(24, series), times * 1000, np.arange(24.0) + 100 * series))
    clock, limits = ManualClock(float(NOW_S)), QueryLimits(series_max=5, points_max=1000)
    routes = [*api_routes(store, limits, clock), *graphite_routes(store, limits, clock)]
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    with TestClient(app) as client:
        yield client


def read(body: bytes) -> tuple[dict[bytes, bytes], dict[str, list[object]]]:
    table = pa.ipc.open_stream(body).read_all()
    return table.schema.metadata, table.to_pydict()


def test_who_takes_arrow_gets_a_row_for_each_series(client: TestClient) -> None:
    params = {"target": "web.*", "from": "-30s", "statistics": "min,max,p50"}
    answer = client.get("/api/query", params=params, headers={"accept": ARROW})
    assert answer.headers["content-type"] == ARROW, answer.text
    told, columns = read(answer.content)
    assert told == {b"start": b"%d" % (NOW_S - 20), b"step": b"10", b"series": b"2"}
    assert columns["name"] == ["web.a", "web.b"]
    assert columns["tags"] == [[("name", "web.a")], [("name", "web.b")]]
    assert columns["kind"] == ["gauge", "timing"]
    assert columns["kept_s"] == [864000, 864000]
    np.testing.assert_array_equal(columns["min"], [[20, 22, np.nan], [120, 122, np.nan]])
    np.testing.assert_array_equal(columns["max"], [[21, 23, np.nan], [121, 123, np.nan]])
    np.testing.assert_array_equal(columns["p50"], [[np.nan] * 3, [120, 122, np.nan]])


def test_a_form_works_as_an_address_does(client: TestClient) -> None:
    fields = {"target": ["sumSeries(web.*)", "web.a"], "from": "-60s", "statistics": ["max"], "step": "30"}
    told, columns = read(client.post("/api/query", data=fields | {"format": "arrow"}).content)
    assert told[b"step"] == b"30"
    assert columns["name"] == ["sumSeries(web.*)", "web.a"]
    assert columns["kind"] == [None, "gauge"]
    assert columns["kept_s"] == [None, 864000]
    assert read(client.get("/api/query", params=fields | {"format": "arrow"}).content) == (told, columns)


def test_statistics_come_as_json_too(client: TestClient) -> None:
    params = {"target": "web.a", "from": "-30s", "statistics": ["count", "avg"]}
    assert client.get("/api/query", params=params).json()["series"] == [
        {
            "name": "web.a",
            "tags": {"name": "web.a"},
            "kind": "gauge",
            "start": NOW_S - 20,
            "step": 10,
            "kept_s": 864000,
            "statistics": {"count": [2.0, 2.0, None], "avg": [20.5, 22.5, None]},
        }
    ]


def test_a_series_says_where_its_values_come_from_if_asked(client: TestClient) -> None:
    params = {"target": ["web.a", "sumSeries(web.*)"], "from": "-60s", "step": "30", "meta": "1"}
    plain, made = client.get("/api/query", params=params).json()["series"]
    start, until = plain["start"], plain["start"] + 30 * len(plain["values"])
    part = {"start": start, "until": until, "step": 10, "kept_s": 864000, "expires": start + 10 + 864000}
    assert plain["meta"] == {"statistic": "avg", "retention": "10s:10d,1m:30d,5m:90d,1h:2y", "parts": [part]}
    assert made["meta"] == {}  # nobody said anything of what it is made of
    assert "meta" not in client.get("/api/query", params={"target": "web.a", "from": "-60s"}).json()["series"][0]


def test_a_band_can_have_a_step(client: TestClient) -> None:
    (line,) = client.get("/api/query", params={"target": "web.a", "from": "-60s", "step": "30"}).json()["series"]
    assert (line["step"], line["start"] % 30) == (30, 0)
    assert line["max"][0] == 19.0


def test_render_writes_arrow_with_one_time_line(client: TestClient) -> None:
    params = {"target": ["web.a", "summarize(web.b,'1min')"], "from": "-2min", "format": "arrow"}
    answer = client.get("/render", params=params)
    assert answer.headers["content-type"] == ARROW, answer.text
    told, columns = read(answer.content)
    assert told[b"step"] == b"60"
    assert columns["kind"] == [None, None]
    assert len(columns["default"]) == 2
    told, columns = read(client.get("/render?target=no.such&format=arrow").content)
    assert (told[b"series"], columns["name"]) == (b"0", [])


@pytest.mark.parametrize(
    ("path", "params", "says"),
    [
        ("/api/query", {"target": "web.*", "format": "xml"}, "expected one of arrow, columns, events, json"),
        ("/api/query", {"target": "web.*", "statistics": "best"}, "best"),
        ("/api/query", {"target": "web.*", "step": "-1"}, "step"),
        ("/api/query", {"target": "web.*", "format": "arrow", "from": "-9d"}, "points_max"),
        ("/api/query", {"target": "f(", "format": "arrow"}, "column"),
        ("/api/query", {"format": "arrow"}, "target"),
        ("/api/series", {}, "either a path"),
        ("/api/series", {"query": "web.*", "expr": "dc=a"}, "either a path"),
        ("/api/series", {"query": "web.{"}, "glob"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence_and_no_stream(
    client: TestClient, path: str, params: dict[str, str], says: str
) -> None:
    answer = client.get(path, params=params, headers={"accept": ARROW})
    assert answer.status_code == 400
    assert says in answer.json()["error"]


def test_series_are_described(client: TestClient) -> None:
    retention = [[10, 864000], [60, 2592000], [300, 7776000], [3600, 63072000]]
    (known,) = client.get("/api/series", params={"expr": "dc=a"}).json()["series"]
    assert (known["name"], known["tags"], known["kind"]) == ("disk;dc=a", {"name": "disk", "dc": "a"}, "counter")
    assert (known["retention"], known["last_seen_s"]) == (retention, NOW_S - 10)
    found = client.post("/api/series", data={"query": "web.*"}).json()["series"]
    assert [(one["name"], one["kind"]) for one in found] == [("web.a", "gauge"), ("web.b", "timing")]
    assert client.get("/api/series?query=no.such").json() == {"series": []}


def test_a_large_table_is_written_in_parts_of_about_a_megabyte() -> None:
    values = np.arange(1000 * 2160, dtype=np.float64).reshape(1000, 2160)
    rows = tuple(Row(f"a.{i}", f"a.{i}") for i in range(1000))
    table = Table(rows, 0, 10, {"max": values}, (None,) * 1000)
    body = as_arrow.rendered_table(table).body
    assert not isinstance(body, bytes)
    parts = list(body)
    assert max(map(len, parts)) < 1_500_000
    read_back = pa.ipc.open_stream(b"".join(parts)).read_all()
    np.testing.assert_array_equal(read_back["max"].combine_chunks().flatten().to_numpy().reshape(1000, 2160), values)
