"""What readers ask over HTTP, on the store in memory."""

import json
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from tallystick.model.clock import ManualClock
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import FUNCTIONS, QueryLimits
from tallystick.store.memory import MemoryStore
from tallystick.web.api import api_routes
from tallystick.web.errors import exception_handlers
from tallystick.web.graphite import graphite_routes
from tallystick.web.workers import Workers

NOW_S = 1_700_000_000
NAMES = {
    "web.h1.cpu": Kind.GAUGE,
    "web.h1.cpu.idle": Kind.GAUGE,
    "web.h2.cpu": Kind.GAUGE,
    "web.h2.hits": Kind.COUNTER,
    "disk;dc=a;host=h1": Kind.GAUGE,
    "disk;dc=b;host=h2": Kind.GAUGE,
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    for series in store.create(list(NAMES), list(NAMES.values())).tolist():
        times = [*range(NOW_S - 120, NOW_S, 10), *range(NOW_S - 115, NOW_S, 10)]
        values = [float(series + (t % 10)) for t in times]
        store.append(SampleBatch.of([series] * len(times), [t * 1000 for t in times], values))
    clock, limits = ManualClock(float(NOW_S)), QueryLimits(series_max=5)

    async def broken(request: object) -> None:
        raise ZeroDivisionError("a secret")

    async def locked(request: object) -> None:
        raise StoreError("cannot read: the disk is gone")

    routes = [
        *graphite_routes(store, limits, clock),
        *api_routes(store, limits, clock),
        Route("/broken", broken),
        Route("/locked", locked),
    ]
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def points(answer: list[dict[str, object]]) -> dict[str, object]:
    return {one["target"]: one["datapoints"] for one in answer}


def test_render_answers_a_get(client: TestClient) -> None:
    answer = client.get("/render", params={"target": "web.h1.cpu", "from": "-30s", "format": "json"})
    assert answer.headers["content-type"] == "application/json"
    assert points(answer.json()) == {"web.h1.cpu": [[5.0, NOW_S - 20], [5.0, NOW_S - 10], [None, NOW_S]]}


def test_render_answers_a_form_as_grafana_posts_it(client: TestClient) -> None:
    form = {
        "target": ['aliasSub(sumSeries(web.*.cpu), "(^.*$)", "\\1 A")', 'aliasSub(web.h2.hits, "(^.*$)", "\\1 B")'],
        "from": str(NOW_S - 60),
        "until": str(NOW_S),
        "format": "json",
        "maxDataPoints": "2",
    }
    answer = client.post("/render", data=form).json()
    assert [one["target"] for one in answer] == ["sumSeries(web.*.cpu) A", "web.h2.hits B"]
    assert all(len(one["datapoints"]) <= 2 for one in answer)


def test_the_form_wins_over_the_address(client: TestClient) -> None:
    answer = client.post(
        "/render?target=web.h1.cpu&from=-1min&format=json", data={"target[]": "web.h2.cpu", "target": "web.h2.hits"}
    )
    assert set(points(answer.json())) == {"web.h2.hits", "web.h2.cpu"}


@pytest.mark.parametrize(
    ("more", "media_type", "begins"),
    [
        ({"format": "csv", "tz": "Europe/Vienna"}, "text/csv; charset=utf-8", b"web.h1.cpu,2023-11-14 23:13:00,"),
        ({"format": "raw"}, "text/plain; charset=utf-8", b"web.h1.cpu,1699999980,1700000010,10|"),
        ({"rawData": "1"}, "text/plain; charset=utf-8", b"web.h1.cpu,"),
        ({"format": "json", "jsonp": "draw"}, "text/javascript; charset=utf-8", b"draw([{"),
        ({"format": "json", "pretty": "1"}, "application/json", b"[\n  {"),
        ({"format": "dygraph"}, "application/json", b'{"labels" : ["Time","web.h1.cpu"], "data" : [[1699999980000,'),
        ({"format": "rickshaw"}, "application/json", b'[{"target":"web.h1.cpu","datapoints":[{"x":1699999980,"y":'),
        ({"format": "pickle"}, "application/pickle", b"\x80\x02]"),
        ({"pickle": "1"}, "application/pickle", b"\x80\x02]"),
        ({"format": "msgpack"}, "application/x-msgpack", b"\x91\x89\xa4name\xaaweb.h1.cpu"),
        ({}, "image/png", b"\x89PNG\r\n"),
        ({"format": "png"}, "image/png", b"\x89PNG\r\n"),
        ({"format": "svg"}, "image/svg+xml", b"<?xml"),
        ({"format": "svg", "jsonp": "draw"}, "text/javascript; charset=utf-8", b'draw("<?xml'),
        ({"format": "pdf"}, "application/x-pdf", b"%PDF-"),
        ({"graphType": "pie", "format": "json"}, "image/png", b"\x89PNG\r\n"),
    ],
)
def test_render_writes_other_formats(client: TestClient, more: dict[str, str], media_type: str, begins: bytes) -> None:
    answer = client.get("/render/", params={"target": "web.h1.cpu", "from": "-30s"} | more)
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(begins)


def test_what_makes_slices_of_series_is_listed_as_functions_of_pies(client: TestClient) -> None:
    assert list(client.get("/functions?type=pie").json()) == ["average", "maximum", "minimum"]
    assert client.get("/functions/maximum?type=pie").json()["group"] == "Pie"


def test_templates_are_filled_from_the_request(client: TestClient) -> None:
    answer = client.get(
        "/render", params={"target": "template(web.$h.cpu,h='h1')", "template[h]": "h2", "format": "json"}
    )
    assert set(points(answer.json())) == {"web.h2.cpu"}


def test_what_does_not_exist_is_an_empty_list(client: TestClient) -> None:
    assert client.get("/render", params={"target": "no.such", "format": "json"}).json() == []
    assert client.get("/render?format=json").json() == []
    assert client.get("/render").content.startswith(b"\x89PNG")
    assert client.get("/metrics/find", params={"query": "no.such.*"}).json() == []


@pytest.mark.parametrize(
    ("path", "params", "says"),
    [
        ("/render", {"target": "scale(web.h1.cpu"}, "column"),
        ("/render", {"target": "bogus(web.h1.cpu)"}, "unknown function"),
        ("/render", {"target": "web.h1.cpu", "from": "-5m"}, "unit"),
        ("/render", {"target": "web.h1.cpu", "from": "now", "until": "now"}, "empty time range"),
        ("/render", {"target": "web.h1.cpu", "format": "gif"}, "format"),
        ("/render", {"target": "web.h1.cpu", "format": "json", "maxDataPoints": "-1"}, "maxDataPoints"),
        ("/render", {"target": "web.h1.cpu", "width": "99999"}, "width"),
        ("/render", {"target": "web.h1.cpu", "bgcolor": "nocolour"}, "colour"),
        ("/render", {"target": "web.h1.cpu", "areaMode": "some"}, "areaMode"),
        ("/render", {"target": "color(web.h1.cpu,'nocolour')"}, "colour"),
        ("/render", {"target": "web.h1.cpu", "graphType": "bars"}, "graphType"),
        ("/render", {"target": "web.h1.cpu", "graphType": "pie", "pieMode": "most"}, "pie"),
        ("/render", {"target": "a:b", "graphType": "pie"}, "slice"),
        ("/render", {"target": "web.h1.cpu", "tz": "Mars/Olympus"}, "Mars"),
        ("/render", {"target": "web.h1.cpu", "format": "json", "jsonp": "a b"}, "jsonp"),
        ("/render", {"target": "*.*.*", "xFilesFactor": "x"}, "xFilesFactor"),
        ("/render", {"target": ["*.*.*", "disk*", "web.h1.cpu.idle"]}, "series_max"),
        ("/metrics/find", {}, "query"),
        ("/metrics/find", {"query": "a", "format": "xml"}, "xml"),
        ("/metrics/find", {"query": "a.{b"}, "glob"),
        ("/tags/findSeries", {}, "no tag expressions"),
        ("/tags/autoComplete/values", {}, "no tag"),
        ("/tags", {"filter": "("}, "regular expression"),
        ("/metrics/find", {"query": "web.*", "format": "nodelist", "position": "7"}, "position"),
        ("/api/query", {}, "target"),
        ("/api/query", {"target": "f("}, "column"),
        ("/api/search", {"q": "x", "limit": "many"}, "limit"),
    ],
)
def test_a_wrong_request_gets_a_sentence(client: TestClient, path: str, params: dict[str, str], says: str) -> None:
    answer = client.get(path, params=params)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert says in answer.json()["error"]


def test_a_form_that_is_too_large_is_refused(client: TestClient) -> None:
    assert client.post("/render", content=b"target=" + b"a" * (2 << 20)).status_code == 400
    assert client.post("/render", content=b"&".join([b"target=a"] * 3000)).status_code == 400
    assert client.post("/render", content=b"target=\xff").status_code == 400


def test_errors_have_one_shape_and_no_traceback(client: TestClient) -> None:
    for path, status in (("/broken", 500), ("/locked", 503), ("/nothing", 404)):
        answer = client.get(path)
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}
        assert "secret" not in answer.text
    refused = client.delete("/render")
    assert (refused.status_code, set(refused.json())) == (405, {"error"})
    assert "GET" in refused.headers["allow"]


