"""OpenTSDB's questions over HTTP: the worked examples of its documentation, and its words for what goes wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

import posting
from opentsdb_store import BEGIN_S, NOW_S, client_of, filled

A, B = "cpu;host=a", "cpu;host=b"


def dps(answer: list[dict[str, Any]]) -> dict[int, float]:
    """The points of the only answer, by seconds from the beginning."""
    (one,) = answer
    return {int(at) - BEGIN_S: value for at, value in one["dps"].items()}


def row(values: list[float | None], step_s: int = 10) -> dict[int, float]:
    return {step_s * k: value for k, value in enumerate(values) if value is not None}


@pytest.fixture(scope="module")
def fleet() -> Iterator[TestClient]:
    """Hosts of two centres, an untagged series, and one that Graphite's senders tagged."""
    names = [f"sys.cpu;dc={dc};host=web{k}" for k, dc in enumerate(["lax", "lax", "dal"])]
    series = {name: row([k + 1.0, k + 2.0, k + 4.0]) for k, name in enumerate(names)}
    series |= {"sys.cpu;host=WEB9": row([100.0]), "plain.name": row([7.0, 7.5])}
    with client_of(filled(series)) as client:
        yield client


def ask(client: TestClient, m: str, **more: Any) -> Any:
    answer = client.get("/api/query", params={"start": BEGIN_S, "end": BEGIN_S + 3600, "m": m} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(client: TestClient, *queries: dict[str, Any], **more: Any) -> Any:
    body = {"start": BEGIN_S, "end": BEGIN_S + 3600, "queries": queries} | more
    answer = client.post("/api/query", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_series_that_line_up_are_summed_as_in_the_documentation() -> None:
    store = filled({A: row([5, 5, 10, 15, 20, 5]), B: row([10, 5, 20, 15, 10, 0])})
    with client_of(store) as client:
        assert dps(ask(client, "sum:cpu")) == row([15, 10, 30, 30, 30, 5])


@pytest.mark.parametrize(
    ("aggregator", "expected"),
    [
        ("sum", [10, 20, 30, 30, 20, 20, 20]),
        ("avg", [10, 10, 15, 15, 10, 10, 20]),
        ("max", [10, 15, 20, 15, 10, 15, 20]),
        ("zimsum", [10, 5, 20, 15, 10, 5, 20]),
        ("mimmin", [10, 5, 20, 15, 10, 5, 20]),
        ("mimmax", [10, 5, 20, 15, 10, 5, 20]),
        ("pfsum", [10, 15, 25, 35, 25, 15, 20]),
        ("count", [1, 2, 2, 2, 2, 2, 1]),
    ],
)
def test_series_that_do_not_line_up_are_joined_as_in_the_documentation(aggregator: str, expected: list[float]) -> None:
    store = filled({A: row([None, 5, None, 15, None, 5, None]), B: row([10, None, 20, None, 10, None, 20])})
    with client_of(store) as client:
        assert dps(ask(client, f"{aggregator}:cpu")) == row(expected)


def test_buckets_of_half_a_minute_are_those_of_the_documentation() -> None:
    store = filled({A: row([5, 5, 10, 15, 20, 5, 1]), B: row([10, 5, 20, 15, 10, 0, 5])})
    with client_of(store) as client:
        assert dps(ask(client, "sum:30s-sum:cpu")) == row([55, 65, 6], 30)
        assert dps(ask(client, "sum:0all-sum:cpu")) == {0: 126}


def test_empty_buckets_are_what_the_fill_policy_says() -> None:
    store = filled({A: row([1, None, 3, None]), B: row([None, None, 5, None])})
    with client_of(store) as client:
        for policy, expected in (
            ("none", {0: 1, 20: 8}),
            ("zero", {0: 1, 10: 0, 20: 8, 30: 0}),
            ("nan", {0: 1, 10: "NaN", 20: 8, 30: "NaN"}),
            ("null", {0: 1, 10: None, 20: 8, 30: None}),
        ):
            found = ask(client, f"sum:10s-avg-{policy}:cpu", end=BEGIN_S + 30)
            assert dps(found) == expected, policy


def test_a_rate_is_the_change_per_second_and_a_counter_may_turn_over() -> None:
    with client_of(filled({A: row([10, 30, 5, 15])})) as client:
        assert dps(ask(client, "sum:rate:cpu")) == {10: 2, 20: -2.5, 30: 1}
        assert dps(ask(client, "sum:rate{counter,35}:cpu")) == {10: 2, 20: 1, 30: 1}
        assert dps(ask(client, "sum:rate{counter,1000,50}:cpu")) == {10: 2, 20: 0, 30: 1}
        assert dps(ask(client, "sum:rate{dropcounter}:cpu")) == {10: 2, 30: 1}
        body = {"aggregator": "sum", "metric": "cpu", "rate": "true", "rateOptions": {"counter": True, "dropResets": 1}}
        assert dps(post(client, body)) == {10: 2, 30: 1}


def test_days_are_those_of_the_zone_where_the_calendar_is_asked_for() -> None:
    # Midnight in Vienna on the 1st of January 2013 is an hour before that of UTC, where the range begins.
    with client_of(filled({A: {-3600: 1.0, 0: 2.0, 22 * 3600: 4.0, 23 * 3600: 8.0}})) as client:
        more = {"start": BEGIN_S - 86400, "end": BEGIN_S + 86400, "timezone": "Europe/Vienna"}
        found = post(client, {"aggregator": "sum", "metric": "cpu", "downsample": "1dc-sum"}, **more)
        assert dps(found) == {-3600: 7.0, 23 * 3600: 8.0}
        found = post(
            client, {"aggregator": "sum", "metric": "cpu", "downsample": "1d-sum"}, **more | {"timezone": None}
        )
        assert dps(found) == {-86400: 1.0, 0: 14.0}


def test_tags_group_and_filter(fleet: TestClient) -> None:
    def found(m: str) -> list[tuple[dict[str, str], list[str], list[float]]]:
        return [(one["tags"], one["aggregateTags"], list(one["dps"].values())) for one in ask(fleet, m)]

    assert found("sum:sys.cpu{dc=lax}") == [({"dc": "lax"}, ["host"], [3, 5, 9])]
    assert found("sum:sys.cpu{dc=*}") == [
        ({"dc": "dal", "host": "web2"}, [], [3, 4, 6]),
        ({"dc": "lax"}, ["host"], [3, 5, 9]),
    ]
    assert found("sum:sys.cpu{}{host=literal_or(web0|web2)}") == [({}, ["dc", "host"], [4, 6, 10])]
    assert [tags["host"] for tags, _, _ in found("none:sys.cpu{}{host=wildcard(web*)}")] == ["web2", "web0", "web1"]
    assert len(found("none:sys.cpu{host=we*}")) == 4  # a glob alone takes capitals for small letters
    assert found("sum:sys.cpu{host=iliteral_or(web9)}") == [({"host": "WEB9"}, [], [100])]
    assert found("sum:sys.cpu{}{dc=not_key()}") == [({"host": "WEB9"}, [], [100])]
    assert found("sum:sys.cpu{}{dc=not_literal_or(lax),host=regexp(b[29]$)}") == [
        ({"dc": "dal", "host": "web2"}, [], [3, 4, 6])
    ]
    assert found("sum:explicit_tags:sys.cpu{host=*}") == [({"host": "WEB9"}, [], [100])]
    assert found("sum:sys.cpu{host=nobody}") == []
    assert found("sum:plain.name") == [({}, [], [7, 7.5])]


def test_what_is_told_beside_the_points_is_what_is_asked_for(fleet: TestClient) -> None:
    (one,) = ask(fleet, "sum:1m-avg:plain.name", arrays="", ms="", show_query="", show_tsuids="", show_stats="")
    assert one["dps"] == [[1000 * BEGIN_S, 7.25]]
    assert (one["query"]["index"], one["query"]["downsample"], one["query"]["rate"]) == (0, "1m-avg", False)
    assert len(one["tsuids"]) == 1
    assert one["stats"] == {"queryIndex": 0, "emittedDPs": 1}
    found = ask(fleet, "sum:plain.name", show_summary="")
    assert found[-1]["statsSummary"]["emittedDPs"] == 2
    jsonp = fleet.get("/api/query", params={"start": BEGIN_S, "m": "sum:plain.name", "jsonp": "draw"}).text
    assert jsonp.startswith("draw([")


def test_moments_are_read_in_all_of_its_spellings(fleet: TestClient) -> None:
    for start in (
        BEGIN_S,
        f"{BEGIN_S}",
        f"{BEGIN_S}000",
        f"{BEGIN_S}.000",
        f"{BEGIN_S}000ms",
        "2013/01/01",
        "2013/01/01-00:00",
        "2013/01/01 00:00:00",
        f"{NOW_S - BEGIN_S}s-ago",
    ):
        assert dps(post(fleet, {"aggregator": "sum", "metric": "plain.name"}, start=start, end="now")) == row([7, 7.5])


def test_events_are_global_annotations(fleet: TestClient) -> None:
    query = {"aggregator": "sum", "metric": "plain.name"}
    (one,) = post(fleet, query, globalAnnotations=True)
    (note,) = one["globalAnnotations"]
    assert (note["description"], note["startTime"]) == ("deploy 7", BEGIN_S + 60)
    assert "globalAnnotations" not in post(fleet, query)[0]
    assert "globalAnnotations" not in post(fleet, query, globalAnnotations=True, noAnnotations=True)[0]
    assert fleet.get("/api/annotations", params={"start_time": BEGIN_S}).json() == [note]


def test_names_are_suggested_and_looked_up(fleet: TestClient) -> None:
    def suggested(**asked: object) -> list[str]:
        return fleet.get("/api/suggest", params=asked).json()

    assert suggested(type="metrics") == ["plain.name", "sys.cpu"]
    assert suggested(type="metrics", q="sys") == ["sys.cpu"]
    assert suggested(type="tagk", q="") == ["dc", "host"]
    assert suggested(type="tagv", q="web", max=2) == ["web0", "web1"]
    assert fleet.post("/api/suggest", json={"type": "tagv", "q": "l", "max": 5}).json() == ["lax"]

    found = fleet.get("/api/search/lookup", params={"m": "sys.cpu{dc=*}", "limit": 2}).json()
    assert (found["type"], found["metric"], found["totalResults"], found["startIndex"]) == ("LOOKUP", "sys.cpu", 3, 0)
    assert [one["tags"] for one in found["results"]] == [{"dc": "dal", "host": "web2"}, {"dc": "lax", "host": "web0"}]
    by_value = fleet.get("/api/search/lookup", params={"m": "{*=WEB9}"}).json()
    assert [one["tags"] for one in by_value["results"]] == [{"host": "WEB9"}]
    posted = fleet.post("/api/search/lookup", json={"metric": "sys.cpu", "tags": [{"key": "host", "value": "web1"}]})
    assert [one["metric"] for one in posted.json()["results"]] == ["sys.cpu"]
    unknown = fleet.get("/api/search/lookup", params={"m": "nothing"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, 404)


def test_the_last_point_of_each_series_is_told(fleet: TestClient) -> None:
    asked = {"timeseries": "sys.cpu{dc=lax}", "resolve": "true"}
    found = fleet.get("/api/query/last", params=asked).json()
    assert [(one["tags"]["host"], one["timestamp"], one["value"]) for one in found] == [
        ("web0", 1000 * (BEGIN_S + 20), "4"),
        ("web1", 1000 * (BEGIN_S + 20), "5"),
    ]
    assert found[0]["metric"] == "sys.cpu"
    bare = fleet.post("/api/query/last", json={"queries": [{"metric": "plain.name"}]}).json()
    assert [(one.keys(), one["value"]) for one in bare] == [({"timestamp", "value", "tsuid"}, "7.5")]
    assert fleet.get("/api/query/last", params=asked | {"back_scan": 1}).json() == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"m": "sum:nothing"}, "No such name for 'metrics': 'nothing'"),
        ({"m": "sum:nothing{a=b}"}, "No such name for 'metrics': 'nothing'"),
        ({"m": "sums:sys.cpu"}, "No such aggregation function: sums"),
        ({"m": "sys.cpu"}, "Invalid parameter m=sys.cpu"),
        ({"m": "sum:1m-none:sys.cpu"}, "No such downsampling function: none"),
        ({"m": "sum:1m-avg-some:sys.cpu"}, "No such fill policy: 'some'"),
        ({"m": "sum:1q-avg:sys.cpu"}, "Invalid duration: '1q'"),
        ({"m": "sum:0m-avg:sys.cpu"}, "Invalid duration: '0m'"),
        ({"m": "sum:sys.cpu{host=some(a)}"}, "Could not find a tag value filter of the type: 'some'"),
        ({"m": "sum:sys.cpu{host=regexp(()}"}, "regular expression"),
        ({"m": "sum:sys.cpu{host"}, "Missing '}'"),
        ({"m": "sum:rate{counter,x}:sys.cpu"}, "cannot read rate{counter,x}"),
        ({"m": "sum:sys.cpu", "start": "yesterday"}, "Invalid time: 'yesterday'"),
        ({"m": "sum:sys.cpu", "start": ""}, "Missing start time"),
        ({"m": "sum:sys.cpu", "end": BEGIN_S - 1}, "End time"),
        ({"m": "sum:sys.cpu", "tz": "Mars"}, "cannot use time zone 'Mars'"),
        ({"tsuid": "sum:000001"}, "cannot find series by tsuids"),
        ({"m": "sum:1s-avg-zero:sys.cpu", "start": 0}, "more than the limit points_max"),
    ],
)
def test_what_goes_wrong_is_told_in_its_words(fleet: TestClient, asked: dict[str, Any], message: str) -> None:
    answer = fleet.get("/api/query", params={"start": BEGIN_S} | asked)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["code"] == 400
    assert error["message"].startswith(message) or message in error["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"start": "1h-ago"}', 400),
        (b'{"start": "1h-ago", "queries": [{"aggregator": "sum"}]}', 400),
        (b'{"start": "1h-ago", "queries": [{"metric": "sys.cpu"}]}', 400),
        (b'{"start": "1h-ago", "queries": [{"aggregator": "sum", "tsuids": ["01"]}]}', 400),
        (b'{"start": "1h-ago", "delete": true, "queries": [{"aggregator": "sum", "metric": "sys.cpu"}]}', 400),
        (b'{"start": "1h-ago", "unknown": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400),
        (b'{"start": "%s"}' % (b"1" * (1 << 20)), 413),
    ],
)
def test_a_body_that_cannot_be_used_is_refused_in_the_same_shape(fleet: TestClient, body: bytes, status: int) -> None:
    answer = fleet.post("/api/query", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, status)


