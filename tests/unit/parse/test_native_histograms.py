"""Prometheus' native histograms: in which buckets of ours the samples are that came between two reports."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prometheus_messages import request, write_request
from tallystick.kernels.histogram import SHIFT, middle_of
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parsed, padded, protocols
from tallystick.parse.remote_write import RemoteWrite2Parser, RemoteWriteParser

T0_MS = 1_700_000_000_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
LABELS = [(b"__name__", b"rpc_seconds"), (b"job", b"a")]

Histogram = dict[str, object]


def parse(parser: RemoteWriteParser, *histograms: Histogram, at_s: int = 0, **series: object) -> Parsed:
    """What a request with some histograms of one series gives, each 15 seconds later."""
    rows = [{"timestamp": T0_MS + 1000 * (at_s + 15 * k), **h} for k, h in enumerate(histograms)]
    write = request if isinstance(parser, RemoteWrite2Parser) else write_request
    message = write([(LABELS, {"histograms": rows, **series})])
    names = NameTable()
    parsed = parser.parse(padded(message), len(message), names, T0_MS, final=True)
    assert parsed.lines == parsed.taken + parsed.rejects.total
    assert parsed.tallies is None or names.names(parsed.tallies.ids) == [b"rpc_seconds;job=a"] * parsed.tallied
    return parsed


def exponential(
    schema: int, positive: dict[int, int], negative: dict[int, int] | None = None, zeros: int = 0
) -> Histogram:
    """A histogram of whole counts, as the Go client writes it."""
    fields: Histogram = {"schema": schema, "zero_count_int": zeros, "sum": 1.0}
    fields["count_int"] = zeros + sum(positive.values()) + sum((negative or {}).values())
    for word, buckets in (("positive", positive), ("negative", negative or {})):
        spans, deltas, before, behind = [], [], 0, 0
        for index, count in sorted(buckets.items()):
            if spans and index == behind:
                spans[-1]["length"] += 1
            else:
                spans.append({"offset": index - behind, "length": 1})
            deltas.append(count - before)
            before, behind = count, index + 1
        fields |= {f"{word}_spans": spans, f"{word}_deltas": deltas}
    return fields


def counted(parsed: Parsed, row: int = 0) -> dict[int, float]:
    """What is in each bucket of ours."""
    histograms = parsed.tallies.histograms
    inside = slice(histograms.offset[row], histograms.offset[row + 1])
    return dict(zip(histograms.bucket[inside].tolist(), histograms.weight[inside].tolist(), strict=True))


def reasons(parsed: Parsed) -> dict[Reason, int]:
    return {Reason(k): int(parsed.rejects.counts[k]) for k in np.flatnonzero(parsed.rejects.counts)}


@pytest.mark.parametrize("parser", [RemoteWriteParser, RemoteWrite2Parser])
def test_what_came_between_two_reports_is_a_timing(parser: type[RemoteWriteParser]):
    first = exponential(5, {1: 2, 2: 1}, {3: 1}, zeros=1) | {"sum": 4.0}
    second = exponential(5, {1: 5, 2: 1, 9: 1}, {3: 2}, zeros=4) | {"sum": 7.5}
    parsed = parse(parser(), first, second)
    assert reasons(parsed) == {Reason.RESET: 1}
    assert counted(parsed) == {-(SHIFT + 2): 1, 0: 3, SHIFT: 3, SHIFT + 8: 1}
    tallies = parsed.tallies
    assert (tallies.kind.tolist(), tallies.timestamp.tolist()) == ([Kind.TIMING], [T0_MS + 15_000])
    assert (tallies.spread.count.tolist(), tallies.spread.sum.tolist()) == ([8], [3.5])


def test_a_bucket_that_falls_is_a_sender_that_began_anew():
    parsed = parse(RemoteWriteParser(), exponential(3, {1: 9}), exponential(3, {1: 2, 2: 1}))
    assert parsed.tallies.spread.count.tolist() == [3]


def test_a_report_of_nothing_new_is_no_sample_and_one_that_is_sent_again_is_a_duplicate():
    parser, same = RemoteWriteParser(), exponential(3, {1: 9})
    assert (parse(parser, same, same).lines, parse(parser, same, at_s=15).lines) == (1, 1)
    assert reasons(parse(parser, same, at_s=15)) == {Reason.DUPLICATE: 1}


@pytest.mark.parametrize("start", [{"created_timestamp": T0_MS + 1000}, {}])
def test_a_first_report_counts_whose_sender_began_since_we_look(start: dict[str, int]):
    """The parser looks since its first report, which is of another series."""
    parser = RemoteWrite2Parser()
    parse(parser, exponential(0, {1: 1}))
    report = exponential(0, {4: 7}) | {"timestamp": T0_MS + 5000}
    other = [(b"__name__", b"new_seconds")]
    message = request([(other, {"histograms": [report], **start})])
    parsed = parser.parse(padded(message), len(message), NameTable(), T0_MS, final=True)
    assert parsed.tallied == (1 if start else 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=40), st.integers(-4, 8))
def test_a_sample_is_found_where_its_bucket_is(values: list[float], schema: int):
    positive: dict[int, int] = {}
    negative: dict[int, int] = {}
    zeros = 0
    for value in values:
        if abs(value) < 1e-100:
            zeros += 1
            continue
        index = math.ceil(math.log2(abs(value)) * 2.0**schema)
        buckets = positive if value > 0 else negative
        buckets[index] = buckets.get(index, 0) + 1
    parsed = parse(RemoteWriteParser(), exponential(schema, {}), exponential(schema, positive, negative, zeros))
    found = sorted(middle_of(bucket) for bucket, weight in counted(parsed).items() for _ in range(round(weight)))
    width = 2.0 ** (2.0 ** -min(schema, 5)) * 1.03  # between the bounds of a bucket, and some for rounding at one
    for value, place in zip(sorted(0.0 if abs(value) < 1e-100 else value for value in values), found, strict=True):
        assert value == place == 0 or 1 / width <= place / value <= width


def test_custom_buckets_keep_their_bounds():
    first = {
        "schema": -53,
        "custom_values": [0.1, 0.5, 1.0],
        "positive_spans": [{"offset": 0, "length": 4}],
        "sum": 0.0,
    }
    second = first | {"positive_deltas": [10, -10, 5, -4], "sum": 6.0}
    parsed = parse(RemoteWriteParser(), first | {"positive_deltas": [0, 0, 0, 0]}, second)
    values = [middle_of(bucket) for bucket, weight in sorted(counted(parsed).items()) for _ in range(int(weight))]
    assert len(values) == 16
    assert all(0 <= value <= 0.102 for value in values[:10])
    assert all(0.49 <= value <= 1.02 for value in values[10:15])
    assert values[15] >= 0.98


def test_histograms_of_floats_are_read_too():
    spans = {"schema": 0, "positive_spans": [{"offset": 1, "length": 2}], "sum": 9.0}
    reports = [spans | {"positive_counts": counts, "count_float": sum(counts)} for counts in ([0.5, 0.0], [1.25, 2.5])]
    assert parse(RemoteWriteParser(), *reports).tallies.spread.count.tolist() == [3.25]


@pytest.mark.parametrize(
    ("histogram", "reason"),
    [
        ({"sum": STALE}, Reason.STALE),
        ({"timestamp": 0}, Reason.TIMESTAMP),
        ({"schema": 9}, Reason.UNSUPPORTED),
        ({"schema": -5}, Reason.UNSUPPORTED),
        ({"reset_hint": 3}, Reason.UNSUPPORTED),
        ({"positive_deltas": [1]}, Reason.FRAME),
        ({"positive_spans": [{"length": 1}]}, Reason.FRAME),
        ({"positive_spans": [{"length": 0xFFFFFFFF}], "positive_deltas": [1]}, Reason.FRAME),
        ({"positive_spans": [{"length": 1}, {"offset": -1, "length": 1}], "positive_deltas": [1, 1]}, Reason.FRAME),
        ({"positive_spans": [{"length": 2}], "positive_deltas": [1, -2]}, Reason.FRAME),
        ({"positive_spans": [{"length": 1}], "positive_counts": [math.inf]}, Reason.VALUE_NOT_FINITE),
        ({"zero_count_float": -1.0}, Reason.FRAME),
        ({"zero_count_float": math.nan}, Reason.VALUE_NOT_FINITE),
        ({"schema": -53, "custom_values": [1.0, 1.0]}, Reason.FRAME),
        ({"schema": -53, "custom_values": [math.inf]}, Reason.FRAME),
        ({"schema": -53, "positive_spans": [{"offset": 1, "length": 1}], "positive_deltas": [1]}, Reason.FRAME),
        ({"positive_spans": [{"length": 5000}], "positive_deltas": [1] * 5000}, Reason.UNSUPPORTED),
        ({"positive_spans": [{"length": 0}] * 2000}, Reason.UNSUPPORTED),
    ],
)  # fmt: skip
def test_what_is_no_histogram_that_can_be_counted_is_rejected(histogram: Histogram, reason: Reason):
    assert reasons(parse(RemoteWriteParser(), {"sum": 1.0, **histogram})) == {reason: 1}


def test_buckets_beyond_those_of_doubles_are_the_outermost():
    places = {"positive_spans": [{"offset": 2_000_000_000, "length": 1}], "positive_deltas": [1]}
    places |= {"negative_spans": [{"offset": -2_000_000_000, "length": 1}], "negative_deltas": [1]}
    parsed = parse(RemoteWriteParser(), {"schema": 8, "sum": 0.0}, {"schema": 8, "sum": math.inf, **places})
    assert sorted(counted(parsed)) == [-(SHIFT - 34_400), SHIFT + 32_767]
    assert np.isfinite(parsed.tallies.spread.sum).all()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4))
def test_any_bytes_are_taken_or_rejected(noise: bytes, changes: list[tuple[int, int]]):
    rows = [exponential(3, {1: 2, 5: 1}, {2: 1}, zeros=1) | {"timestamp": T0_MS + k} for k in range(2)]
    message = bytearray(write_request([(LABELS, {"histograms": rows})]) + noise)
    for at, byte in changes:
        message[at % len(message)] = byte
    for name in ("remote-write", "remote-write-2"):
        parsed = protocols()[name]().parse(padded(bytes(message)), len(message), NameTable(), T0_MS, final=True)
        assert parsed.lines == parsed.taken + parsed.rejects.total
        if parsed.tallies is not None:
            assert np.isfinite(parsed.tallies.spread.m2).all()
            assert (parsed.tallies.spread.count > 0).all()
