"""OTLP's route: answers in the encoding of the request, with the status codes of the specification."""

import gzip
import json

import pytest
import zstandard
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from posting import NOW_S, House
from tallystick.config import Http
from tallystick.model.errors import StoreError
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.memory import MemoryStore

PATH = "/v1/metrics"
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json; charset=utf-8"}


def request(*values: float, name: str = "queue") -> ExportMetricsServiceRequest:
    made = ExportMetricsServiceRequest()
    resource = made.resource_metrics.add()
    for key in ("service.name", "team"):
        resource.resource.attributes.add(key=key).value.string_value = f"my {key}"
    scope = resource.scope_metrics.add()
    scope.scope.name = "library"
    metric = scope.metrics.add(name=name)
    for value in values:
        metric.gauge.data_points.add(time_unix_nano=NOW_S * 10**9, as_double=value)
    return made


def as_json(*values: object) -> bytes:
    points = [{"timeUnixNano": f"{NOW_S}000000000", "asDouble": value} for value in values]
    metrics = [{"name": "queue", "gauge": {"dataPoints": points}}]
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}).encode()


@pytest.mark.anyio
@pytest.mark.parametrize("path", [PATH, "/otlp/v1/metrics", "/api/v1/otlp/v1/metrics"])
async def test_what_is_taken_is_answered_by_an_empty_response(path: str) -> None:
    house = House()
    answer = await house.post(path, request(7).SerializeToString(), headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    answer = await house.post(path, as_json(8), headers=JSON)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    assert house.values() == {"queue;service.name=my_service.name": 7, "queue": 8}


@pytest.mark.anyio
@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
async def test_bodies_may_be_compressed(encoding: str, encode: object) -> None:
    house = House()
    body = encode(request(7).SerializeToString())
    assert (await house.post(PATH, body, headers=PROTOBUF | {"content-encoding": encoding})).status_code == 200
    assert list(house.values().values()) == [7]


@pytest.mark.anyio
async def test_what_is_not_taken_is_told_as_partial_success() -> None:
    house = House()
    made = request(7)
    made.resource_metrics[0].scope_metrics[0].metrics.add(name="late").gauge.data_points.add(as_int=1)
    answer = await house.post(PATH, made.SerializeToString(), headers=PROTOBUF)
    told = ExportMetricsServiceResponse.FromString(answer.content).partial_success
    assert (answer.status_code, told.rejected_data_points) == (200, 1)
    assert "1 as timestamp" in told.error_message
    answer = await house.post(PATH, as_json(1, None), headers=JSON)
    assert answer.json()["partialSuccess"]["rejectedDataPoints"] == "1"
    assert house.balance(PATH).in_flight == 0


@pytest.mark.anyio
async def test_gaps_are_no_errors() -> None:
    house = House()
    made = request(float("nan"))
    made.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points.add(flags=1)
    answer = await house.post(PATH, made.SerializeToString(), headers=PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert house.balance(PATH).rejected == {"value_not_finite": 1, "stale": 1}


@pytest.mark.anyio
async def test_an_empty_request_is_a_good_one() -> None:
    house = House()
    assert (await house.post(PATH, b"", headers=PROTOBUF)).status_code == 200
    assert (await house.post(PATH, b"{}", headers=JSON)).status_code == 200


@pytest.mark.anyio
async def test_bad_bodies_are_answered_by_a_status_in_their_encoding() -> None:
    house = House()
    answer = await house.post(PATH, request(7).SerializeToString() + b"\x0a\xff", headers=PROTOBUF)
    assert answer.status_code == 400
    assert Status.FromString(answer.content).message.startswith("cannot read the body")
    answer = await house.post(PATH, as_json(1)[:-1], headers=JSON)
    assert (answer.status_code, set(answer.json())) == (400, {"message"})
    answer = await house.post(PATH, b"not gzip", headers=PROTOBUF | {"content-encoding": "gzip"})
    assert (answer.status_code, "cannot decode" in Status.FromString(answer.content).message) == (400, True)
    answer = await house.post(PATH, b"a=1", headers={"content-type": "text/plain"})
    assert (answer.status_code, "text/plain" in answer.json()["message"]) == (415, True)
    assert house.balance(PATH).rejected == {"encoding": 4}
    assert house.values() == {}


class FullStore(MemoryStore):
    def append(self, batch: SampleBatch, *others: object, **more: object) -> int:
        raise StoreError("the disk is full")


@pytest.mark.anyio
async def test_a_full_disk_asks_to_come_again() -> None:
    house = House(FullStore())
    answer = await house.post(PATH, request(7).SerializeToString(), headers=PROTOBUF)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.anyio
async def test_the_config_names_what_becomes_a_tag() -> None:
    house = House(options=Http(otlp_resource_attributes=("team",), otlp_scope_name=True))
    await house.post(PATH, request(7).SerializeToString(), headers=PROTOBUF)
    assert house.values() == {"queue;otel.scope.name=library;team=my_team": 7}
    house = House(options=Http(otlp_resource_attributes=()))
    await house.post(PATH, request(7).SerializeToString(), headers=PROTOBUF)
    assert house.values() == {"queue": 7}


@pytest.mark.anyio
async def test_cumulative_histograms_go_on_from_one_encoding_to_the_other() -> None:
    house = House()
    made = request(name="latency")
    data = made.resource_metrics[0].scope_metrics[0].metrics[0].histogram
    data.aggregation_temporality = 2
    start_ns = (NOW_S + 1) * 10**9
    data.data_points.add(
        start_time_unix_nano=start_ns,
        time_unix_nano=start_ns + 10**9,
        count=3,
        sum=3.0,
        bucket_counts=[2, 1],
        explicit_bounds=[1],
    )
    assert (await house.post(PATH, made.SerializeToString(), headers=PROTOBUF)).content == b""
    point = {
        "startTimeUnixNano": str(start_ns),
        "timeUnixNano": str(start_ns + 2 * 10**9),
        "count": "5",
        "sum": 8,
        "bucketCounts": [2, 3],
        "explicitBounds": [1],
    }
    resource = {"attributes": [{"key": k, "value": {"stringValue": f"my {k}"}} for k in ("service.name", "team")]}
    metric = {"name": "latency", "histogram": {"aggregationTemporality": 2, "dataPoints": [point]}}
    scopes = [{"scope": {"name": "library"}, "metrics": [metric]}]
    body = json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": scopes}]}).encode()
    assert (await house.post(PATH, body, headers=JSON)).json() == {}
    name = "latency;service.name=my_service.name"
    assert (house.values(Statistic.COUNT), house.values(Statistic.SUM)) == ({name: 5}, {name: 8})
