"""OpenTelemetry's metrics (OTLP 1.x) as JSON: the other encoding of the body of ``POST /v1/metrics``.

A body is checked against the types of the schema, written as Protocol Buffers, and from there on it is one: everything
that `tallystick.parse.otlp` says holds. As the specification has it, keys are in lowerCamelCase, unknown ones are
passed over, enums are numbers, whole numbers of 64 bits may be in quotes, and so may ``NaN`` and ``Infinity``.
``null`` is what is not there.

- **Counting.** A body that is no JSON, or whose values are of other types, counts as one, and nothing of it is taken.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import struct
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import padded
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.parse.contract import Parsed, Rejects
from tallystick.parse.otlp import OtlpParser
from tallystick.parse.registry import protocol

_BROKEN = b"\0"  # which is no message: field 0 does not exist
_VARINT, _FIXED64, _BYTES = 0, 1, 2
_U64, _I64, _I32 = (0, 1 << 64), (-(1 << 63), 1 << 63), (-(1 << 31), 1 << 31)
_REPEATED_MAX, _REPEATED_CHARACTERS_MAX = 8192, 200  # attributes that are kept encoded, and how long they may be
_DOUBLE, _QUAD = struct.Struct("<d"), struct.Struct("<Q")

Whole = int | str | None
Number = float | str | None


class _Message(msgspec.Struct, rename="camel", frozen=True):
    """A message; fields that it does not name are passed over."""


class _Array(_Message, frozen=True):
    values: "list[_Value] | None" = None


class _Map(_Message, frozen=True):
    values: "list[_Attribute] | None" = None


class _Value(_Message, frozen=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Whole = None
    double_value: Number = None
    array_value: _Array | None = None
    kvlist_value: _Map | None = None
    bytes_value: str | None = None


class _Attribute(_Message, frozen=True):
    key: str | None = None
    value: _Value | None = None


class _Buckets(_Message, frozen=True):
    offset: Whole = None
    bucket_counts: list[int | str] | None = None


class _Quantile(_Message, frozen=True):
    quantile: Number = None
    value: Number = None


class _Point(_Message, frozen=True):
    """A data point of any sort: no two sorts have fields of one name and another type."""

    attributes: list[_Attribute] | None = None
    start_time_unix_nano: Whole = None
    time_unix_nano: Whole = None
    flags: Whole = None
    as_double: Number = None
    as_int: Whole = None
    count: Whole = None
    sum: Number = None
    min: Number = None
    max: Number = None
    bucket_counts: list[int | str] | None = None
    explicit_bounds: list[float | str] | None = None
    scale: Whole = None
    zero_count: Whole = None
    positive: _Buckets | None = None
    negative: _Buckets | None = None
    quantile_values: list[_Quantile] | None = None


class _Points(_Message, frozen=True):
    data_points: list[_Point] | None = None
    aggregation_temporality: int | None = None
    is_monotonic: bool | None = None


class _Metric(_Message, frozen=True):
    name: str | None = None
    gauge: _Points | None = None
    sum: _Points | None = None
    histogram: _Points | None = None
    exponential_histogram: _Points | None = None
    summary: _Points | None = None


class _Scope(_Message, frozen=True):
    name: str | None = None
    version: str | None = None
    attributes: list[_Attribute] | None = None


class _Resource(_Message, frozen=True):
    attributes: list[_Attribute] | None = None


class _ScopeMetrics(_Message, frozen=True):
    scope: _Scope | None = None
    metrics: list[_Metric] | None = None


class _ResourceMetrics(_Message, frozen=True):
    resource: _Resource | None = None
    scope_metrics: list[_ScopeMetrics] | None = None


class _Request(_Message, frozen=True):
    resource_metrics: list[_ResourceMetrics] | None = None


_DECODER = msgspec.json.Decoder(_Request)
_SORTS: tuple[tuple[Literal["gauge", "sum", "histogram", "exponential_histogram", "summary"], int], ...] = (
    ("gauge", 5),
    ("sum", 7),
    ("histogram", 9),
    ("exponential_histogram", 10),
    ("summary", 11),
)


@protocol("otlp-json")
class OtlpJsonParser(OtlpParser):
    """Bodies in JSON; parameters as of `OtlpParser`."""

    sample_bytes_min = 4

    def _run(
        self,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64] | list[int],
        lengths: NDArray[np.int32] | list[int],
        names: NameTable,
        now_ms: int,
        *,
        consumed: int,
        skipping: bool = False,
        fault: tuple[Reason, int, int] | None = None,
    ) -> Parsed:
        spans = [(int(start), int(start) + int(size)) for start, size in zip(offsets, lengths, strict=True)]
        bodies = [_encoded(buffer[start:stop].tobytes()) for start, stop in spans]
        sizes = [len(body) for body in bodies]
        starts = (np.cumsum([0, *sizes])[:-1] if sizes else np.empty(0)).astype(np.int64)
        encoded = padded(b"".join(bodies))
        parsed = super()._run(
            encoded,
            starts,
            np.array(sizes, np.int32),
            names,
            now_ms,
            consumed=consumed,
            skipping=skipping,
            fault=fault,
        )
        return replace(parsed, rejects=_at_home(parsed.rejects, encoded, starts, buffer, spans))


def _at_home(
    rejects: Rejects,
    encoded: NDArray[np.uint8],
    starts: NDArray[np.int64],
    buffer: NDArray[np.uint8],
    spans: list[tuple[int, int]],
) -> Rejects:
    """The rejects at the bodies that they were in, told by the names of their metrics where that is all that is bad."""
    texts, homes = [], []
    for k, span in enumerate((np.searchsorted(starts, rejects.offset, side="right") - 1).tolist()):
        start, stop = spans[span]
        is_body = rejects.reason[k] == Reason.ENCODING
        beginning = buffer[start : min(stop, start + NAME_BYTES_MAX)].tobytes()
        texts.append(beginning if is_body else rejects.text(k, encoded, NAME_BYTES_MAX))
        homes.append((start, stop - start))
    home = np.array(homes, np.int64).reshape(-1, 2)
    return replace(rejects, offset=home[:, 0], length=home[:, 1].astype(np.int32), texts=tuple(texts))


def _encoded(body: bytes) -> bytes:
    """A body as Protocol Buffers; what is no such message if it is not what the schema says."""
    try:
        request = _DECODER.decode(body)
        return b"".join(_message(1, _resource_metrics(part)) for part in request.resource_metrics or ())
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _BROKEN


def _resource_metrics(part: _ResourceMetrics) -> bytes:
    attributes = (part.resource.attributes if part.resource else None) or ()
    resource = _message(1, b"".join(_message(1, _attribute(a)) for a in attributes))
    return resource + b"".join(_message(2, _scope_metrics(scope)) for scope in part.scope_metrics or ())


def _scope_metrics(part: _ScopeMetrics) -> bytes:
    scope = b""
    if part.scope is not None:
        attributes = b"".join(_message(3, _attribute(a)) for a in part.scope.attributes or ())
        scope = _text(1, part.scope.name) + _text(2, part.scope.version) + attributes
    return _message(1, scope) + b"".join(_message(2, _metric(metric)) for metric in part.metrics or ())


def _metric(metric: _Metric) -> bytes:
    out = _text(1, metric.name)
    for sort, number in _SORTS:
        data: _Points | None = getattr(metric, sort)
        if data is not None:
            told = _varint(2, data.aggregation_temporality) + _varint(3, data.is_monotonic)
            points = b"".join(_message(1, _POINTS[number](point)) for point in data.data_points or ())
            out += _message(number, told + points)
    return out


def _number_point(p: _Point) -> bytes:
    value = _double(4, p.as_double) + _fixed(6, p.as_int, _I64)
    return _attributes(7, p) + _times(p) + value + _varint(8, p.flags)


def _histogram_point(p: _Point) -> bytes:
    counts = b"".join(_QUAD.pack(_whole(count, _U64)) for count in p.bucket_counts or ())
    bounds = b"".join(_DOUBLE.pack(float(bound)) for bound in p.explicit_bounds or ())
    shape = _message(6, counts) + _message(7, bounds)
    extremes = _double(11, p.min) + _double(12, p.max)
    return (
        _attributes(9, p)
        + _times(p)
        + _fixed(4, p.count, _U64)
        + _double(5, p.sum)
        + shape
        + extremes
        + _varint(10, p.flags)
    )


def _exponential_point(p: _Point) -> bytes:
    told = _fixed(4, p.count, _U64) + _double(5, p.sum) + _zigzag(6, p.scale) + _fixed(7, p.zero_count, _U64)
    buckets = b"".join(_message(n, _buckets(b)) for n, b in ((8, p.positive), (9, p.negative)) if b is not None)
    extremes = _double(12, p.min) + _double(13, p.max)
    return _attributes(1, p) + _times(p) + told + buckets + extremes + _varint(10, p.flags)


def _buckets(buckets: _Buckets) -> bytes:
    counts = b"".join(_base128(_whole(count, _U64)) for count in buckets.bucket_counts or ())
    return _zigzag(1, buckets.offset) + _message(2, counts)


def _summary_point(p: _Point) -> bytes:
    quantiles = (_message(6, _double(1, q.quantile) + _double(2, q.value)) for q in p.quantile_values or ())
    told = _fixed(4, p.count, _U64) + _double(5, p.sum)
    return _attributes(7, p) + _times(p) + told + b"".join(quantiles) + _varint(8, p.flags)


_POINTS = {
    5: _number_point,
    7: _number_point,
    9: _histogram_point,
    10: _exponential_point,
    11: _summary_point,
}


def _attributes(number: int, point: _Point) -> bytes:
    return b"".join(_message(number, _attribute(a)) for a in point.attributes or ())


def _attribute(attribute: _Attribute) -> bytes:
    key, text = attribute.key, attribute.value.string_value if attribute.value is not None else None
    if key is not None and text is not None and len(key) + len(text) <= _REPEATED_CHARACTERS_MAX:
        return _encoded_pair(key, text)
    value = _message(2, _value(attribute.value)) if attribute.value is not None else b""
    return _text(1, attribute.key) + value


@lru_cache(_REPEATED_MAX)
def _encoded_pair(key: str, text: str) -> bytes:
    """Of text, as nearly all attributes are, and those of a sender repeat."""
    return _text(1, key) + _message(2, _text(1, text))


def _value(value: _Value) -> bytes:
    out = b""
    if value.string_value is not None:
        out += _text(1, value.string_value)
    if value.bool_value is not None:
        out += _varint(2, value.bool_value)
    if value.int_value is not None:
        out += _key(3, _VARINT) + _base128(_whole(value.int_value, _I64) & (_U64[1] - 1))
    if value.double_value is not None:
        out += _double(4, value.double_value)
    if value.array_value is not None:
        out += _message(5, _all(_message(1, _value(item)) for item in value.array_value.values or ()))
    if value.kvlist_value is not None:
        out += _message(6, _all(_message(1, _attribute(item)) for item in value.kvlist_value.values or ()))
    if value.bytes_value is not None:
        out += _text(7, value.bytes_value)
    return out


def _all(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)


def _times(point: _Point) -> bytes:
    return _fixed(2, point.start_time_unix_nano, _U64) + _fixed(3, point.time_unix_nano, _U64)


def _whole(value: int | str, limits: tuple[int, int]) -> int:
    """A whole number, in quotes or not.

    Raises
    ------
    ValueError
        If it is none, or beyond what the field can hold.
    """
    whole = int(value)
    if not limits[0] <= whole < limits[1]:
        raise ValueError(f"cannot hold {whole}: it is too large; expected {limits[0]} to {limits[1] - 1}")
    return whole


def _key(number: int, wire: int) -> bytes:
    return bytes((number << 3 | wire,))


def _base128(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _message(number: int, inner: bytes) -> bytes:
    return _key(number, _BYTES) + _base128(len(inner)) + inner


def _text(number: int, text: str | None) -> bytes:
    return b"" if text is None else _message(number, text.encode())


def _varint(number: int, value: Whole) -> bytes:
    return b"" if value is None else _key(number, _VARINT) + _base128(_whole(value, _U64))


def _zigzag(number: int, value: Whole) -> bytes:
    if value is None:
        return b""
    whole = _whole(value, _I32)
    return _key(number, _VARINT) + _base128(whole << 1 if whole >= 0 else (-whole << 1) - 1)


def _fixed(number: int, value: Whole, limits: tuple[int, int]) -> bytes:
    if value is None:
        return b""
    return _key(number, _FIXED64) + _QUAD.pack(_whole(value, limits) & (_U64[1] - 1))


def _double(number: int, value: Number) -> bytes:
    return b"" if value is None else _key(number, _FIXED64) + _DOUBLE.pack(float(value))
