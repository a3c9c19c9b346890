"""StatsD's lines as `tallystick.parse.statsd` states the grammar: the twin of `tallystick.kernels.statsd`."""

import re
import struct

from reference.carbon import NOT_FINITE, is_hard, number
from reference.hashing import folded_hash
from reference.outcome import Outcome, Sample
from tallystick.kernels.hashing import MEMBER_KEY
from tallystick.kernels.statsd_fields import RATE_MIN
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA

KINDS = {
    b"c": Kind.COUNTER,
    b"m": Kind.COUNTER,
    b"g": Kind.GAUGE,
    b"ms": Kind.TIMING,
    b"aggregate": Kind.TIMING,
    b"h": Kind.TIMING,
    b"d": Kind.TIMING,
    b"s": Kind.SET,
}
BLANK = b" \t\n\v\f\r"
RADICES = {b"x": (4, rb"[0-9a-fA-F]{1,13}"), b"o": (3, rb"[0-7]{1,17}"), b"b": (1, rb"[01]{1,52}")}
BIT = re.compile(rb"([^|]*)(?:\|([^|:]*)((?:\|(?:[#A-Za-z][^|]*|[^|:]*))*))?", re.DOTALL)


def parse(text: bytes, now_ms: int, line_bytes_max: int, *, lenient: bool = False) -> Outcome:
    """Everything in `text`, whose end ends the last line."""
    outcome = Outcome()
    for raw in text.split(b"\n"):
        line = raw.removesuffix(b"\r")
        if len(raw) > line_bytes_max:
            outcome.reject(Reason.LINE_LONG)
        elif line.startswith((b"_e{", b"_sc|")):
            take_message(line, now_ms, outcome)
        elif line:
            take_line(line, now_ms, outcome, lenient=lenient)
    return outcome


def take_line(line: bytes, now_ms: int, outcome: Outcome, *, lenient: bool) -> None:
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
        for kind, value, weight, seconds in bit_values(bit[1], bit[2], bit[3] or b"", lenient=lenient):
            time_ms = seconds * 1000 or now_ms
            outcome.take(Sample(name, time_ms, value, weight, kind) if kind is not None else value)
        at = bit.end() + 1
    return None


def take_message(line: bytes, now_ms: int, outcome: Outcome) -> None:
    """An event or a service check."""
    read = read_event(line) if line.startswith(b"_e{") else read_check(line)
    if isinstance(read, Reason):
        return outcome.reject(read)
    name, kind, value, fields = read
    found = {}
    tags = None
    seconds = 0
    for field in fields:
        if field.startswith(b"#"):
            tags = field[1:]
        elif field[1:2] == b":":
            if field[:1] == b"m":
                break
            if field[:1] == b"d":
                seconds = seconds_of(field[2:])
                if not seconds:
                    return outcome.reject(Reason.TIMESTAMP)
            found[field[:1]] = field[2:]
    for word, letter in ((b"host", b"h"), (b"type", b"t")):
        cleaned = clean(found.get(letter, b"")).replace(b";", b"_")
        if cleaned and len(name) <= NAME_BYTES_MAX:
            name += b";" + word + b"=" + cleaned
    named = tagged(name, tags) if len(name) <= NAME_BYTES_MAX else Reason.NAME_LONG
    if isinstance(named, Reason):
        return outcome.reject(named)
    return outcome.take(Sample(named, seconds * 1000 or now_ms, value, 1.0, kind))


def read_event(line: bytes) -> tuple[bytes, int, float, list[bytes]] | Reason:
    """Name, kind, value and fields of an event."""
    found = re.match(rb"_e\{([0-9]{1,5}),([0-9]{1,5})\}:", line)
    if not found:
        return Reason.FIELDS
    title, text = int(found[1]), int(found[2])
    rest = line[found.end() :]
    behind = rest[title + 1 + text :]
    whole = title and len(rest) >= title + 1 + text and rest[title : title + 1] == b"|" and behind[:1] in (b"", b"|")
    return (b"statsd.events", int(Kind.COUNTER), 1.0, behind.split(b"|")[1:]) if whole else Reason.FIELDS


def read_check(line: bytes) -> tuple[bytes, int, float, list[bytes]] | Reason:
    """Name, kind, status and fields of a service check."""
    _, name, *fields = line.split(b"|")
    if not fields:
        return Reason.FIELDS
    if fields[0] not in (b"0", b"1", b"2", b"3"):
        return Reason.VALUE
    cleaned = clean(name)
    return (b"servicecheck." + cleaned, int(Kind.GAUGE), float(fields[0]), fields[1:]) if cleaned else Reason.NAME_EMPTY