def test_what_is_not_there_says_what_is_instead(fleet: TestClient) -> None:
    for path in ("/api/dropcaches", "/api/uid/assign", "/api/query/gexp", "/api/tree", "/q"):
        answer = fleet.get(path)
        assert answer.status_code == 501
        assert "not supported" in answer.json()["error"]["message"]


def test_who_has_no_token_reads_on_this_machine_only_and_puts_from_anywhere() -> None:
    store = filled({A: row([1.0])})
    point = {"metric": "new", "timestamp": posting.NOW_S, "value": 1, "tags": {"a": "b"}}
    with client_of(store, token="secret", peer="192.0.2.7") as stranger:
        assert stranger.get("/api/query", params={"start": BEGIN_S, "m": "sum:cpu"}).status_code == 401
        assert stranger.get("/api/suggest", params={"type": "metrics"}).status_code == 401
        assert stranger.get("/api/version").status_code == 200
        assert stranger.post("/api/put", json=point).status_code == 204
        trusted = {"authorization": "Bearer secret"}
        assert stranger.get("/api/suggest", params={"type": "metrics"}, headers=trusted).json() == ["cpu", "new"]
    with client_of(store) as own:
        assert own.get("/api/suggest", params={"type": "tagk"}).status_code == 200
        page = {"origin": "http://evil.example"}
        assert own.get("/api/suggest", params={"type": "tagk"}, headers=page).status_code == 401
        assert own.post("/api/put", json=point, headers=page).status_code == 403
