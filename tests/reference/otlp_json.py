"""OTLP's metrics as JSON by Python's own reader and the schema's descriptors: the twin of the kernel of that name."""

import json
import re
import struct
from typing import NoReturn

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from reference import otlp
from reference.carbon import is_hard
from reference.otlp import Reported
from tallystick.kernels.json_text import DEPTH_MAX
from tallystick.model.reason import Reason

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
NOT_READ = {
    *("unit", "description", "exemplars", "metadata", "schema_url", "dropped_attributes_count"),
    *("zero_threshold", "entity_refs", "string_value_strindex", "key_strindex"),
}
"""Fields of the schema that are passed over, whatever is in them."""
FORMATS = {
    FieldDescriptor.TYPE_DOUBLE: "<d",
    FieldDescriptor.TYPE_FIXED64: "<Q",
    FieldDescriptor.TYPE_SFIXED64: "<q",
}
LIMITS = {
    FieldDescriptor.TYPE_FIXED64: (0, 1 << 64),
    FieldDescriptor.TYPE_UINT64: (0, 1 << 64),
    FieldDescriptor.TYPE_SFIXED64: (-(1 << 63), 1 << 63),
    FieldDescriptor.TYPE_INT64: (-(1 << 63), 1 << 63),
    FieldDescriptor.TYPE_UINT32: (0, 1 << 32),
    FieldDescriptor.TYPE_SINT32: (-(1 << 31), 1 << 31),
    FieldDescriptor.TYPE_ENUM: (0, 1 << 31),
}


class Members(list[tuple[str, object]]):
    """An object's members, as they stand there."""


class Number(str):
    """A number as it is written."""


def refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is not of the schema")


def parse(body: bytes) -> Reported:
    try:
        return otlp.parse(encoded(body))
    except (ValueError, RecursionError):
        outcome = Reported()
        outcome.reject(Reason.ENCODING)
        return outcome


def encoded(body: bytes) -> bytes:
    """A body in Protocol Buffers; ValueError if it is none."""
    request = json.loads(
        body.decode(), parse_int=Number, parse_float=Number, parse_constant=refuse, object_pairs_hook=Members
    )
    if depth_of(request) > DEPTH_MAX:
        refuse("what is nested so deeply")
    return message(request, ExportMetricsServiceRequest.DESCRIPTOR)


def depth_of(value: object) -> int:
    if not isinstance(value, list):
        return 0
    inner = (member for _, member in value) if isinstance(value, Members) else value
    return 1 + max(map(depth_of, inner), default=0)


def message(value: object, descriptor: Descriptor) -> bytes:
    if not isinstance(value, Members):
        refuse("something else than an object")
    out = b""
    for key, inner in value:
        key.encode()  # half a pair of surrogates is no key
        found = descriptor.fields_by_camelcase_name.get(key) or descriptor.fields_by_name.get(key)
        if inner is not None and found is not None and found.name not in NOT_READ:
            out += field(inner, found)
    return out


def field(value: object, found: FieldDescriptor) -> bytes:
    is_message = found.type == FieldDescriptor.TYPE_MESSAGE
    if not found.is_repeated:
        return one(value, found)
    if not isinstance(value, list) or isinstance(value, Members):
        refuse("something else than a list")
    if is_message:
        return b"".join(one(item, found) for item in value)
    return sized(found.number, b"".join(scalar(item, found)[1] for item in value))


def one(value: object, found: FieldDescriptor) -> bytes:
    if found.type == FieldDescriptor.TYPE_MESSAGE:
        return sized(found.number, message(value, found.message_type))
    wire, written = scalar(value, found)
    return bytes((found.number << 3 | wire,)) + written


def scalar(value: object, found: FieldDescriptor) -> tuple[int, bytes]:
    """The wire type of a value, and its bytes."""
    if found.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        if not isinstance(value, str) or isinstance(value, Number):
            refuse("something else than a text")
        return 2, varint(len(value.encode())) + value.encode()
    if found.type == FieldDescriptor.TYPE_BOOL:
        return (0, bytes((value,))) if isinstance(value, bool) else refuse("something else than true or false")
    if not isinstance(value, str):
        refuse("something else than a number")
    if found.type == FieldDescriptor.TYPE_DOUBLE:
        return 1, struct.pack("<d", double(value))
    if found.type == FieldDescriptor.TYPE_ENUM and not isinstance(value, Number):
        return 0, varint(found.enum_type.values_by_name[value].number if value in enum_names(found) else refuse(value))
    number = whole(value, *LIMITS[found.type])
    if found.type in FORMATS:
        return 1, struct.pack(FORMATS[found.type], number)
    if found.type == FieldDescriptor.TYPE_SINT32:
        number = number << 1 if number >= 0 else (-number << 1) - 1
    return 0, varint(number & (1 << 64) - 1)


def enum_names(found: FieldDescriptor) -> set[str]:
    return {value.name for value in found.enum_type.values}


def double(text: str) -> float:
    if not isinstance(text, Number) and text in ("NaN", "Infinity", "-Infinity"):
        return float(text)
    return float(text) if NUMBER.fullmatch(text) else refuse(text)


def whole(text: str, low: int, high: int) -> int:
    if NUMBER.fullmatch(text) is None:
        refuse(text)
    number = int(text) if WHOLE.fullmatch(text) else exact(text)
    return number if low <= number < high else refuse(text)


def exact(text: str) -> int:
    """Of a number with a fraction or an exponent, as far as it is exact."""
    value = float(text)
    if is_hard(text.encode(), value) or not abs(value) <= 1 << 53 or not value.is_integer():
        refuse(text)
    return int(value)


def sized(number: int, inner: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + varint(len(inner)) + inner


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