@pytest.mark.anyio
async def test_more_queries_than_may_wait_are_refused() -> None:
    workers = Workers(threads=1, waiting_max=-1)
    with pytest.raises(Exception, match="queries are running"):
        await workers.run(lambda: None)


def test_find_lists_branches_before_leaves_for_a_tree(client: TestClient) -> None:
    found = client.get("/metrics/find", params={"query": "web.h1.*"}).json()
    assert found == [
        {"text": "cpu", "id": "web.h1.cpu", "allowChildren": 1, "expandable": 1, "leaf": 1},
    ]
    found = client.post("/metrics/find", data={"query": "web.*.*"}).json()
    assert [(one["id"], one["expandable"], one["leaf"]) for one in found] == [
        ("web.*.cpu", 1, 1),
        ("web.*.hits", 0, 1),
    ]
    assert [one["text"] for one in client.get("/metrics/find?query=*").json()] == [
        "web",
        "disk;dc=a;host=h1",
        "disk;dc=b;host=h2",
    ]


def test_find_completes_and_lists(client: TestClient) -> None:
    completions = client.get("/metrics/find", params={"query": "web.h1.c", "format": "completer"}).json()
    assert completions == {
        "metrics": [
            {"path": "web.h1.cpu.", "name": "cpu", "is_leaf": "0"},
            {"path": "web.h1.cpu", "name": "cpu", "is_leaf": "1"},
        ]
    }
    several = {"query": "web.h1,h2.h", "format": "completer", "automatic_variants": "1"}
    assert [one["path"] for one in client.get("/metrics/find", params=several).json()["metrics"]] == ["web.h2.hits"]
    nodes = client.get("/metrics/find", params={"query": "web.*", "format": "nodelist"}).json()
    assert nodes == {"nodes": ["h1", "h2"]}
    levels = {"query": "web.*.hits", "format": "nodelist", "position": "1"}
    assert client.get("/metrics/find", params=levels).json() == {"nodes": ["h2"]}
    leaves = client.get("/metrics/find", params={"query": "web.h1.*", "leavesOnly": "1"}).json()
    assert [(one["text"], one["leaf"], one["expandable"]) for one in leaves] == [("cpu", 1, 0)]
    plain = client.get("/metrics/find", params={"query": "web.h2.*", "format": "json"}).json()
    since = [{"start": float(NOW_S - 2 * 365 * 86400), "end": float(NOW_S)}]
    assert plain == [
        {"path": "web.h2.cpu", "is_leaf": True, "intervals": since},
        {"path": "web.h2.hits", "is_leaf": True, "intervals": since},
    ]
    assert client.get("/metrics", params={"query": "web.h2", "format": "json"}).json() == [
        {"path": "web.h2", "is_leaf": False}
    ]
    assert client.get("/metrics/find?query=web.*&wildcards=1").json()[0]["text"] == "*"


