"""Carbon's frames of Protocol Buffers: kernel and twin agree on anything, and on what the library writes."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import carbon_protobuf as twin
from reference.outcome import Outcome
from tallystick.parse import NameTable, padded, protocols

NOW_MS = 1_700_000_000_123
NAMES = st.one_of(
    st.sampled_from([b"web.h1.cpu", b"a;host=x", b"", b"a b", b"caf\xc3\xa9", b"\xff", b"x" * 1025]), st.binary()
)
POINTS = st.lists(st.tuples(st.integers(0, (1 << 64) - 1), st.floats()), max_size=3)
METRICS = st.builds(lambda name, points: twin.metric(name, *points), NAMES, POINTS)
PAYLOADS = st.lists(st.one_of(METRICS, st.binary(max_size=6)), max_size=4).map(b"".join)


def outcome_of(payloads: list[bytes]) -> Outcome:
    stream = b"".join(twin.frame(payload) for payload in payloads)
    names, outcome = NameTable(), Outcome()
    parsed = protocols()["carbon-protobuf"]().parse(padded(stream), len(stream), names, NOW_MS, final=True)
    assert parsed.consumed == len(stream)
    outcome.add(parsed, names)
    return outcome


def expected_of(payloads: list[bytes]) -> Outcome:
    outcome = Outcome()
    for payload in payloads:
        one = twin.parse(payload)
        outcome.samples += one.samples
        outcome.rejects += one.rejects
    return outcome


@settings(max_examples=400, deadline=None)
@given(
    payloads=st.lists(PAYLOADS, max_size=3),
    changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=3),
)
def test_the_kernel_reads_what_its_twin_reads(payloads: list[bytes], changes: list[tuple[int, int]]):
    assert outcome_of(payloads) == expected_of(payloads)
    if payloads:
        hurt = bytearray(payloads[0])
        for at, byte in changes:
            if hurt:
                hurt[at % len(hurt)] = byte
        assert outcome_of([bytes(hurt)]) == expected_of([bytes(hurt)])


def test_what_the_library_writes_is_read():
    file = descriptor_pb2.FileDescriptorProto(name="carbon.proto", package="carbon")
    types = descriptor_pb2.FieldDescriptorProto
    for name, rows in {
        "Point": [("timestamp", types.TYPE_UINT32, 1, ""), ("value", types.TYPE_DOUBLE, 1, "")],
        "Metric": [("metric", types.TYPE_STRING, 1, ""), ("points", types.TYPE_MESSAGE, 3, ".carbon.Point")],
        "Payload": [("metrics", types.TYPE_MESSAGE, 3, ".carbon.Metric")],
    }.items():
        message = file.message_type.add(name=name)
        for number, (field, type_, label, of) in enumerate(rows, 1):
            message.field.add(name=field, number=number, type=type_, label=label, type_name=of or None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    payload = message_factory.GetMessageClass(pool.FindMessageTypeByName("carbon.Payload"))()
    for k in range(3):
        metric = payload.metrics.add(metric=f"lib.m{k}")
        for second in range(2):
            metric.points.add(timestamp=1_700_000_000 + second, value=k + 0.5)
    outcome = outcome_of([payload.SerializeToString()])
    found = [(sample.name, sample.timestamp_ms, sample.value) for sample in outcome.samples]
    assert found == [
        (b"lib.m%d" % k, 1_700_000_000_000 + 1000 * second, k + 0.5) for k in range(3) for second in range(2)
    ]
    assert outcome.rejects == {}


def test_names_that_find_no_room_are_read_again():
    payload = b"".join(twin.metric(b"%05d" % k + b"x" * 800, (5, 1.0)) for k in range(700))
    assert len(outcome_of([payload]).samples) == 700
