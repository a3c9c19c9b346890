"""istatd's API: the vectors of its own functional tests, and what its front-end asks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tallystick.described import Descriptions
from tallystick.events import EventStore
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.query import QueryLimits
from tallystick.store.memory import MemoryStore
from tallystick.web.istatd import SettingsStore, make_istatd_app
from tallystick.web.reading import Reads
from tallystick.web.workers import Workers

RULES = (RetentionRule("*", Retention.parse("10s:2h,5m:1d,1h:1y")),)
FOO = [*range(1000, 1101, 10), *range(1200, 1301, 10), *range(1390, 1501, 10), *range(1610, 2571, 10)]
"""Slots of istatd's tests, which look at them from 2600 s after 1970 on."""
ICE = range(1010, 1091, 10)
Row = tuple[int, ...]


def stored(clock: ManualClock, series: dict[str, tuple[Kind, dict[int, float]]]) -> MemoryStore:
    store = MemoryStore(RULES, clock)
    for name, (kind, points) in series.items():
        ids = store.create([name], [kind])
        times = [1000 * at for at in points]
        store.append(SampleBatch.of(ids.repeat(len(points)), times, list(points.values()), kind=kind))
    return store


def client_of(store: MemoryStore, now_s: int, directory: Path, token: str = "", **more: Any) -> TestClient:
    clock, limits = ManualClock(float(now_s)), QueryLimits(points_max=1_000_000)
    reads = Reads(store, limits, clock, Workers(limits.workers), EventStore(None, clock), Descriptions(None, clock))
    app = make_istatd_app(reads, SettingsStore(directory), token, more.pop("files", None))
    return TestClient(app, base_url="http://127.0.0.1", client=(more.pop("peer", "127.0.0.1"), 1234))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    clock = ManualClock(2600.0)
    series = {
        "foo.bar": (Kind.GAUGE, dict.fromkeys(FOO, 1.0)),
        "ice.cream.bar": (Kind.GAUGE, dict.fromkeys(ICE, 1.0)),
        "maybe.counter": (Kind.COUNTER, {2590: 1.0}),
        "maybe.gauge": (Kind.GAUGE, {2590: 1.0}),
    }
    with client_of(stored(clock, series), 2600, tmp_path_factory.mktemp("settings")) as client:
        yield client


def get(client: TestClient, **asked: int) -> tuple[int, int, int, list[tuple[int, int]]]:
    """Start, end, interval, and when each bucket begins with how many samples it has, all of which are 1."""
    answer = client.get("/foo.bar", params=asked)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    for bucket in told["buckets"]:
        data = bucket["data"]
        assert (data["min"], data["max"], data["avg"], data["sdev"]) == (1, 1, 1, 0)
        assert data["sum"] == data["sumsq"] == data["count"]
    rows = [(bucket["time"], bucket["data"]["count"]) for bucket in told["buckets"]]
    return told["start"], told["end"], told["interval"], rows


def tens(start: int, end: int) -> list[tuple[int, int]]:
    return [(at, 1) for at in range(start, end, 10) if at in FOO]


@pytest.mark.parametrize(
    ("asked", "window", "rows"),
    [
        ({"end": 2510}, (1610, 2510, 10), tens(1610, 2510)),
        ({"start": 1610}, (1610, 2510, 10), tens(1610, 2510)),
        ({}, (1700, 2600, 10), tens(1700, 2600)),
        ({"start": 1391, "end": 1398}, (1390, 1400, 10), [(1390, 1)]),
        ({"start": 500, "end": 600}, (500, 600, 10), []),
        ({"start": 10000, "end": 12000}, (10000, 12000, 10), []),
        ({"start": 955, "end": 1345}, (950, 1350, 10), tens(950, 1350)),
        ({"start": 1000, "end": 1100, "samples": 100}, (1000, 1100, 10), tens(1000, 1100)),
        ({"start": 1000, "end": 1100, "samples": 5}, (1000, 1100, 20), [(at, 2) for at in range(1000, 1100, 20)]),
        (
            {"start": 1611, "end": 2509, "samples": 45},
            (1600, 2520, 20),
            [(1600, 1), *((at, 2) for at in range(1620, 2520, 20))],
        ),
        ({"start": 1000, "end": 1600, "samples": 600}, (1000, 1600, 10), tens(1000, 1600)),
        (
            {"start": 1000, "end": 1600, "samples": 30},
            (1000, 1600, 20),
            [
                *((at, 2) for at in range(1000, 1100, 20)),
                (1100, 1),
                *((at, 2) for at in range(1200, 1300, 20)),
                (1300, 1),
                (1380, 1),
                *((at, 2) for at in range(1400, 1500, 20)),
                (1500, 1),
            ],
        ),
    ],
)
def test_a_counter_is_answered_as_istatds_own_tests_expect(
    client: TestClient, asked: dict[str, int], window: tuple[int, int, int], rows: list[tuple[int, int]]
) -> None:
    assert get(client, **asked) == (*window, rows)


