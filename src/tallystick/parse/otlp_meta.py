"""What OpenTelemetry's metrics say of themselves: the unit and the description that stand beside each name.

The kernels pass them over, as each body says the same again; whoever wants to know reads a body now and then. Only the
fields of metrics are looked at, their points are stepped over.

Units are those of UCUM, such as ``By``, ``ms``, ``{request}`` and ``1``.

Source: https://opentelemetry.io/docs/specs/otel/metrics/data-model/ and its metrics.proto
"""

from collections.abc import Iterator, Sequence

import msgspec

from tallystick.parse.fields import Fields, text_of
from tallystick.parse.meant import Meant

METRICS_MAX = 10_000
"""Metrics of one body that are read."""

_RESOURCE_METRICS, _SCOPE_METRICS, _METRICS = 1, 2, 2
_NAME, _DESCRIPTION, _UNIT = 1, 2, 3


def meant_by_protobuf(body: bytes | memoryview) -> Iterator[Meant]:
    """What a body in Protocol Buffers says of its metrics; of one that is damaged what stands before the damage."""
    left, fields = METRICS_MAX, Fields()
    for resource in fields.messages(memoryview(body), _RESOURCE_METRICS):
        for scope in fields.messages(resource, _SCOPE_METRICS):
            for metric in fields.messages(scope, _METRICS):
                told = dict(fields.of(metric))
                name, description, unit = (text_of(told.get(number)) for number in (_NAME, _DESCRIPTION, _UNIT))
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
