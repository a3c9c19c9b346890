"""OTLP: what the kernel reads of anything that its schema can say, and that no bytes can hurt it."""

import json

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from reference import otlp as twin
from reference import otlp_json as json_twin
from reference.otlp import Report, Reported
from tallystick.kernels.distributions import Reports
from tallystick.kernels.names import NameTable
from tallystick.model.reason import Reason
from tallystick.model.tally import TallyBatch
from tallystick.parse import padded
from tallystick.parse.cumulative import Differences
from tallystick.parse.otlp import OtlpParser
from tallystick.parse.otlp_json import DEPTH_MAX, OtlpJsonParser

NOW_MS = 1_700_000_000_123

WORDS = st.one_of(
    st.sampled_from(
        ["", "http.server.duration", "a b;c", "k=v", "~home", "!x^y", "caf\xe9", "n" * 700, "service.name", "name"]
    ),
    st.text(max_size=6),
)
DOUBLES = st.one_of(st.floats(), st.floats(-100, 100), st.sampled_from([0.0, -0.0, 0.1, 1e15, 1e-5, 1e300, 5e-324]))
SCALARS = st.one_of(
    st.builds(AnyValue, string_value=WORDS),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(1 << 63), (1 << 63) - 1)),
    st.builds(AnyValue, double_value=DOUBLES),
    st.builds(AnyValue),
)
ARRAYS = st.builds(lambda items: AnyValue(array_value=ArrayValue(values=items)), st.lists(SCALARS, max_size=3))
OTHERS = st.one_of(
    st.builds(AnyValue, bytes_value=st.binary(max_size=3)),
    st.builds(AnyValue, kvlist_value=st.just(KeyValueList(values=[KeyValue(key="k")]))),
    st.builds(AnyValue, array_value=st.just(ArrayValue(values=[AnyValue(array_value=ArrayValue())]))),
)
ATTRIBUTES = st.lists(st.builds(KeyValue, key=WORDS, value=st.one_of(SCALARS, SCALARS, ARRAYS, OTHERS)), max_size=3)
TIMES = st.one_of(st.integers(0, (1 << 64) - 1), st.sampled_from([0, 1_700_000_000_123_456_789]))
FLAGS = st.sampled_from([0, 0, 0, 1, 2])
FINITE = st.floats(-1e6, 1e6)
TOLD = st.one_of(st.none(), FINITE, FINITE, DOUBLES)
COUNTS = st.one_of(st.integers(0, 4), st.integers(0, 1 << 40))
WHEN = {"attributes": ATTRIBUTES, "start_time_unix_nano": TIMES, "time_unix_nano": TIMES, "flags": FLAGS}
NUMBERS = st.one_of(
    st.builds(NumberDataPoint, **WHEN, as_double=DOUBLES),
    st.builds(NumberDataPoint, **WHEN, as_int=st.integers(-(1 << 63), (1 << 63) - 1)),
    st.builds(NumberDataPoint, **WHEN),
)