def seconds_of(text: bytes) -> int:
    """Epoch seconds, or 0 for what is no such number."""
    return int(text) if re.fullmatch(rb"[0-9]{1,11}", text) else 0


def name_of(key: bytes, tags: bytes | None) -> bytes | Reason:
    """The key cleaned as StatsD does, with its tags behind it."""
    name = clean(key)
    return tagged(name, tags) if name else Reason.NAME_EMPTY


def tagged(name: bytes, tags: bytes | None) -> bytes | Reason:
    """A name with tags behind it."""
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


def bit_values(
    values: bytes, type_: bytes | None, fields: bytes, *, lenient: bool
) -> list[tuple[int | None, object, float, int]]:
    """Kind, value, weight and seconds of each value of a bit; the kind is None where the value is a `Reason`."""
    if type_ is None:
        return [(None, Reason.FIELDS, 0.0, 0) for _ in values.split(b":")]
    type_ = type_.strip(BLANK) if lenient else type_
    kind = KINDS.get(type_, Kind.COUNTER if lenient else None)
    rate, seconds, fault = read_fields(fields, lenient=lenient)
    if kind is None:
        fault = Reason.TYPE
    parts = [values] if kind is Kind.SET else values.split(b":")
    if fault is not None:
        return [(None, fault, 0.0, 0) for _ in parts]
    seconds = seconds if kind in (Kind.COUNTER, Kind.GAUGE) else 0
    read = (one_value(part, kind, type_, 1.0 / rate, lenient=lenient) for part in parts)
    return [(*one, seconds) for one in read]


def one_value(
    text: bytes, kind: Kind, type_: bytes, weight: float, *, lenient: bool
) -> tuple[int | None, object, float]:
    """One value of a good bit."""
    if kind is Kind.SET:
        if not text:
            return None, Reason.VALUE, 0.0
        return int(kind), struct.unpack("<d", struct.pack("<Q", folded_hash(text, *map(int, MEMBER_KEY))))[0], 1.0
    value = lenient_number(text) if lenient else number(text)
    if type_ in (b"ms", b"aggregate") and text.strip(BLANK if lenient else b"").startswith(b"-"):
        infinite = NOT_FINITE.fullmatch(text.strip(BLANK) if lenient else text)
        return None, Reason.VALUE_NOT_FINITE if infinite else Reason.VALUE, 0.0
    if isinstance(value, Reason):
        return None, value, 0.0
    if kind is Kind.GAUGE:
        return int(kind) | (GAUGE_DELTA if text[:1] in (b"+", b"-") else 0), value, 1.0
    return int(kind), value, weight


def lenient_number(text: bytes) -> float | Reason:
    """A number as JavaScript reads it, except nothing at all and more than 52 bits of digits."""
    text = text.strip(BLANK)
    if re.match(rb"0[xob].", text, re.IGNORECASE | re.DOTALL):
        bits, digits = RADICES[text[1:2].lower()]
        return float(int(text[2:], 1 << bits)) if re.fullmatch(digits, text[2:]) else Reason.VALUE
    return number(text)


def read_fields(fields: bytes, *, lenient: bool) -> tuple[float, int, Reason | None]:
    """The sample rate and the time among the fields behind a type; the first fault counts, the last good ones hold."""
    rate, seconds, fault = 1.0, 0, None
    for place, field in enumerate(fields.split(b"|")[1:]):
        if re.match(rb"[#A-Za-z]", field):
            if field.startswith(b"T"):
                seconds = seconds_of(field[1:])
                fault = fault or (None if seconds else Reason.TIMESTAMP)
            continue
        if not field.startswith(b"@"):
            fault = fault or (None if lenient and place else Reason.FIELDS)
            continue
        given = lenient_rate(field[1:]) if lenient else strict_rate(field[1:])
        if given:
            rate = given
        else:
            fault = fault or Reason.RATE
    return rate, seconds, fault


def strict_rate(text: bytes) -> float:
    """A sample rate, or 0 if it is none that can be used."""
    read = number(text)
    return 0.0 if isinstance(read, Reason) or is_hard(text, read) or not RATE_MIN <= read <= 1 else read


def lenient_rate(text: bytes) -> float:
    """As `strict_rate`: what StatsD makes of a rate."""
    digits = re.match(rb"[0-9.]+", text)
    if not digits or lenient_number(text) is Reason.VALUE:
        return 0.0
    read = number(digits[0])
    return 0.0 if isinstance(read, Reason) or is_hard(digits[0], read) or not RATE_MIN <= read <= 1 / RATE_MIN else read