@pytest.mark.parametrize(
    "asked",
    [
        {"start": 1390, "end": 1200},
        {"start": 1390, "end": -1},
        {"start": -1, "end": 1200},
        {"samples": -1},
        {"format": "xml"},
        {"trailing": 1},
        {"start": "soon"},
        {"start": 1, "end": 20_000_000_000, "samples": 0},
    ],
)
def test_what_cannot_be_answered_is_400(client: TestClient, asked: dict[str, Any]) -> None:
    answer = client.get("/foo.bar", params=asked)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def post(client: TestClient, path: str = "/*", **body: Any) -> Any:
    return client.post(path, content=json.dumps(body).encode())


def test_several_counters_are_answered_as_rows(client: TestClient) -> None:
    expected = (
        '{"foo.bar":{"start":900,"end":1800,"interval":300,"data":[[900,11,1,1,11,11,1,0],[1200,22,1,1,22,22,1,0],'
        '[1500,20,1,1,20,20,1,0]]},"start":900,"stop":1800,"interval":300}'
    )
    answer = post(client, start=1001, stop=1598, maxSamples=2, keys=["foo.bar"], compact=True)
    assert answer.json() == json.loads(expected)
    assert list(answer.json()) == list(json.loads(expected))


def test_several_counters_are_answered_as_objects_each_in_its_range(client: TestClient) -> None:
    for path in ("/*", "/%2A", "/%2a"):
        told = post(
            client, path, start=1001, stop=1598, maxSamples=600, keys=["foo.bar", "nope", "ice.cream.bar"]
        ).json()
        assert (told["start"], told["stop"], told["interval"]) == (1000, 1600, 10)
        assert told["nope"] == "Not found."
        assert [row["time"] for row in told["foo.bar"]["data"]] == [at for at, _ in tens(1000, 1600)]
        assert [row["time"] for row in told["ice.cream.bar"]["data"]] == list(ICE)
        one = {"time": 1010, "count": 1, "min": 1, "max": 1, "sum": 1, "sumsq": 1, "avg": 1, "sdev": 0}
        assert told["ice.cream.bar"]["data"][0] == one
    assert post(client, start=1001, stop=1598, keys=["nope"], trailing=0).json() == {"nope": "Not found."}
    assert post(client, start=1001, stop=1598, maxSamples=2).json() == {"error": "Missing 'key' array of keys"}
    for asked in ({"start": -1, "stop": 1598}, {"start": 1001, "stop": -1}, {"start": 1598, "stop": 1001}):
        assert post(client, keys=["foo.bar"], **asked).status_code == 400
    assert client.options("/*").status_code == 204
    assert client.post("/foo.bar", content=b"{}").json() == {"error": "No such POST target"}
    assert client.post("/*", content=b"{").status_code == 400


@pytest.mark.parametrize("large", [{"start": 10**16}, {"stop": 10**30}, {"maxSamples": 10**30}])
def test_several_counters_are_not_asked_beyond_the_year_9999(client: TestClient, large: dict[str, int]) -> None:
    assert post(client, keys=["foo.bar"], **large).status_code == 400


