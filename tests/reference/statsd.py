"""StatsD's lines as `tallystick.parse.statsd` states the grammar: the twin of `tallystick.kernels.statsd`."""

import re
import struct

from reference.carbon import NOT_FINITE, is_hard, number
from reference.hashing import folded_hash
from reference.outcome import Outcome, Sample
from tallystick.kernels.hashing import MEMBER_KEY
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA

KINDS = {
    b"c": Kind.COUNTER,
    b"m": Kind.COUNTER,
    b"g": Kind.GAUGE,
    b"ms": Kind.TIMING,
    b"h": Kind.TIMING,
    b"d": Kind.TIMING,
    b"s": Kind.SET,
}
BIT = re.compile(rb"([^|]*)(?:\|([^|:]*)((?:\|(?:[#A-Za-z][^|]*|[^|:]*))*))?", re.DOTALL)


def parse(text: bytes, now_ms: int, line_bytes_max: int) -> Outcome:
    """Everything in `text`, whose end ends the last line."""
    outcome = Outcome()
    for raw in text.split(b"\n"):
        line = raw.removesuffix(b"\r")
        if len(raw) > line_bytes_max:
            outcome.reject(Reason.LINE_LONG)
        elif line:
            take_line(line, now_ms, outcome)
    return outcome


def take_line(line: bytes, now_ms: int, outcome: Outcome) -> None:
    """One line: its name, then its bits."""
    key, colon, body = line.partition(b":")
    if not colon or b"|" in key:
        return outcome.reject(Reason.FIELDS)
    tags = re.search(rb"\|#([^|]*)", body)
    name = name_of(key, tags[1] if tags else None)
    if isinstance(name, Reason):
        return outcome.reject(name)
    at = 0
    while at <= len(body):
        bit = BIT.match(body, at)
        assert bit is not None
        for kind, value, weight in bit_values(bit[1], bit[2], bit[3] or b""):
            outcome.take(Sample(name, now_ms, value, weight, kind) if kind is not None else value)
        at = bit.end() + 1
    return None


def name_of(key: bytes, tags: bytes | None) -> bytes | Reason:
    """The key cleaned as StatsD does, with its tags behind it."""
    name = clean(key)
    if not name:
        return Reason.NAME_EMPTY
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    for tag in (tags or b"").split(b","):
        if tag:
            cleaned = clean(tag.replace(b";", b"_").replace(b":", b"=", 1))
            if cleaned and len(name + b";" + cleaned) > NAME_BYTES_MAX:
                return Reason.NAME_LONG
            word, equals, value = cleaned.partition(b"=")
            if not word or (equals and not value):
                return Reason.TAG
            name += b";" + word + b"=" + (value or b"true")
            if len(name) > NAME_BYTES_MAX:
                return Reason.NAME_LONG
    return name


def clean(text: bytes) -> bytes:
    """White space becomes an underscore, a slash a dash; what carbon would not like goes."""
    return re.sub(rb"[^a-zA-Z_\-0-9.;=]", b"", re.sub(rb"[ \t\n\v\f\r]+", b"_", text).replace(b"/", b"-"))


def bit_values(values: bytes, type_: bytes | None, fields: bytes) -> list[tuple[int | None, object, float]]:
    """Kind, value and weight of each value of a bit; the kind is None where the value is a `Reason`."""
    if type_ is None:
        return [(None, Reason.FIELDS, 0.0) for _ in values.split(b":")]
    kind = KINDS.get(type_)
    rate, fault = rate_of(fields)
    if kind is None:
        fault = Reason.TYPE
    parts = [values] if kind is Kind.SET else values.split(b":")
    if fault is not None:
        return [(None, fault, 0.0) for _ in parts]
    return [one_value(part, kind, type_, 1.0 / rate) for part in parts]


def one_value(text: bytes, kind: Kind, type_: bytes, weight: float) -> tuple[int | None, object, float]:
    """One value of a good bit."""
    if kind is Kind.SET:
        if not text:
            return None, Reason.VALUE, 0.0
        return int(kind), struct.unpack("<d", struct.pack("<Q", folded_hash(text, *map(int, MEMBER_KEY))))[0], 1.0
    if type_ == b"ms" and text.startswith(b"-") and not NOT_FINITE.fullmatch(text):
        return None, Reason.VALUE, 0.0
    value = number(text)
    if isinstance(value, Reason):
        return None, value, 0.0
    if kind is Kind.GAUGE:
        return int(kind) | (GAUGE_DELTA if text[:1] in (b"+", b"-") else 0), value, 1.0
    return int(kind), value, weight


def rate_of(fields: bytes) -> tuple[float, Reason | None]:
    """The sample rate among the fields behind a type; the first fault counts, the last rate holds."""
    rate, fault = 1.0, None
    for field in fields.split(b"|")[1:]:
        if re.match(rb"[#A-Za-z]", field):
            continue
        if not field.startswith(b"@"):
            fault = fault or Reason.FIELDS
            continue
        read = number(field[1:])
        if isinstance(read, Reason) or is_hard(field[1:], read) or not 0 < read <= 1:
            fault = fault or Reason.RATE
        else:
            rate = read
    return rate, fault
