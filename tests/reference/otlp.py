"""OTLP's metrics in plain Python: the twin of `tallystick.kernels.otlp`.

Histograms are compared before they are made tallies: as what was reported (`Report`).
"""

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise

from reference.outcome import Outcome, Sample
from reference.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    BrokenError,
    Field,
    double,
    every,
    fields,
    last,
    signed64,
    varints,
    zigzag32,
)
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA

WANTED = (b"service.namespace", b"service.name", b"service.instance.id", b"host.name", b"deployment.environment.name")
GAUGE, SUM, HISTOGRAM, EXPONENTIAL, SUMMARY = 5, 7, 9, 10, 11
ATTRIBUTES = {GAUGE: 7, SUM: 7, HISTOGRAM: 9, EXPONENTIAL: 1, SUMMARY: 7}
FLAGS = {GAUGE: 8, SUM: 8, HISTOGRAM: 10, EXPONENTIAL: 10, SUMMARY: 8}
EXPLICIT, SHIFT = 100, 40_000


@dataclass(frozen=True)
class Report:
    """A histogram as it was reported; of what is not told NaN, which `repr` compares."""

    name: bytes
    timestamp_ms: int
    start_ms: int
    cumulative: bool
    scale: int
    told: str
    bounds: tuple[float, ...]
    buckets: tuple[tuple[int, float], ...]


@dataclass
class Reported(Outcome):
    """An outcome with histograms."""

    reports: list[Report] = field(default_factory=list)

    def take(self, result: Sample | Report | Reason) -> None:
        if isinstance(result, Report):
            self.reports.append(result)
        else:
            super().take(result)


def parse(body: bytes) -> Reported:
    outcome = Reported()
    try:
        for part in every(fields(body), 1):
            take_resource(fields(part), outcome)
    except BrokenError:
        outcome = Reported()
        outcome.reject(Reason.ENCODING)
    return outcome


def take_resource(found: list[Field], outcome: Reported) -> None:
    tags: bytes | Reason = b""
    for attribute in every(fields(last(found, 1, BYTES, b"")), 1):
        tags = tagged(tags, attribute, WANTED)
    for part in every(found, 2):
        scope = fields(part)
        fields(last(scope, 1, BYTES, b""))
        for metric in every(scope, 2):
            take_metric(fields(metric), tags, outcome)


def tagged(tags: bytes | Reason, attribute: bytes, wanted: tuple[bytes, ...] = (), base: int = 0) -> bytes | Reason:
    """Tags with one more; the first fault stays."""
    found = fields(attribute)
    key, value = last(found, 1, BYTES, b""), text_of(fields(last(found, 2, BYTES, b"")))
    if isinstance(tags, Reason) or not key or value == b"" or (wanted and key not in wanted):
        return tags
    if isinstance(value, Reason):
        return value
    cut = value[:1].replace(b"~", b"_") + value[1:]
    key = b"exported_name" if key == b"name" else key
    tags += b";" + re.sub(rb"[\x00-\x20\x7f;=!^]", b"_", key) + b"=" + cut
    return Reason.NAME_LONG if base + len(tags) > NAME_BYTES_MAX else tags


def clean(text: bytes) -> bytes:
    return re.sub(rb"[\x00-\x20\x7f;]", b"_", text)


def text_of(found: list[Field]) -> bytes | Reason:
    sort, value = set_field(found)
    if sort < 5:
        return scalar(sort, value)
    if sort > 5:
        return Reason.TAG
    items = [set_field(fields(item)) for item in every(fields(value), 1)]
    if any(sort > 4 for sort, _ in items):
        return Reason.TAG
    text = b""
    for sort, item in items:
        text += (b"," if text else b"") + scalar(sort, item)
    return text


def set_field(found: list[Field]) -> tuple[int, int | bytes]:
    wires = {1: BYTES, 2: VARINT, 3: VARINT, 4: FIXED64, 5: BYTES, 6: BYTES, 7: BYTES}
    return next(((n, value) for n, wire, value in reversed(found) if wires.get(n) == wire), (0, b""))


def scalar(sort: int, value: int | bytes) -> bytes:
    if sort == 0:
        return b""
    if sort == 1:
        return clean(value)
    if sort == 2:
        return b"true" if value else b"false"
    return str(signed64(value)).encode() if sort == 3 else number_text(double(value))