@st.composite
def histograms(draw: st.DrawFn) -> HistogramDataPoint:
    bounds = sorted(draw(st.sets(FINITE, max_size=4)))
    counts = draw(st.lists(COUNTS, min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    if draw(st.integers(0, 5)) == 0:
        counts, bounds = draw(st.lists(COUNTS, max_size=2)), draw(st.lists(DOUBLES, max_size=2))
    point = draw(st.builds(HistogramDataPoint, **WHEN, sum=TOLD, min=TOLD, max=TOLD, count=COUNTS))
    point.bucket_counts.extend(counts)
    point.explicit_bounds.extend(bounds)
    return point


BUCKETS = st.builds(
    ExponentialHistogramDataPoint.Buckets,
    offset=st.one_of(st.integers(-40, 40), st.integers(-(1 << 31), (1 << 31) - 1)),
    bucket_counts=st.lists(COUNTS, max_size=5),
)
EXPONENTIALS = st.builds(
    ExponentialHistogramDataPoint,
    **WHEN,
    sum=TOLD,
    min=TOLD,
    max=TOLD,
    count=COUNTS,
    zero_count=COUNTS,
    scale=st.one_of(st.integers(-12, 20), st.integers(-(1 << 31), (1 << 31) - 1)),
    positive=BUCKETS,
    negative=BUCKETS,
)
QUANTILES = st.lists(st.tuples(st.one_of(st.floats(0, 1), DOUBLES), DOUBLES), max_size=3).map(
    lambda pairs: [SummaryDataPoint.ValueAtQuantile(quantile=q, value=v) for q, v in pairs]
)
SUMMARIES = st.builds(SummaryDataPoint, **WHEN, count=COUNTS, sum=DOUBLES, quantile_values=QUANTILES)


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    metric = Metric(name=draw(WORDS), unit="s", description=draw(WORDS))
    sorts = {
        "gauge": NUMBERS,
        "sum": NUMBERS,
        "histogram": histograms(),
        "exponential_histogram": EXPONENTIALS,
        "summary": SUMMARIES,
    }
    sort = draw(st.sampled_from(sorted(sorts)))
    data = getattr(metric, sort)
    data.data_points.extend(draw(st.lists(sorts[sort], max_size=3)))
    if hasattr(data, "aggregation_temporality"):
        data.aggregation_temporality = draw(st.sampled_from([0, 1, 1, 2, 2, 3]))
    if sort == "sum":
        data.is_monotonic = draw(st.booleans())
    return metric


@st.composite
def requests(draw: st.DrawFn) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        resource = request.resource_metrics.add()
        resource.resource.attributes.extend(draw(ATTRIBUTES))
        for _ in range(draw(st.integers(0, 2))):
            scope = resource.scope_metrics.add()
            scope.scope.name = draw(WORDS)
            scope.metrics.extend(draw(st.lists(metrics(), max_size=3)))
    return request


class Watched(Differences):
    """Keeps what was reported instead of taking it apart."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[Report] = []

    def tallies(self, reports: Reports, names: NameTable, now_ms: int) -> tuple[TallyBatch | None, np.ndarray]:
        for i in range(len(reports.ids)):
            inside = slice(reports.offset[i], reports.offset[i + 1])
            bounds = reports.bounds[reports.bounds_offset[i] : reports.bounds_offset[i + 1]]
            buckets = zip(reports.bucket[inside].tolist(), reports.weight[inside].tolist(), strict=True)
            told = tuple(float(column[i]) for column in (reports.sum, reports.min, reports.max))
            row = Report(
                names.name(reports.ids[i]),
                int(reports.timestamp[i]),
                int(reports.start[i]),
                bool(reports.cumulative[i]),
                int(reports.scale[i]),
                repr(told),
                tuple(bounds.tolist()),
                tuple(buckets),
            )
            self.reports.append(row)
        batch, reasons = super().tallies(reports, names, now_ms)
        assert (reasons == 0).sum() == (0 if batch is None else len(batch))
        return None, np.full(len(reports.ids), 255, np.uint8)


def outcome_of(body: bytes, kind: type[OtlpParser] = OtlpParser, names: NameTable | None = None) -> Reported:
    names, watched, outcome = names or NameTable(), Watched(), Reported()
    parsed = kind(differences=watched).parse(padded(body), len(body), names, NOW_MS, final=True)
    assert parsed.consumed == len(body)
    outcome.add(parsed, names)
    outcome.reports = watched.reports
    return outcome


@settings(max_examples=400, deadline=None)
@given(requests())
def test_the_kernel_says_what_its_twin_says(request: ExportMetricsServiceRequest):
    body, names = request.SerializeToString(), NameTable()
    expected = twin.parse(body)
    for _ in range(2):  # the second time the names are guessed
        assert outcome_of(body, names=names) == expected


@settings(max_examples=600, deadline=None)
@given(requests(), st.binary(max_size=20), st.randoms(use_true_random=False))
def test_any_bytes_are_taken_or_rejected(request: ExportMetricsServiceRequest, noise: bytes, random: object):
    body = bytearray(request.SerializeToString() + noise)
    for _ in range(random.randrange(4)):
        if body:
            body[random.randrange(len(body))] = random.randrange(256)
    assert outcome_of(bytes(body)) == twin.parse(bytes(body))


@settings(max_examples=200, deadline=None)
@given(requests(), st.booleans(), st.booleans())
def test_json_says_the_same(request: ExportMetricsServiceRequest, numbered: bool, snake: bool):
    text = json_format.MessageToJson(
        request, use_integers_for_enums=numbered, preserving_proto_field_name=snake, ensure_ascii=snake
    )
    assert outcome_of(text.encode(), OtlpJsonParser) == twin.parse(ordered(request))


def ordered(request: ExportMetricsServiceRequest) -> bytes:
    """The request as it is after its way through JSON, where one NaN is like another."""
    text = json_format.MessageToJson(request, use_integers_for_enums=True)
    return json_format.Parse(text, ExportMetricsServiceRequest()).SerializeToString()


STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 65), 1 << 65),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(
        ["1e3", "-0", "5.0", "01", "+1", " 1", "1e999", "1e-400", "0." + "1" * 30, "inf", "NaN", "-Infinity"]
    ),
    st.sampled_from([[], {}, [[]], [{}], [None], ["1", 2], {"values": [None]}, {"attributes": {}}, "\ud800"]),
)


def strangely(value: object, draw: st.DrawFn) -> object:
    """JSON with members in another order, added, taken away, doubled or of another type."""
    if isinstance(value, list):
        return [strangely(item, draw) for item in value]
    if not isinstance(value, dict):
        return draw(STRANGE) if draw(st.integers(0, 30)) == 0 else value
    members = draw(st.permutations([(key, strangely(inner, draw)) for key, inner in value.items()]))
    if draw(st.integers(0, 5)) == 0:
        added = draw(st.sampled_from(["unknown", "attributes", "asInt", "count", "\t", *(key for key, _ in members)]))
        members = [*members, (added, draw(STRANGE))]
    return Doubled(members)


class Doubled(dict):
    """An object whose keys may be there twice, for `json.dumps`."""

    def __init__(self, members: list[tuple[str, object]]) -> None:
        super().__init__(members)
        self.members = members

    def items(self) -> list[tuple[str, object]]:  # what is written
        return self.members


@st.composite
def strange_bodies(draw: st.DrawFn) -> bytes:
    request = json.loads(json_format.MessageToJson(draw(requests()), use_integers_for_enums=draw(st.booleans())))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\r\n", "\t: ")]))
    text = json.dumps(strangely(request, draw), ensure_ascii=draw(st.booleans()), separators=separators)
    if draw(st.booleans()):
        text = text.replace("time", "\\u0074ime").replace("key", "k\\u0065y")
    return text.encode("utf-8", "surrogatepass")


@settings(max_examples=600, deadline=None)
@given(strange_bodies())
@example(b"")
@example(b"{}")
@example(b" {} ")
@example(b"{}{}")
@example(b"[]")
@example(b"\xef\xbb\xbf{}")
@example(b'{"resourceMetrics":[],}')
@example(b'{"resourceMetrics":[{}],"resourceMetrics":[{}]}')
@example(b'{"resourceMetrics":null}')
@example(b'{"x":01}')
@example(b'{"x":1.}')
@example(b'{"x":nul}')
@example(b'{"x":"\\x"}')
@example(b'{"x":"\\ud800"}')
@example(b'{"x":[{"y":[1,2,{"z":true}]},-0.5e-7,"\\ud83d\\ude00"]}')
def test_the_kernel_reads_json_as_its_twin(body: bytes):
    assert outcome_of(body, OtlpJsonParser) == json_twin.parse(body)


@settings(max_examples=400, deadline=None)
@given(requests(), st.randoms(use_true_random=False), st.sampled_from([b"", b"[" * 5000, b'{"resourceMetrics":']))
def test_any_text_is_taken_or_rejected(request: ExportMetricsServiceRequest, random: object, before: bytes):
    body = bytearray(before + json_format.MessageToJson(request, use_integers_for_enums=True).encode())
    for _ in range(3):
        body[random.randrange(len(body))] = random.choice(b'"{}[]0,x\\\xff')
    assert outcome_of(bytes(body), OtlpJsonParser) == json_twin.parse(bytes(body))


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"value":', '{"arrayValue":{"values":['])
def test_json_that_is_nested_deeply_is_refused_at_a_depth(opening: str):
    around = '{"resourceMetrics":[{"resource":{"attributes":[{"value":'
    closing = {"[": "]", "{": "}"}
    seen = set()
    for times in (*range(66), 100_000):
        brackets = [c for c in (around + opening * times) if c in closing]
        text = around + opening * times + "1" + "".join(closing[c] for c in reversed(brackets))
        outcome = outcome_of(text.encode(), OtlpJsonParser)
        seen.add((outcome.rejects == {}, len(brackets) <= DEPTH_MAX))
        if times < 100:
            assert outcome == json_twin.parse(text.encode())
    assert (True, False) not in seen


def test_numbers_that_the_kernel_cannot_round_are_read_by_python():
    texts = ["0.1000000000000000055511151231257827", "5e-324", "1" * 400, '"-2.2250738585072011e-308"', "1e-400"]
    points = [f'{{"timeUnixNano":1000000,"asDouble":{text}}}' for text in texts]
    body = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":{"dataPoints":[%s]},"name":"m"}]}]}]}'
    outcome = outcome_of((body % ",".join(points)).encode(), OtlpJsonParser)
    assert [sample.value for sample in outcome.samples] == [0.1, 5e-324, -2.2250738585072011e-308, 0.0]
    assert outcome.rejects == {Reason.VALUE_NOT_FINITE: 1}


def test_messages_of_any_length_are_moved_as_far_as_need_be():
    for size in (0, 1, 126, 127, 128, 129, 16_383, 16_384, 40_000):
        attributes = [{"key": "k", "value": {"arrayValue": {"values": [{"stringValue": "x\n" * size}, {}]}}}]
        point = {"timeUnixNano": 10**6, "asInt": 7, "attributes": [*attributes, {"key": "l"}]}
        metric = {"name": "m", "gauge": {"dataPoints": [point] * 2}}
        body = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).encode()
        assert outcome_of(body, OtlpJsonParser) == json_twin.parse(body)


def test_a_body_is_taken_whole_or_not_at_all():
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="a")
    metric.gauge.data_points.add(time_unix_nano=10**18, as_double=1.0)
    body = request.SerializeToString()
    assert len(outcome_of(body).samples) == 1
    assert outcome_of(body + b"\x0a\x05x").rejects == {Reason.ENCODING: 1}
    assert outcome_of(body + b"\x0a\x05x").samples == []


def test_many_new_names_and_histograms_find_room():
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for k in range(20_000):
        scope.metrics.add(name=f"gauge.{k}.{'x' * 40}").gauge.data_points.add(time_unix_nano=10**18, as_double=k)
    for k in range(2_000):
        data = scope.metrics.add(name=f"histogram.{k}").histogram
        data.aggregation_temporality = 1
        data.data_points.add(
            time_unix_nano=10**18, bucket_counts=range(1, 12), explicit_bounds=range(10), count=66, sum=1.0
        )
    outcome = outcome_of(request.SerializeToString())
    assert [sample.value for sample in outcome.samples] == list(range(20_000))
    assert [report.name for report in outcome.reports] == [b"histogram.%d" % k for k in range(2_000)]
    assert {report.buckets for report in outcome.reports} == {tuple((k, k + 1.0) for k in range(11))}


def test_unpacked_counts_are_read_as_packed_ones():
    point = b"".join(b"\x31" + (n).to_bytes(8, "little") for n in (2, 3)) + b"\x39" + np.float64(1).tobytes()
    point += b"\x19" + (10**18).to_bytes(8, "little")
    histogram = b"\x0a" + bytes([len(point)]) + point + b"\x10\x01"
    metric = b"\x0a\x01a\x4a" + bytes([len(histogram)]) + histogram
    scope = b"\x12" + bytes([len(metric)]) + metric
    resource = b"\x12" + bytes([len(scope)]) + scope
    body = b"\x0a" + bytes([len(resource)]) + resource
    assert outcome_of(body).reports[0].buckets == ((0, 2.0), (1, 3.0))
    assert outcome_of(body) == twin.parse(body)


def test_json_of_64_bits_may_be_numbers_or_texts():
    point = {"timeUnixNano": 10**18, "asInt": "-7", "attributes": [{"key": "k", "value": {"intValue": 5}}]}
    metric = {"name": "m", "futureField": {"x": []}, "gauge": {"dataPoints": [point, {**point, "asInt": -8}]}}
    text = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}], "unknown": None})
    samples = outcome_of(text.encode(), OtlpJsonParser).samples
    assert [(sample.name, sample.value) for sample in samples] == [(b"m;k=5", -7.0), (b"m;k=5", -8.0)]


def test_other_names_of_enums_are_refused_in_json():
    text = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","sum":{"aggregationTemporality":%s}}]}]}]}'
    for name, rejects in (('"AGGREGATION_TEMPORALITY_DELTA"', {}), ('"DELTA"', 1), ('"1"', 1), ("-1", 1)):
        found = outcome_of((text % name).encode(), OtlpJsonParser).rejects
        assert found == ({Reason.ENCODING: 1} if rejects else {})
