"""Ganglia's datagrams: the kernel says what its plain twin says, of anything and in any order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import ganglia, xdr
from reference.outcome import Outcome
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.parse import NameTable, Parser, padded, protocols
from tallystick.parse.ganglia import GangliaParser

NOW_MS = 1_700_000_000_123

HOSTS = st.one_of(
    st.sampled_from([b"vm", b"Web1.Example.com", b"10.0.0.9:web9", b"fe80::1:web", b"", b":x", b"x:", b"h" * 1200]),
    st.binary(max_size=6),
)
METRICS = st.one_of(
    st.sampled_from([b"load_one", b"disk free;x", b"a.b", b"cpu:9", b"", b"heartbeat", b"LOCATION", b"\xc3\xa9"]),
    st.binary(max_size=4),
)
TEXTS = st.one_of(
    st.sampled_from([b"21.5", b" 7 ", b"", b"x86_64", b"nan", b"-inf", b"1e999", b"123456789012345678901.5", b"5"]),
    st.floats().map(lambda x: repr(x).encode()),
    st.binary(max_size=8),
)
VALUES = st.one_of(
    st.tuples(st.just("string"), TEXTS),
    st.tuples(st.just("float"), st.floats(width=32)),
    st.tuples(st.just("double"), st.floats()),
    st.tuples(st.sampled_from(["short", "int"]), st.integers(-(1 << 31), (1 << 31) - 1)),
    st.tuples(st.sampled_from(["ushort", "uint"]), st.integers(0, (1 << 32) - 1)),
)


@st.composite
def datagram(draw: st.DrawFn) -> bytes:
    host, metric, spoofed = draw(HOSTS), draw(METRICS), draw(st.booleans())
    what = draw(st.sampled_from(["metadata", "metadata", "value", "value", "value", "request", "noise"]))
    if what == "metadata":
        kind = draw(st.sampled_from([b"float", b"uint32", b"string", b"STRING", b"", b"\xff"]))
        extra = draw(st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5)), max_size=3))
        slope = draw(st.sampled_from(sorted(xdr.SLOPES)))
        dmax = draw(st.sampled_from([0, 1, (1 << 32) - 1]))
        return xdr.metadata(host, metric, kind, slope, dmax=dmax, spoofed=spoofed, extra=tuple(extra))
    if what == "value":
        return xdr.value(host, metric, *draw(VALUES), spoofed=spoofed)
    return xdr.request(host, metric) if what == "request" else draw(st.binary(max_size=60))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A datagram, some bytes of it overwritten, perhaps cut off."""
    data = bytearray(draw(datagram()))
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=3)):
        if data:
            data[at % len(data)] = byte
    return bytes(data[: draw(st.one_of(st.just(len(data)), st.integers(0, len(data))))])


def parse(parser: Parser, datagrams: list[bytes], names: NameTable, now_ms: int) -> Outcome:
    lengths = np.array([len(one) for one in datagrams], np.int32)
    offsets = (np.cumsum(lengths) - lengths).astype(np.int64)
    outcome, buffer = Outcome(), padded(b"".join(datagrams))
    outcome.add(parser.parse_datagrams(buffer, offsets, lengths, names, now_ms), names)
    assert bytes(buffer[: int(lengths.sum())]) == b"".join(datagrams)
    return outcome


@settings(max_examples=500, deadline=None)
@given(bursts=st.lists(st.tuples(st.integers(0, 50_000), st.lists(mutated(), max_size=8)), max_size=4))
def test_the_kernel_says_what_its_twin_says(bursts: list[tuple[int, list[bytes]]]) -> None:
    parser, names, twin, now_ms = GangliaParser(), NameTable(), ganglia.Listening(), NOW_MS
    for later_ms, datagrams in bursts:
        now_ms += later_ms
        expected = Outcome()
        for one in datagrams:
            outcome = twin.parse(one, now_ms)
            expected.samples += outcome.samples
            expected.rejects += outcome.rejects
        assert parse(parser, datagrams, names, now_ms) == expected


def test_more_metrics_than_there_is_room_for_at_first_are_all_kept() -> None:
    parser, names = GangliaParser(), NameTable()
    wave = [xdr.metadata(b"h", b"m%d" % k, slope="positive") for k in range(5000)]
    assert parse(parser, wave, names, NOW_MS) == Outcome()
    outcome = parse(parser, [xdr.value(b"h", b"m%d" % k, "double", float(k)) for k in range(5000)], names, NOW_MS)
    assert [(sample.name, sample.value) for sample in outcome.samples] == [
        (b"ganglia.h.m%d" % k, float(k)) for k in range(5000)
    ]
    assert {sample.kind for sample in outcome.samples} == {Kind.CUMULATIVE}


def test_what_is_remembered_is_bounded_and_what_fell_silent_is_forgotten() -> None:
    parser, names = GangliaParser(metrics_max=100), NameTable()
    parse(parser, [xdr.metadata(b"old", b"m%d" % k) for k in range(100)], names, NOW_MS)
    late = [xdr.metadata(b"new", b"m"), xdr.value(b"new", b"m", "double", 1.0)]
    assert parse(parser, late, names, NOW_MS).rejects == {Reason.UNDECLARED: 2}
    assert [sample.name for sample in parse(parser, late, names, NOW_MS + 3_601_000).samples] == [b"ganglia.new.m"]


def test_a_metric_is_forgotten_after_its_dmax_when_room_is_needed() -> None:
    parser, names = GangliaParser(metrics_max=100), NameTable()
    parse(parser, [xdr.metadata(b"old", b"m%d" % k, dmax=60) for k in range(100)], names, NOW_MS)
    late = [xdr.metadata(b"new", b"m"), xdr.value(b"new", b"m", "double", 1.0)]
    assert len(parse(parser, late, names, NOW_MS + 61_000).samples) == 1


def test_each_sample_can_be_told_by_its_datagram() -> None:
    parser, names = protocols()["ganglia"](), NameTable()
    sent = [xdr.metadata(b"h", b"m"), xdr.value(b"h", b"m", "int", 5), b"", xdr.value(b"h", b"m", "int", 6)]
    lengths = np.array([len(one) for one in sent], np.int32)
    offsets = (np.cumsum(lengths) - lengths).astype(np.int64)
    parsed = parser.parse_datagrams(padded(b"".join(sent)), offsets, lengths, names, NOW_MS)
    assert parsed.began.tolist() == [[0, 0], [0, 0], [1, 1], [1, 2]]
