"""OpenTSDB's routes: points as its senders put them, and answers in the words that they know."""

import gzip
import json
from typing import Any

import pytest

from posting import NOW_S, House

PUT = "/api/put"
ERROR = {
    "error": {
        "code": 400,
        "message": "One or more data points had errors",
        "details": 'Please see the ledger, or append "details" to the put request',
    }
}


def point(metric: str = "sys.cpu", value: Any = 1, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "timestamp": NOW_S, "value": value, "tags": {"host": "web01"}} | more


def encoded(*points: dict[str, Any]) -> bytes:
    return json.dumps(points).encode()


@pytest.mark.anyio
@pytest.mark.parametrize("query", ["", "?sync", "?sync=true&sync_timeout=1000"])
async def test_points_are_stored_and_answered_by_nothing(query: str) -> None:
    house = House()
    answer = await house.post(PUT + query, encoded(point(), point("sys.mem", "42.5")))
    assert (answer.status_code, answer.content) == (204, b"")
    one = await house.post(
        PUT + query, gzip.compress(json.dumps(point("one")).encode()), headers={"content-encoding": "gzip"}
    )
    assert one.status_code == 204
    assert house.values() == {"sys.cpu;host=web01": 1, "sys.mem;host=web01": 42.5, "one;host=web01": 1}
    assert house.balance(PUT).stored == 3


@pytest.mark.anyio
async def test_a_point_that_fails_is_told_as_it_is_asked_for_and_the_others_are_stored() -> None:
    house = House()
    body = encoded(point("good"), point("bad", "abc"))
    plain = await house.post(PUT, body)
    assert (plain.status_code, plain.json()) == (400, ERROR)
    summary = await house.post(f"{PUT}?summary", body)
    assert (summary.status_code, summary.json()) == (400, {"success": 1, "failed": 1})
    details = await house.post(f"{PUT}?details", body)
    assert details.status_code == 400
    assert details.json() == {
        "success": 1,
        "failed": 1,
        "errors": [{"datapoint": point("bad", "abc"), "error": "Unable to parse value to a number"}],
    }
    assert house.values() == {"good;host=web01": 1}


@pytest.mark.anyio
async def test_when_all_are_good_the_details_say_so() -> None:
    house = House()
    for query, answer in (
        ("?summary", {"success": 2, "failed": 0}),
        ("?details", {"success": 2, "failed": 0, "errors": []}),
        ("?details&sync&sync_timeout=500", {"success": 2, "failed": 0, "timeouts": 0, "errors": []}),
    ):
        told = await house.post(PUT + query, encoded(point(), point("b")))
        assert (told.status_code, told.json()) == (200, answer)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (point(""), "Metric name was empty"),
        (point(timestamp=0), "Invalid timestamp"),
        (point(timestamp="soon"), "Invalid timestamp"),
        (point(value=None), "Empty value"),
        (point(value=""), "Empty value"),
        (point(value="1,5"), "Unable to parse value to a number"),
        (point(tags={"host": ""}), "Invalid tags: a name or a value is empty or no text"),
        (point("m" * 1100), "Metric and tags are too long"),
    ],
)
async def test_each_fault_has_its_message(bad: dict[str, Any], message: str) -> None:
    answer = await House().post(f"{PUT}?details", encoded(bad))
    assert answer.json() == {"success": 0, "failed": 1, "errors": [{"datapoint": bad, "error": message}]}


@pytest.mark.anyio
async def test_what_is_refused_behind_the_parser_is_counted_in_the_details() -> None:
    body = encoded(*(point(timestamp=NOW_S + 86400) for _ in range(3)))
    answer = await House().post(f"{PUT}?details", body)
    assert answer.json() == {
        "success": 0,
        "failed": 3,
        "errors": [{"datapoint": {}, "error": "future (3 data points)"}],
    }


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "Unable to parse the given JSON"),
        (b"[{]", 400, "Unable to parse the given JSON"),
        (encoded(point()) + b"x", 400, "Unable to parse the given JSON"),
        (b"[]", 400, "No datapoints found in content"),
    ],
)
async def test_a_body_that_is_none_stores_nothing(body: bytes, status: int, message: str) -> None:
    house = House()
    answer = await house.post(PUT, body)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["message"]) == (
        status,
        status,
        message,
    )
    assert house.values() == {}


@pytest.mark.anyio
async def test_a_body_that_cannot_be_decoded_is_refused_in_the_same_shape() -> None:
    answer = await House().post(PUT, b"x", headers={"content-encoding": "gzip"})
    assert answer.json()["error"]["code"] == answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("cannot decode the body")


@pytest.mark.anyio
async def test_a_disk_that_is_slow_is_told_as_timeouts_to_whoever_sets_a_time() -> None:
    house = House(when_durable=lambda ticket, call: None)
    told = await house.post(f"{PUT}?details&sync_timeout=1", encoded(point(), point("b", "x")))
    assert told.status_code == 400
    assert {key: told.json()[key] for key in ("success", "failed", "timeouts")} == {
        "success": 0,
        "failed": 1,
        "timeouts": 1,
    }
    plain = await house.post(f"{PUT}?sync_timeout=1", encoded(point()))
    assert plain.json()["error"]["message"] == "The put call has timed out with 1 data points not yet on disk"
    assert (await house.post(f"{PUT}?sync_timeout=soon", encoded(point()))).status_code == 400


@pytest.mark.anyio
async def test_the_version_is_told() -> None:
    assert (await House().ask("GET", "/api/version")).json()["version"].startswith("2.4")
