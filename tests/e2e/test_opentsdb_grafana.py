"""Grafana's data source of OpenTSDB, its requests as it makes them, and what it reads from the answers.

Grafana to 12 asks from the browser through its proxy (``public/app/plugins/datasource/opentsdb/datasource.ts``), the
plug-in that follows it from a program that reads numbers only. Points come by potsdb and by ``/api/put``.
"""

import json
import time
import urllib.request
from typing import Any

import pytest

from servers import START_S_MAX, Server, package, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]

PROXIED = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "X-Grafana-Referer": "http://127.0.0.1:3000/d/1"}
"""What a browser's request still has when Grafana's proxy sends it on: it takes Origin and Referer away."""
METRIC = "grafana.requests"
HOSTS = ("web01", "web02", "db01")


@pytest.fixture(scope="module")
def begin_s(shared_server: Server) -> int:
    """From when on there are points: a counter of each host that rises by 30, 60 and 90 in ten seconds."""
    begin_s = (int(time.time()) - 600) // 60 * 60
    points = [
        {
            "metric": METRIC,
            "timestamp": begin_s + 10 * k,
            "value": 30 * (i + 1) * k,
            "tags": {"host": host, "dc": host[:-2]},
        }
        for i, host in enumerate(HOSTS)
        for k in range(30)
    ]
    request = urllib.request.Request(f"{shared_server.url}/api/put?summary", json.dumps(points).encode())
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer) == {"success": 90, "failed": 0}
    return begin_s


@pytest.fixture(params=["http.address", "opentsdb"])
def address(request: pytest.FixtureRequest, shared_server: Server) -> str:
    """The two addresses that a data source can have."""
    if request.param == "opentsdb":
        return f"http://127.0.0.1:{shared_server.port('opentsdb tcp')}"
    return shared_server.url


def ask(address: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data, PROXIED)
    if data is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_the_test_of_a_data_source_and_its_editor_find_what_they_look_for(address: str, begin_s: int) -> None:
    begin_with_cpu = ask(address, "/api/suggest?type=metrics&q=cpu&max=1000")  # other tests' metrics, if any
    assert METRIC not in begin_with_cpu
    assert all(metric.startswith("cpu") for metric in begin_with_cpu)
    assert METRIC in ask(address, "/api/suggest?type=metrics&q=grafana&max=1000")
    assert {"sum", "avg", "none", "p99", "zimsum"} <= set(ask(address, "/api/aggregators"))
    assert {"literal_or", "iwildcard", "regexp"} <= set(ask(address, "/api/config/filters"))


def test_template_variables_get_their_keys_and_values(address: str, begin_s: int) -> None:
    keys = ask(address, f"/api/search/lookup?m={METRIC}&limit=1000")["results"]
    assert {key for one in keys for key in one["tags"]} == {"host", "dc"}
    values = ask(address, f"/api/search/lookup?m={METRIC}%7Bhost%3D*%2Cdc%3Dweb%7D&limit=1000")["results"]
    assert [one["tags"]["host"] for one in values] == ["web01", "web02"]
    assert "web01" in ask(address, "/api/suggest?type=tagv&q=web&max=1000")
    assert ask(address, "/api/suggest?type=tagk&q=ho&max=1000") == ["host"]


def test_a_panel_of_the_browsers_data_source_gets_its_lines(address: str, begin_s: int) -> None:
    query = {
        "metric": METRIC,
        "aggregator": "sum",
        "rate": True,
        "rateOptions": {"counter": True, "dropResets": True},
        "downsample": "1m-avg-null",
        "filters": [{"type": "wildcard", "tagk": "dc", "filter": "*", "groupBy": True}],
    }
    body = {
        "start": begin_s * 1000,
        "queries": [query],
        "msResolution": False,
        "globalAnnotations": True,
        "showQuery": True,
    }
    found = ask(address, "/api/query", body)
    assert [one["query"]["index"] for one in found] == [0, 0]
    rates = {one["tags"]["dc"]: [v for v in one["dps"].values() if v is not None] for one in found}
    assert rates == {"db": [9.0] * 4, "web": [9.0] * 4}
    assert [one["aggregateTags"] for one in found] == [[], ["host"]]
    in_milliseconds = ask(address, "/api/query", body | {"msResolution": True})
    assert {len(at) for one in in_milliseconds for at in one["dps"]} == {13}


def test_a_panel_of_the_plug_in_gets_numbers_by_seconds(address: str, begin_s: int) -> None:
    query = {"metric": METRIC, "aggregator": "avg", "downsample": "15s-avg", "tags": {"host": "web*"}}
    body = {"start": begin_s, "end": begin_s + 299, "queries": [query | {"explicitTags": False}]}
    found = ask(address, "/api/query", body)
    assert [one["tags"]["host"] for one in found] == ["web01", "web02"]
    for one in found:
        assert all(isinstance(value, float) and len(at) == 10 for at, value in one["dps"].items())
    (pairs, _) = ask(address, "/api/query?arrays=true", body)
    assert pairs["dps"] == [[int(at), value] for at, value in found[0]["dps"].items()]


def test_what_is_wrong_is_told_where_the_data_source_looks(address: str) -> None:
    body = {"start": "1h-ago", "queries": [{"metric": "nobody.knows", "aggregator": "sum"}]}
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(address, "/api/query", body)
    assert json.load(caught.value)["error"]["message"] == "No such name for 'metrics': 'nobody.knows'"


def test_what_potsdb_wrote_is_read_by_an_address(address: str, shared_server: Server) -> None:
    client = package("potsdb").Client("127.0.0.1", port=shared_server.port("opentsdb tcp"), host_tag="web-1")
    now = int(time.time())
    for k in range(10):
        client.log("potsdb.read", k + 1, cpu=k, timestamp=now)
    client.wait()

    def total() -> float:
        found = ask(address, "/api/query?start=10m-ago&m=sum:potsdb.read%7Bhost%3Dweb-1%7D")
        return sum(found[0]["dps"].values()) if found else 0.0

    known = "/api/suggest?type=metrics&q=potsdb.read"
    wait_until(lambda: ask(address, known) == ["potsdb.read"] and total() == 55, "the sum of ten series")
    last = ask(address, "/api/query/last?timeseries=potsdb.read%7Bcpu%3D7%7D&resolve=true")
    assert [(one["value"], one["tags"]) for one in last] == [("8", {"cpu": "7", "host": "web-1"})]


def test_our_own_queries_are_answered_beside_those_of_opentsdb(shared_server: Server, begin_s: int) -> None:
    found = shared_server.get("/api/query", target=f"seriesByTag('name={METRIC}')", **{"from": str(begin_s)})
    assert len(found["series"]) == len(HOSTS)
