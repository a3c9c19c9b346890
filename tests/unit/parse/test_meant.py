"""Units and descriptions that Prometheus' texts and OpenTelemetry's bodies tell."""

import json

import numpy as np
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from prometheus_messages import Request, WriteRequest
from reference import xdr
from tallystick.parse import NameTable, exposition_meta, otlp_meta, padded
from tallystick.parse.exposition_meta import meant_by
from tallystick.parse.fields import Fields
from tallystick.parse.ganglia import GangliaParser
from tallystick.parse.ganglia_meta import meant_by_metadata
from tallystick.parse.meant import Meant
from tallystick.parse.otlp_meta import meant_by_json, meant_by_protobuf
from tallystick.parse.remote_write_meta import meant_by_request, meant_by_request_2

TEXT = rb"""# HELP http_requests_total Requests,\nby \\code.
# TYPE http_requests_total counter
http_requests_total{code="200"} 3
#   HELP  wait_seconds   How long it waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{le="+Inf"} 1
# TYPE disk_free gauge
# UNIT disk_free bytes
# HELP nothing
# TYPE untold gauge
untold 3
# TYPE build info
# HELP build Of what it is built.
"""


def test_prometheus_help_unit_and_type_say_what_each_series_means() -> None:
    assert list(meant_by(TEXT)) == [
        Meant("http_requests_total", "", "Requests, by \\code."),
        Meant("wait_seconds_sum", "seconds", "How long it waits."),
        Meant("wait_seconds_bucket", "", "How long it waits."),
        Meant("wait_seconds_count", "", "How long it waits."),
        Meant("disk_free", "bytes", ""),
        Meant("build_info", "", "Of what it is built."),
    ]


def test_a_counter_of_openmetrics_has_an_ending_that_its_family_has_not() -> None:
    text = b"# TYPE sent_bytes counter\n# UNIT sent_bytes bytes\nsent_bytes_total 3\n# EOF\n"
    assert [one.name for one in meant_by(text)] == ["sent_bytes", "sent_bytes_total"]


def test_a_text_of_very_many_families_is_read_as_far_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition_meta, "FAMILIES_MAX", 2)
    text = b"".join(b"# HELP m%d x\n# TYPE m%d gauge\n" % (n, n) for n in range(5))
    assert [one.name for one in meant_by(text)] == ["m0", "m1"]


def otlp(metrics: int) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for number in range(metrics):
        metric = scope.metrics.add(name=f"m{number}", unit="By", description="Grüße")
        metric.gauge.data_points.add(as_double=3, time_unix_nano=1)
    return request


def test_otlp_says_unit_and_description_of_each_metric() -> None:
    request = otlp(2)
    request.resource_metrics[0].scope_metrics[0].metrics.add(name="bare")
    assert list(meant_by_protobuf(request.SerializeToString())) == [Meant(f"m{n}", "By", "Grüße") for n in (0, 1)]
    body = {
        "resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "unit": "ms", "gauge": {}}, {"name": "x"}]}]}]
    }
    assert list(meant_by_json(json.dumps(body).encode())) == [Meant("m", "ms", "")]


def test_bodies_of_very_many_metrics_are_read_as_far_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp_meta, "METRICS_MAX", 3)
    assert len(list(meant_by_protobuf(otlp(5).SerializeToString()))) == 3
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "unit": "s"}] * 5}]}]}
    assert len(list(meant_by_json(json.dumps(body).encode()))) == 3


def test_a_damaged_body_says_what_stands_before_the_damage() -> None:
    whole = otlp(3).SerializeToString()
    for end in range(len(whole)):
        assert all(one == Meant(one.name, "By", "Grüße") or one.name for one in meant_by_protobuf(whole[:end]))
    for body in (b"\xff" * 40, b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"[" * 9999, b"{}", b"\xff", b"3"):
        assert list(meant_by_json(body)) == list(meant_by_protobuf(body)) == []


def test_remote_write_says_it_in_requests_of_their_own() -> None:
    request = WriteRequest()
    request.metadata.add(type=1, metric_family_name=b"sent", help=b"What was sent.", unit=b"bytes")
    request.metadata.add(type=3, metric_family_name=b"wait_seconds", help=b"How long.")
    request.metadata.add(type=99, metric_family_name=b"strange", help=b"x")
    request.metadata.add(help=b"of nothing")
    assert list(meant_by_request(request.SerializeToString())) == [
        Meant("sent", "bytes", "What was sent."),
        Meant("sent_total", "bytes", "What was sent."),
        Meant("wait_seconds_sum", "seconds", "How long."),
        Meant("wait_seconds_bucket", "", "How long."),
        Meant("wait_seconds_count", "", "How long."),
        Meant("strange", "", "x"),
    ]


