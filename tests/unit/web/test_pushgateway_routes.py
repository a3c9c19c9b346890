"""What batch jobs push over HTTP: the labels of the path, the texts, and what is refused."""

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from posting import House
from tallystick.web.errors import BodyError
from tallystick.web.writes.pushgateway import PATH, labels_of

TEXT = b'# TYPE records counter\nrecords 7\nseconds{job="mine"} 1.5\n'


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_the_labels_of_the_path_count_before_those_of_the_text(method: str):
    house = House()
    answer = await house.ask(method, f"{PATH}/backup/instance/db1", content=TEXT)
    assert (answer.status_code, answer.content) == (200, b"")
    assert house.values() == {"records;instance=db1;job=backup": 7, "seconds;instance=db1;job=backup": 1.5}
    assert house.balance(PATH).stored == 2


@pytest.mark.anyio
async def test_a_value_in_base64_may_hold_slashes_or_nothing():
    house = House()
    answer = await house.post(f"{PATH}@base64/YS9i/path@base64/L3Zhci90bXA/none@base64/=", b"done 1\n")
    assert answer.status_code == 200
    assert house.values() == {"done;job=a/b;path=/var/tmp": 1}


@pytest.mark.anyio
async def test_openmetrics_is_told_by_its_type_and_its_end_is_asked_for():
    house = House()
    headers = {"content-type": CONTENT_TYPE_LATEST}
    registry = CollectorRegistry()
    Counter("records", "Records.", registry=registry).inc(3)
    assert (await house.post(f"{PATH}/a", generate_latest(registry), headers=headers)).status_code == 200
    assert house.values()["records_total;job=a"] == 3
    cut = await house.post(f"{PATH}/a", b"records_total 4\n", headers=headers)
    assert (cut.status_code, cut.json()) == (
        400,
        {"error": "cannot take all samples: 1 as truncated; 1 were stored"},
    )


@pytest.mark.anyio
async def test_bad_lines_cost_themselves_and_are_told():
    house = House()
    answer = await house.post(f"{PATH}/a", b"good 1\nbad one\nnothing NaN\n")
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "cannot take all samples: 1 as value; 1 were stored",
    )
    assert house.balance(PATH).rejected == {"value": 1, "value_not_finite": 1}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path", [f"{PATH}/", f"{PATH}/a/b", f"{PATH}/a//v", f"{PATH}@base64/%21%21", f"{PATH}/a/b@base64/_w"]
)
async def test_a_path_that_cannot_be_read_is_refused(path: str):
    house = House()
    answer = await house.post(path, b"a 1\n")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("cannot read")
    assert house.balance(PATH).rejected == {"encoding": 1}


@pytest.mark.anyio
async def test_protocol_buffers_are_refused():
    headers = {"content-type": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"}
    assert (await House().post(f"{PATH}/a", b"\x0a", headers=headers)).status_code == 415


def test_labels_of_a_path_are_bounded():
    with pytest.raises(BodyError):
        labels_of("/metrics/job/a" + "/k/v" * 100)
    assert labels_of("/metrics/job/a/b/c d") == {"job": "a", "b": "c d"}
