"""What OpenTelemetry's metrics say of themselves: the unit and the description that stand beside each name.

The kernels pass them over, as each body says the same again; whoever wants to know reads a body now and then. Only the
fields of metrics are looked at, their points are stepped over.

Units are those of UCUM, such as ``By``, ``ms``, ``{request}`` and ``1``.

Source: https://opentelemetry.io/docs/specs/otel/metrics/data-model/ and its metrics.proto
"""

from collections.abc import Iterator, Sequence

import msgspec

from tallystick.parse.meant import Meant

METRICS_MAX = 10_000
"""Metrics of one body that are read."""

_RESOURCE_METRICS, _SCOPE_METRICS, _METRICS = 1, 2, 2
_NAME, _DESCRIPTION, _UNIT = 1, 2, 3
_BYTES = 2
"""Wire type of what has a length."""


def meant_by_protobuf(body: bytes | memoryview) -> Iterator[Meant]:
    """What a body in Protocol Buffers says of its metrics; of one that is damaged what stands before the damage."""
    view, left = memoryview(body), METRICS_MAX
    for resource in _fields(view, _RESOURCE_METRICS):
        for scope in _fields(resource, _SCOPE_METRICS):
            for metric in _fields(scope, _METRICS):
                texts = {number: piece for number, piece in _every(metric) if number in (_NAME, _DESCRIPTION, _UNIT)}
                name, description, unit = (
                    bytes(texts.get(number, b"")).decode("utf-8", "replace") for number in (_NAME, _DESCRIPTION, _UNIT)
                )
                if name and (unit or description):
                    yield Meant(name, unit, description)
                left -= 1
                if not left:
                    return


class _Metric(msgspec.Struct):
    name: str = ""
    description: str = ""
    unit: str = ""


class _Scope(msgspec.Struct):
    metrics: Sequence[_Metric] = ()


class _Resource(msgspec.Struct, rename="camel"):
    scope_metrics: Sequence[_Scope] = ()


class _Body(msgspec.Struct, rename="camel"):
    resource_metrics: Sequence[_Resource] = ()


_decoder = msgspec.json.Decoder(_Body)


def meant_by_json(body: bytes | memoryview) -> Iterator[Meant]:
    """What a body in JSON says of its metrics; nothing if it cannot be read."""
    try:
        told = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    metrics = (one for resource in told.resource_metrics for scope in resource.scope_metrics for one in scope.metrics)
    for _, metric in zip(range(METRICS_MAX), metrics, strict=False):
        if metric.name and (metric.unit or metric.description):
            yield Meant(metric.name, metric.unit, metric.description)


def _fields(message: memoryview, wanted: int) -> Iterator[memoryview]:
    return (piece for number, piece in _every(message) if number == wanted)


def _every(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message that have a length, and their numbers."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _BYTES:
            size, at = _varint(message, at)
            if at + size > end:
                return
            yield key >> 3, message[at : at + size]
            at += size
        elif wire == 0:
            _, at = _varint(message, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            return


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number, and the position behind it; behind the end where there is none."""
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return 0, len(message) + 1