def test_what_is_nested_too_deep_is_no_body(client: TestClient) -> None:
    for path in ("/*", "/?s=user"):
        body = b'{"keys": ["foo.bar"], "unknown": ' + b"[" * 5000 + b"]" * 5000 + b"}"
        assert client.post(path, content=body).status_code == 400


def test_counters_are_rates_and_zero_where_nothing_was_counted(tmp_path: Path) -> None:
    points = dict.fromkeys([2550, 2570, 2580, 2590, 2600, 6800], 10.0)
    store = stored(ManualClock(7000.0), {"test.counter": (Kind.COUNTER, points)})

    def rows(client: TestClient, **asked: int) -> tuple[list[int], list[list[float]]]:
        told = client.get("/test.counter", params=asked).json()
        order = ("avg", "min", "max", "count", "sum", "sumsq")
        window = [told["start"], told["end"], told["interval"]]
        return window, [[bucket["time"], *(bucket["data"][key] for key in order)] for bucket in told["buckets"]]

    with client_of(store, 7000, tmp_path) as client:
        window, found = rows(client, start=2560, end=3160, samples=30)
        assert window == [2560, 3160, 20]
        assert found[:3] == [[2560, 0.5, 0, 1, 2, 1, 1], [2580, 1, 1, 1, 2, 2, 2], [2600, 0.5, 0, 1, 2, 1, 1]]
        assert found[3:] == [[at, 0, 0, 0, 2, 0, 0] for at in range(2620, 3160, 20)]


def test_a_counter_of_coarse_slots_has_as_many_samples_as_fine_ones(tmp_path: Path) -> None:
    store = stored(ManualClock(20_000.0), {"test.counter": (Kind.COUNTER, {900: 10.0, 1000: 20.0})})
    with client_of(store, 20_000, tmp_path) as client:
        told = client.get("/test.counter", params={"start": 900, "end": 1500}).json()
    assert told["interval"] == 300
    rows = [(bucket["time"], bucket["data"]["count"], bucket["data"]["sum"]) for bucket in told["buckets"]]
    assert rows == [(900, 30, 3), (1200, 30, 0)]


def test_a_counter_has_no_buckets_in_the_future(tmp_path: Path) -> None:
    store = stored(ManualClock(5180.0), {"c": (Kind.COUNTER, {4000: 10.0})})
    with client_of(store, 5180, tmp_path) as client:
        told = client.get("/c", params={"start": 5120, "end": 5280}).json()
    assert [bucket["time"] for bucket in told["buckets"]] == list(range(5120, 5190, 10))
    assert {bucket["data"]["avg"] for bucket in told["buckets"]} == {0}


def test_one_bucket_holds_the_whole_range_wherever_it_begins(tmp_path: Path) -> None:
    points = {3580: 2.0, 3590: 3.0, 3600: 4.0}
    store = stored(ManualClock(5010.0), {"g": (Kind.GAUGE, points)})
    with client_of(store, 5010, tmp_path) as client:
        (bucket,) = client.get("/g", params={"start": 3580, "end": 3610, "samples": 1}).json()["buckets"]
    assert (bucket["time"], bucket["data"]["sum"], bucket["data"]["count"]) == (3570, 9, 3)
    assert (bucket["data"]["sdev"], bucket["data"]["sumsq"]) == (1, 29)


