"""Protocol Buffers' wire format: the readers for kernels say what the library says, and stay within their message."""

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tallystick.kernels import protobuf as wire
from tallystick.parse import padded

FIELDS = {  # of the message below: number, type, and how its value is told from what stands on the wire
    "whole": (1, "UINT64", int),
    "signed": (2, "SINT64", lambda bits: int(wire.unzigzag(np.uint64(bits)))),
    "double": (3, "DOUBLE", lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]),
    "single": (16, "FLOAT", lambda bits: struct.unpack("<f", struct.pack("<I", bits))[0]),
    "data": (536_870_911, "BYTES", bytes),
}


def message_type() -> type[message.Message]:
    file = descriptor_pb2.FileDescriptorProto(name="all.proto", package="test", syntax="proto2")
    all_ = file.message_type.add(name="All")
    for name, (number, word, _) in FIELDS.items():
        kind = getattr(descriptor_pb2.FieldDescriptorProto, f"TYPE_{word}")
        all_.field.add(name=name, number=number, type=kind, label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.All"))


All = message_type()


def fields(text: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Number, wire type and value of each field, by the readers; ends where one is bad.

    Raises
    ------
    ValueError
        Where one is bad.
    """
    buffer, at, stop = padded(text), 0, len(text)
    while at < stop:
        number, kind, value_at = wire.read_key(buffer, at, stop)
        if value_at == wire.BAD:
            raise ValueError("key")
        value: int | bytes
        if kind == wire.BYTES:
            begin, at = wire.read_bounds(buffer, value_at, stop)
            value = bytes(buffer[begin : max(at, begin)])
        else:
            read = {wire.VARINT: wire.read_varint, wire.FIXED64: wire.read_fixed64, wire.FIXED32: wire.read_fixed32}
            bits, at = read[kind](buffer, value_at, stop)
            value = int(bits)
        assert wire.skip_field(buffer, kind, value_at, stop) == at
        if at == wire.BAD:
            raise ValueError("value")
        assert value_at < at <= stop
        yield number, kind, value


WHOLE = st.integers(0, (1 << 64) - 1)


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "whole": WHOLE,
            "signed": st.integers(-(1 << 63), (1 << 63) - 1),
            "double": st.floats(allow_nan=False),
            "single": st.floats(width=32, allow_nan=False),
            "data": st.binary(max_size=300),
        },
    )
)
def test_what_the_library_writes_is_read(values: dict[str, object]):
    told = {number: (name, meaning) for name, (number, _, meaning) in FIELDS.items()}
    found = {}
    for number, _, value in fields(All(**values).SerializeToString()):
        name, meaning = told[number]
        found[name] = meaning(value)
    assert found == values


def key(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


PIECES = st.one_of(
    st.binary(max_size=12),
    st.builds(key, st.integers(0, 1 << 30), st.integers(0, 7)),
    WHOLE.map(varint),
    st.integers(0, 20).map(varint),
    st.sampled_from([b"\x80" * 9 + b"\x01", b"\x80" * 10 + b"\x01", b"\xff" * 9 + b"\x02", b"\x80\x00"]),
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(PIECES, max_size=8).map(b"".join))
@example(key(1, 0) + b"\x80" * 10 + b"\x01")
@example(key(16, 2) + varint((1 << 64) - 1))
def test_any_bytes_that_are_read_are_a_message_to_the_library(text: bytes):
    try:
        read = list(fields(text))
    except ValueError:
        return
    parsed = All.FromString(text)
    last = {number: value for number, kind, value in read if number == 1 and kind == wire.VARINT}
    assert parsed.whole == last.get(1, 0)


@pytest.mark.parametrize(
    "text",
    [
        key(1, 3) + key(1, 4),
        key(0, 0) + b"\x01",
        key(1, 6) + b"\x01",
        key(1 << 29, 0) + b"\x01",
        key(1, 0) + b"\x80" * 10 + b"\x01",
        key(1, 0) + b"\xff" * 9 + b"\x02",
        key(1, 0) + b"\x80",
        key(1, 0),
        b"\x80",
        key(3, 1) + bytes(7),
        key(16, 5) + bytes(3),
        key(9, 2) + b"\x04abc",
        key(9, 2) + varint((1 << 63) + 2) + b"abc",
    ],
    ids=lambda text: text.hex(),
)
def test_what_is_not_as_the_format_has_it_is_bad(text: bytes):
    with pytest.raises(ValueError, match=r"key|value"):
        list(fields(text))


def test_nothing_is_read_behind_the_message():
    """The bytes behind the stop would make every one of these good."""
    buffer = padded(b"\x01" * 40)
    assert wire.read_varint(padded(b"\x80\x01"), 0, 1)[1] == wire.BAD
    assert wire.read_fixed64(buffer, 3, 10)[1] == wire.BAD
    assert wire.read_fixed32(buffer, 3, 6)[1] == wire.BAD
    assert wire.read_bounds(padded(b"\x05" + bytes(20)), 0, 5)[1] == wire.BAD
    assert wire.read_key(buffer, 4, 4)[2] == wire.BAD