def test_expand_and_index_list_names(client: TestClient) -> None:
    assert client.get("/metrics/expand?query=web.*.cpu").json() == {"results": ["web.h1.cpu", "web.h2.cpu"]}
    grouped = client.get("/metrics/expand?query=web.h1.*&query=web.*&groupByExpr=1&leavesOnly=1").json()
    assert grouped == {"results": {"web.h1.*": ["web.h1.cpu"], "web.*": []}}
    assert client.get("/metrics/index.json").json() == sorted(NAMES)


def test_the_version_is_the_one_whose_api_this_is(client: TestClient) -> None:
    assert client.get("/version").text == "1.1.10\n"


def test_functions_are_described_from_their_signatures(client: TestClient) -> None:
    every = client.get("/functions").json()
    assert set(every) == set(FUNCTIONS)
    scale = every["scale"]
    assert (scale["function"], scale["group"]) == ("scale(seriesList, factor)", "Transform")
    assert scale["params"][1] == {"name": "factor", "type": "float", "required": True}
    assert every["keepLastValue"]["params"][1]["default"] == float("inf")
    assert "maxSeries" in every["groupByNode"]["params"][2]["options"]
    assert client.get("/functions/sum").json()["name"] == "sum"
    assert client.get("/functions/bogus").status_code == 404
    assert "scale" in client.get("/functions?grouped=1").json()["Transform"]
    assert all(one["description"] for one in every.values())