def test_a_counter_can_be_had_as_csv(client: TestClient) -> None:
    answer = client.get("/foo.bar", params={"start": 1000, "end": 1020, "samples": 2, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    head, first, second, rest = answer.text.split("\r\n")
    assert head.startswith("ISO Time,Unix Timestamp,Sample Count,Minimum,Maximum,Sum,Sum Squared,Average,")
    assert (first, rest) == ("1970-01-01T00:16:40Z,1000,1,1,1,1,1,1,0", "")
    assert second.startswith("1970-01-01T00:16:50Z,1010,")


def test_an_unknown_counter_is_404(client: TestClient) -> None:
    answer = client.get("/foo.x")
    assert (answer.status_code, answer.json()) == (404, {"error": "No such counter foo.x"})


def listed(client: TestClient, pattern: str) -> dict[str, tuple[bool, int]]:
    told = client.get("/", params={"q": pattern}).json()
    assert told["type_mapping"] == {"0": "gauge", "1": "counter", "2": "aggregate"}
    assert told["pattern"] == pattern
    return {node["name"]: (node["is_leaf"], node["type"]) for node in told["matching_names"]}


def test_names_are_listed_with_the_nodes_above_them(client: TestClient) -> None:
    assert listed(client, "*") == {
        "foo": (False, 2),
        "foo.bar": (True, 0),
        "ice": (False, 2),
        "ice.cream": (False, 2),
        "ice.cream.bar": (True, 0),
        "maybe": (False, 2),
        "maybe.counter": (True, 1),
        "maybe.gauge": (True, 0),
    }
    assert list(listed(client, "maybe*")) == ["maybe", "maybe.counter", "maybe.gauge"]
    assert list(listed(client, "ice.?")) == ["ice.cream"]
    assert list(listed(client, "*.bar")) == ["foo.bar", "ice.cream.bar"]
    assert client.get("/?a=*").json() == {"count": 0, "agents": []}


def test_settings_are_kept_and_found_again(client: TestClient, tmp_path: Path) -> None:
    assert client.get("/?s=some.test").status_code == 404
    body = {"test.a": 1, "test.b": "some string", "first.c": True, "none": None}
    assert client.post("/?s=some.test", json=body).json() == {"success": True}
    assert client.get("/?s=some.test").json() == {"first.c": "true", "test.a": "1", "test.b": "some string"}
    assert client.get("/?s=some.test&sk=first.*").json() == {"first.c": "true"}
    assert client.post("/?s=some.test", json={"test.a": "", "test.b": 'x"y\n=z'}).json() == {"success": True}
    assert client.get("/?s=some.test&sk=test*").json() == {"test.b": 'x"y\n=z'}
    assert client.get("/?s=some.test&sk=nothing").status_code == 404
    for name in ("../store/istat/huh", "spaces are not allowed", "^%$", ".hidden", ""):
        assert client.post("/", params={"s": name}, json={"a": 1}).status_code == 400
    for bad in ({"a b": 1}, {"a=b": 1}, {"": 1}, {"a": [1]}, [1]):
        assert client.post("/?s=some.test", json=bad).status_code == 400
    assert client.post("/?s=large", json={"a": "x" * (1 << 20)}).status_code in (400, 413)


def test_a_long_list_is_packed_for_who_takes_that(client: TestClient) -> None:
    plain = client.get("/foo.bar", headers={"accept-encoding": "identity"})
    packed = client.get("/foo.bar", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert "content-encoding" not in plain.headers


def test_the_front_end_is_served_from_its_files(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>graphs</p>")
    (tmp_path / "graph.js").write_text("var x;")
    store = stored(ManualClock(2600.0), {})
    with client_of(store, 2600, tmp_path / "settings", files=tmp_path) as served:
        assert served.get("/").text == "<p>graphs</p>"
        assert served.get("/files/graph.js").text == "var x;"
        assert served.get("/files/../../etc/passwd").status_code == 404
        assert served.get("/files/%2e%2e/%2e%2e/etc/passwd").status_code == 404
    assert client.get("/").status_code == 404


def test_who_is_elsewhere_needs_the_token_for_everything(tmp_path: Path) -> None:
    store = stored(ManualClock(2600.0), {"healthz": (Kind.GAUGE, {2500: 1.0})})
    with client_of(store, 2600, tmp_path, token="secret", peer="192.0.2.7") as stranger:
        for path in ("/?q=*", "/healthz", "/?s=user"):
            assert stranger.get(path).status_code == 401
            assert stranger.get(path, headers={"authorization": "Bearer secret"}).status_code != 401
        assert stranger.post("/?s=user", json={"a": 1}).status_code == 401
    with client_of(store, 2600, tmp_path) as own:
        assert own.post("/?s=user", json={"a": 1}, headers={"origin": "http://evil.example"}).status_code == 401
