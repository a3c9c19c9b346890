"""The schema of OTLP's metrics as a table, for the kernel that reads them as JSON.

Only what `tallystick.kernels.otlp` reads is in it: other members are passed over. Keys are in lowerCamelCase, as OTLP
has them, or as the schema spells them, which OpenTelemetry's Collector takes as well.

Schema: https://github.com/open-telemetry/opentelemetry-proto, ``metrics/v1/metrics.proto``.
"""

import re

import numpy as np

from tallystick.kernels.json_text import keys_of
from tallystick.kernels.protobuf import BYTES, FIXED64, VARINT

MESSAGE, TEXT, DOUBLE, FIXED, SIGNED_FIXED, SIGNED, UNSIGNED_32, ZIGZAG_32, BOOL, TEMPORALITY, COUNT = range(11)
"""Forms of values. Lists of numbers are packed; `COUNT` is an unsigned varint of 64 bits."""

_WIRES = (BYTES, BYTES, FIXED64, FIXED64, FIXED64, VARINT, VARINT, VARINT, VARINT, VARINT, VARINT)
_MAX_63, _MAX_31 = (1 << 63) - 1, (1 << 31) - 1
WHOLE_MAX = np.array([0, 0, 0, 2**64 - 1, _MAX_63, _MAX_63, 2**32 - 1, _MAX_31, 0, _MAX_31, 2**64 - 1], np.uint64)
"""The greatest number of each form that is whole."""
WHOLE_MIN = np.array([0, 0, 0, 0, 1 << 63, 1 << 63, 0, 1 << 31, 0, 0, 0], np.uint64)
"""The least one, without its sign."""

REQUEST = 0
"""The message that a body is."""

# A member: key, number of the field, its form or the message that it is; a star stands before lists. The members that
# come most often are first, as they are looked for in this order.
_VALUE = "stringValue 1 text, intValue 3 signed, boolValue 2 bool, doubleValue 4 double, arrayValue 5 list, "
_TIMES = "timeUnixNano 3 fixed, startTimeUnixNano 2 fixed"
_TOLD = "count 4 fixed, sum 5 double"
_DATA = "aggregationTemporality 2 temporality"
_MESSAGES = {
    "request": "resourceMetrics 1 *resourceMetrics",
    "resourceMetrics": "resource 1 resource, scopeMetrics 2 *scopeMetrics",
    "resource": "attributes 1 *attribute",
    "scopeMetrics": "scope 1 scope, metrics 2 *metric",
    "scope": "name 1 text, version 2 text, attributes 3 *attribute",
    "metric": "name 1 text, gauge 5 numbers, sum 7 numbers, histogram 9 histograms, "
    "exponentialHistogram 10 exponentials, summary 11 summaries",
    "numbers": f"dataPoints 1 *number, {_DATA}, isMonotonic 3 bool",
    "histograms": f"dataPoints 1 *histogram, {_DATA}",
    "exponentials": f"dataPoints 1 *exponential, {_DATA}",
    "summaries": "dataPoints 1 *summary",
    "number": f"attributes 7 *attribute, {_TIMES}, asDouble 4 double, asInt 6 signedFixed, flags 8 unsigned",
    "histogram": f"attributes 9 *attribute, {_TIMES}, {_TOLD}, bucketCounts 6 *fixed, explicitBounds 7 *double, "
    "min 11 double, max 12 double, flags 10 unsigned",
    "exponential": f"attributes 1 *attribute, {_TIMES}, {_TOLD}, scale 6 zigzag, zeroCount 7 fixed, "
    "positive 8 buckets, negative 9 buckets, min 12 double, max 13 double, flags 10 unsigned",
    "buckets": "offset 1 zigzag, bucketCounts 2 *count",
    "summary": f"attributes 7 *attribute, {_TIMES}, {_TOLD}, quantileValues 6 *quantile, flags 8 unsigned",
    "quantile": "quantile 1 double, value 2 double",
    "attribute": "key 1 text, value 2 value",
    "value": f"{_VALUE}kvlistValue 6 map, bytesValue 7 text",
    "list": "values 1 *value",
    "map": "values 1 *attribute",
}
_FORMS = {
    "text": TEXT,
    "double": DOUBLE,
    "fixed": FIXED,
    "signedFixed": SIGNED_FIXED,
    "signed": SIGNED,
    "unsigned": UNSIGNED_32,
    "zigzag": ZIGZAG_32,
    "bool": BOOL,
    "temporality": TEMPORALITY,
    "count": COUNT,
}
_SMALL, _MIDDLE = {"attribute", "value", "quantile"}, {"number", "resource", "scope", "summary"}


def _members() -> list[tuple[int, str, int, str, bool]]:
    """Message, key, number of the field, its form or message, and whether it is a list, of all members."""
    found = []
    for message, text in enumerate(_MESSAGES.values()):
        camel = [(key, int(number), form) for key, number, form in (member.split() for member in text.split(", "))]
        snake = [(re.sub("[A-Z]", lambda m: "_" + m[0].lower(), key), number, form) for key, number, form in camel]
        known = dict.fromkeys(camel + snake)
        found += [(message, key, number, form.lstrip("*"), form[0] == "*") for key, number, form in known]
    return found


_ALL = _members()
_NAMES = list(_MESSAGES)
MEMBERS = np.searchsorted([member[0] for member in _ALL], np.arange(len(_NAMES) + 1))
"""int64[messages + 1]: those of message ``m`` are ``MEMBERS[m]`` to ``MEMBERS[m + 1]``."""
KEYS = keys_of([key for _, key, *_ in _ALL])
"""Of all members."""
FORM = np.array([_FORMS.get(form, MESSAGE) for *_, form, _ in _ALL])
"""int64[members]."""
CHILD = np.array([_NAMES.index(form) if form not in _FORMS else -1 for *_, form, _ in _ALL])
"""int64[members]: the message that a member is."""
IS_LIST = np.array([many for *_, many in _ALL])
"""bool[members]."""
TAG = np.array([n << 3 | (BYTES if many else _WIRES[_FORMS.get(form, MESSAGE)]) for _, _, n, form, many in _ALL])
"""int64[members]: the byte before the value, as Protocol Buffers have it."""
RESERVED = np.array([1 if name in _SMALL else 2 if name in _MIDDLE else 5 for name in _NAMES])
"""int64[messages]: so many bytes are left for the length, before it is known."""

TEMPORALITY_NAMES = tuple(b"AGGREGATION_TEMPORALITY_" + name for name in (b"UNSPECIFIED", b"DELTA", b"CUMULATIVE"))
"""By number."""