def test_tags_are_found_and_completed(client: TestClient) -> None:
    assert client.get("/tags/findSeries?expr=dc=a").json() == ["disk;dc=a;host=h1"]
    assert client.get("/tags/autoComplete/tags").json() == ["dc", "host", "name"]
    assert client.get("/tags/autoComplete/tags?expr=name=disk&tagPrefix=h").json() == ["host"]
    assert client.get("/tags/autoComplete/values?tag=host&expr=dc!=a&expr=name=disk").json() == ["h2"]


def test_a_page_gets_series_with_their_band(client: TestClient) -> None:
    answer = client.get("/api/query", params={"target": "web.h1.cpu", "from": "-30s", "points": "100"}).json()
    assert answer["from"] == NOW_S - 30
    assert answer["until"] == NOW_S
    assert answer["series"] == [
        {
            "name": "web.h1.cpu",
            "target": "web.h1.cpu",
            "kind": "gauge",
            "start": NOW_S - 20,
            "step": 10,
            "values": [5.0, 5.0, None],
            "kept_s": 864000,
            "min": [0.0, 0.0, None],
            "max": [5.0, 5.0, None],
        }
    ]


def test_a_band_goes_with_names_and_order_but_not_with_other_values(client: TestClient) -> None:
    targets = ["aliasByNode(web.*.cpu,1)", "scale(web.h1.cpu,2)", "stat(web.h1.cpu,'max')"]
    series = client.get("/api/query", params={"target": targets, "from": "-60s"}).json()["series"]
    assert [(one["name"], one["target"], "min" in one) for one in series] == [
        ("h1", targets[0], True),
        ("h2", targets[0], True),
        ("scale(web.h1.cpu,2)", targets[1], False),
        ('stat(web.h1.cpu,"max")', targets[2], False),
    ]
    assert all(one["kind"] is None for one in series)


def test_a_page_gets_no_more_slots_than_points(client: TestClient) -> None:
    answer = client.get("/api/query", params={"target": ["web.h1.cpu", "web.*.*"], "from": "-2min", "points": "4"})
    series = answer.json()["series"]
    assert series[0]["step"] == 30
    assert all(len(one[key]) <= 4 for one in series for key in ("values", "min", "max"))
    assert {one["kind"] for one in series} == {"gauge", "counter"}


def test_names_are_searched_by_words(client: TestClient) -> None:
    assert client.get("/api/search?q=H1 cpu").json() == {"names": ["web.h1.cpu", "web.h1.cpu.idle"]}
    assert client.get("/api/search?q=cpu&limit=1").json() == {"names": ["web.h1.cpu"]}


def test_no_answer_is_anything_but_strict_json(client: TestClient) -> None:
    def refuse(text: str) -> float:
        raise AssertionError(text)

    for path in ("/functions", "/api/query?target=web.*.*", "/render?target=pow(web.*.*,-1)&from=-1min&format=json"):
        json.loads(client.get(path).content, parse_constant=refuse)