def number_text(value: float) -> bytes:
    """As `tallystick.kernels.attributes.append_number`: the same as ``%.15g`` for what has so few digits."""
    if math.isnan(value):
        return b"NaN"
    if math.isinf(value):
        return b"-inf" if value < 0 else b"inf"
    sign = b"-" if math.copysign(1, value) < 0 else b""
    value, exponent = abs(value), 0
    if value and not 1e-5 <= value < 1e15:
        exponent = math.floor(math.log10(value))
        value = value * 10.0 ** (-exponent // 2) * 10.0 ** (-exponent - -exponent // 2)
    decimals, digits = 0, round(value)
    while decimals < 15 and digits / 10.0**decimals != value:
        more = round(value * 10.0 ** (decimals + 1))
        if more >= 1 << 53:
            break
        decimals, digits = decimals + 1, more
    while decimals and digits % 10 == 0:
        decimals, digits = decimals - 1, digits // 10
    text = str(digits // 10**decimals) + (f".{digits % 10**decimals:0{decimals}}" if decimals else "")
    return sign + (text + (f"e{exponent:+03}" if exponent else "")).encode()


def take_metric(found: list[Field], tags: bytes | Reason, outcome: Reported) -> None:
    data = [(n, value) for n, wire, value in found if wire == BYTES and n in ATTRIBUTES]
    if not data:
        return
    sort, message = data[-1]
    inside = fields(message)
    name = clean(last(found, 1, BYTES, b""))
    temporality = (last(inside, 2, VARINT, 0)) & 0xFFFFFFFF
    monotonic = bool(last(inside, 3, VARINT, 0))
    prefix: bytes | Reason
    if not name:
        prefix = Reason.NAME_EMPTY
    elif isinstance(tags, Reason):
        prefix = tags
    elif len(name + tags) > NAME_BYTES_MAX:
        prefix = Reason.NAME_LONG
    elif sort in (SUM, HISTOGRAM, EXPONENTIAL) and temporality not in (1, 2):
        prefix = Reason.FIELDS
    else:
        prefix = tags
    for point in every(inside, 1):
        take_point(sort, fields(point), name, prefix, (temporality, monotonic), outcome)


def take_point(
    sort: int, point: list[Field], name: bytes, prefix: bytes | Reason, how: tuple[int, bool], outcome: Reported
) -> None:
    tags = prefix
    for attribute in every(point, ATTRIBUTES[sort]):
        tags = tagged(tags, attribute, base=len(name))
    shape = {HISTOGRAM: histogram, EXPONENTIAL: exponential, SUMMARY: summary}.get(sort, number)(point)
    if last(point, FLAGS[sort], VARINT, 0) & 1:
        outcome.reject(Reason.STALE)
    elif isinstance(tags, Reason):
        outcome.reject(tags)
    elif isinstance(shape, Reason):
        outcome.reject(shape)
    elif not last(point, 3, FIXED64, 0):
        outcome.reject(Reason.TIMESTAMP)
    elif sort == SUMMARY:
        take_summary(point, shape, name, tags, outcome)
    elif sort in (HISTOGRAM, EXPONENTIAL):
        take_histogram(point, shape, name + tags, how[0] == 2, outcome)
    elif not is_utf8(name + tags):
        outcome.reject(Reason.NAME_BYTES)
    else:
        kind = kind_of(how) if sort == SUM else int(Kind.GAUGE)
        outcome.take(Sample(name + tags, last(point, 3, FIXED64) // 10**6, shape, 1.0, kind))


def kind_of(how: tuple[int, bool]) -> int:
    if how[0] == 2:
        return int(Kind.CUMULATIVE if how[1] else Kind.GAUGE)
    return int(Kind.COUNTER) if how[1] else int(Kind.GAUGE) | GAUGE_DELTA


def is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def number(point: list[Field]) -> float | Reason:
    values = [
        double(bits) if n == 4 else float(signed64(bits)) for n, wire, bits in point if wire == FIXED64 and n in (4, 6)
    ]
    if not values:
        return Reason.VALUE
    return values[-1] if math.isfinite(values[-1]) else Reason.VALUE_NOT_FINITE


Shape = tuple[int, tuple[float, float, float], tuple[float, ...], list[tuple[int, float]]]
"""Scale, what is told, bounds, buckets."""


def told_of(point: list[Field], numbers: tuple[int, int, int]) -> tuple[tuple[float, float, float], bool]:
    """Sum, least and greatest value, and whether any was told as NaN."""
    found = [(n, double(bits)) for n, wire, bits in point if wire == FIXED64 and n in numbers]
    told = tuple(next((v for n, v in reversed(found) if n == wanted), math.nan) for wanted in numbers)
    return told, any(math.isnan(v) for _, v in found)


def histogram(point: list[Field]) -> Shape | Reason:
    told, nan_told = told_of(point, (5, 11, 12))
    counts, bounds = repeated(point, 6), [double(bits) for bits in repeated(point, 7)]
    if any(not math.isfinite(b) for b in bounds) or any(a >= b for a, b in pairwise(bounds)):
        return Reason.FIELDS
    if len(counts) != len(bounds) + 1 and (counts or bounds):
        return Reason.FIELDS
    if nan_told:
        return Reason.VALUE_NOT_FINITE
    return EXPLICIT, told, tuple(bounds), [(k, float(n)) for k, n in enumerate(counts) if n]


def repeated(point: list[Field], wanted: int) -> list[int]:
    """Fixed numbers of eight bytes, packed or not."""
    found = list[int]()
    for n, wire, value in point:
        if n == wanted and wire == FIXED64:
            found.append(value)
        elif n == wanted and wire == BYTES:
            if len(value) % 8:
                raise BrokenError
            found += [int.from_bytes(value[k : k + 8], "little") for k in range(0, len(value), 8)]
    return found


def exponential(point: list[Field]) -> Shape | Reason:
    told, nan_told = told_of(point, (5, 12, 13))
    scale = zigzag32(last(point, 6, VARINT, 0))
    for side in (*every(point, 8), *every(point, 9)):
        counts_of(fields(side))
    sides = [(last(point, wanted, BYTES, b""), sign) for wanted, sign in ((9, -1), (8, 1))]
    if nan_told:
        return Reason.VALUE_NOT_FINITE
    buckets: dict[int, float] = {}
    shown = min(max(scale, -11), 5)
    fault = False
    for side, sign in sides:
        found = fields(side)
        offset, counts = zigzag32(last(found, 1, VARINT, 0)), counts_of(found)
        for k, count in enumerate(counts):
            if count:
                index = (offset + k) >> min(max(scale - 5, 0), 62)
                width = 1 << (5 - shown)
                fault |= scale < -11 and index not in (-1, 0)
                fault |= index * width > 32_767 or (index + 1) * width <= -34_400
                bucket = sign * (index + SHIFT)
                buckets[bucket] = buckets.get(bucket, 0.0) + float(count)
    zeros = last(point, 7, FIXED64, 0)
    if zeros:
        buckets[0] = buckets.get(0, 0.0) + float(zeros)
    # A time that is missing is found before buckets are looked at.
    if fault:
        return Reason.VALUE if last(point, 3, FIXED64, 0) else Reason.TIMESTAMP
    return shown, told, (), sorted(buckets.items())


def counts_of(found: list[Field]) -> list[int]:
    counts = list[int]()
    for n, wire, value in found:
        if n == 2 and wire == BYTES:
            counts += varints(value)
        elif n == 2 and wire == VARINT:
            counts.append(value)
    return counts


def take_histogram(point: list[Field], shape: Shape, name: bytes, cumulative: bool, outcome: Reported) -> None:
    scale, told, bounds, buckets = shape
    count = last(point, 4, FIXED64, 0)
    if not buckets and count and (scale != EXPLICIT or not repeated(point, 6)):
        scale, buckets = EXPLICIT, [(0, float(count))]
    if any(math.isinf(v) for v in told):
        outcome.reject(Reason.VALUE_NOT_FINITE)
    elif not is_utf8(name):
        outcome.reject(Reason.NAME_BYTES)
    else:
        start = last(point, 2, FIXED64, 0) // 10**6
        at = last(point, 3, FIXED64) // 10**6
        outcome.take(Report(name, at, start, cumulative, scale, repr(told), bounds, tuple(buckets)))


def summary(point: list[Field]) -> list[tuple[float, float]] | Reason:
    quantiles = []
    for entry in every(point, 6):
        found = fields(entry)
        quantiles.append((double(last(found, 1, FIXED64, 0)), double(last(found, 2, FIXED64, 0))))
    before = -1.0
    for quantile, _ in quantiles:
        if not before < quantile <= 1.0:
            return Reason.FIELDS
        before = quantile
    return quantiles


def take_summary(
    point: list[Field], quantiles: list[tuple[float, float]], name: bytes, tags: bytes, outcome: Reported
) -> None:
    ms = last(point, 3, FIXED64) // 10**6
    count, total = float(last(point, 4, FIXED64, 0)), double(last(point, 5, FIXED64, 0))
    rows = [(name + b"_count" + tags, count, Kind.CUMULATIVE), (name + b"_sum" + tags, total, Kind.CUMULATIVE)]
    rows += [(name + tags + b";quantile=" + number_text(q), value, Kind.GAUGE) for q, value in quantiles]
    for full, value, kind in rows:
        if not math.isfinite(value):
            outcome.reject(Reason.VALUE_NOT_FINITE)
        elif len(full) > NAME_BYTES_MAX:
            outcome.reject(Reason.NAME_LONG)
        elif not is_utf8(full):
            outcome.reject(Reason.NAME_BYTES)
        else:
            outcome.take(Sample(full, ms, value, 1.0, int(kind)))