def test_remote_write_2_says_it_with_each_series() -> None:
    symbols = [
        b"",
        b"__name__",
        b"sent_bytes_total",
        b"job",
        b"a",
        b"b",
        b"What was sent.",
        b"rpc_seconds_bucket",
        b"s",
    ]
    of_sent, of_rpc = {"type": 1, "help_ref": 6}, {"type": 3, "unit_ref": 8, "help_ref": 6}
    rows = [
        {"labels_refs": [1, 2, 3, 4], "metadata": of_sent},
        {"labels_refs": [1, 2, 3, 5], "metadata": of_sent},
        {"labels_refs": [1, 7], "metadata": of_rpc},
        {"labels_refs": [3, 4], "metadata": of_sent},
        {"labels_refs": [1, 99], "metadata": of_sent},
        {"labels_refs": [1], "metadata": of_sent},
        {"labels_refs": [1, 4]},
        {"labels_refs": [1, 5], "metadata": {"type": 99, "help_ref": 1000}},
    ]
    body = Request(symbols=symbols, timeseries=rows).SerializeToString()
    told = [Meant("sent_bytes_total", "bytes", "What was sent."), Meant("rpc_seconds_bucket", "", "What was sent.")]
    assert list(meant_by_request_2(body)) == told
    for end in range(len(body)):
        assert set(meant_by_request_2(body[:end])) <= {*told, Meant("sent_bytes_total", "bytes", "")}


def test_long_symbols_that_many_refer_to_are_read_once() -> None:
    long = b"x" * (4 << 20)
    symbols = [b"", long, b"__name__", b"a_total", b"b_total"]
    metadata = {"type": 1, "help_ref": 1}
    rows = [
        {"labels_refs": [1] * 100_000, "metadata": metadata},
        *({"labels_refs": [1, 1, 2, k], "metadata": metadata} for k in (3, 4)),
    ]
    body = Request(symbols=symbols, timeseries=rows).SerializeToString()
    a, b = meant_by_request_2(body)  # to read it each time would take minutes
    assert (a.name, b.name) == ("a_total", "b_total")
    assert a.description is b.description


def test_metadata_of_ganglia_says_it_of_one_host() -> None:
    extra = ((b"GROUP", b"disk"), (b"DESC", b"What is free"))
    datagram = xdr.metadata(b"10.0.0.9:Web1.example.com", b"disk free", units=b"GB", spoofed=True, extra=extra)
    meant = meant_by_metadata(datagram, "ganglia.")
    assert meant == Meant("ganglia.web1_example_com.disk_free", "GB", "What is free")
    assert meant_by_metadata(xdr.metadata(b"web", b"os", b"string", units=b"x"), "ganglia.") is None
    assert meant_by_metadata(xdr.value(b"web", b"load", "float", 1.0), "ganglia.") is None
    assert {meant_by_metadata(datagram[:end], "ganglia.") for end in range(len(datagram))} <= {None, meant}


def test_what_ganglias_metadata_says_comes_with_what_is_parsed() -> None:
    datagrams = [
        xdr.value(b"web", b"load", "float", 1.0),
        b"\0\0\0\x80",
        b"",
        xdr.metadata(b"web", b"load", units=b"jobs"),
        xdr.metadata(b"web", b"rest"),
    ]
    lengths = np.array([len(one) for one in datagrams], np.int32)
    offsets = (np.cumsum(lengths) - lengths).astype(np.int64)
    parser, names = GangliaParser(prefix="all"), NameTable()
    assert parser.parse_datagrams(padded(b"".join(datagrams)), offsets, lengths, names, 0).meant == (
        Meant("all.web.load", "jobs", ""),
    )
    assert parser.parse_datagrams(padded(datagrams[0]), offsets[:1], lengths[:1], names, 0).meant == ()


def test_a_body_of_millions_of_fields_is_read_as_far_as_the_limit() -> None:
    body = memoryview(b"\x08\x01" * 1000)
    assert len(list(Fields(10).of(body))) == 10
    assert len(list(Fields().of(body))) == 1000
