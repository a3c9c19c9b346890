"""StatsD's lines, with what DogStatsD added; `tallystick.parse.statsd` tells the rules, which are the same here.

A line is a key, and behind it what this module calls a *body*: values with type, rate and tags. Bodies repeat, so who
reads many lines keeps what was made of them.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tallystick.agent.doors.numbers import BLANK, is_not_finite, lenient_number, number, plain_number
from tallystick.agent.doors.sample import Member, Read, Sample
from tallystick.dogstatsd import seconds_of
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

RATE_MIN = 1e-6
_KINDS = {
    b"c": Kind.COUNTER,
    b"m": Kind.COUNTER,
    b"g": Kind.GAUGE,
    b"ms": Kind.TIMING,
    b"aggregate": Kind.TIMING,
    b"h": Kind.TIMING,
    b"d": Kind.TIMING,
    b"s": Kind.SET,
}
_NEVER_NEGATIVE = (b"ms", b"aggregate")
_BIT = re.compile(rb"([^|]*)(?:\|([^|:]*)((?:\|(?:[#A-Za-z][^|]*|[^|:]*))*))?", re.DOTALL)
_TAGS = re.compile(rb"\|#([^|]*)")
_WHITE = re.compile(rb"[ \t\n\v\f\r]+")
_DIRT = re.compile(rb"[^a-zA-Z_\-0-9.;=]")
_LENIENT_RATE = re.compile(rb"[0-9.]+")


class Value(NamedTuple):
    """One value of a body; of a set the member is in `text`."""

    kind: Kind
    value: float
    weight: float
    at_ms: int | None
    is_change: bool
    text: bytes = b""

    def named(self, name: bytes) -> Read:
        """The sample of a name."""
        if self.kind is Kind.SET:
            return Member(name, self.text)
        return Sample(name, self.kind, self.value, self.at_ms, self.weight, self.is_change)


def read_statsd(line: bytes, *, lenient: bool = False) -> Iterator[Read]:
    """The samples of a line, which is no event and no check."""
    key, colon, body = line.removesuffix(b"\r").partition(b":")
    if not key and not colon:
        return
    if not colon or b"|" in key:
        yield Reason.FIELDS
        return
    name = name_of(key, tags_of(body))
    if isinstance(name, Reason):
        yield name
        return
    for value in values_of(body, lenient=lenient):
        yield value if isinstance(value, Reason) else value.named(name)


def tags_of(body: bytes) -> bytes:
    """The tags of a body."""
    found = _TAGS.search(body)
    return found[1] if found else b""


def values_of(body: bytes, *, lenient: bool = False) -> list[Value | Reason]:
    """The values of a body, or why they are none; also several bits, one behind the other."""
    values: list[Value | Reason] = []
    at = 0
    while at <= len(body):
        bit = _BIT.match(body, at)
        if bit is None:  # it matches anything
            break
        values += _values_of_bit(bit[1], bit[2], bit[3] or b"", lenient=lenient)
        at = bit.end() + 1
    return values


def name_of(key: bytes, tags: bytes) -> bytes | Reason:
    """A key cleaned as StatsD does, with its tags behind it."""
    name = cleaned(key)
    return tagged(name, tags) if name else Reason.NAME_EMPTY


def cleaned(text: bytes) -> bytes:
    """White space becomes an underscore, a slash a dash; what Graphite would not like goes."""
    return _DIRT.sub(b"", _WHITE.sub(b"_", text).replace(b"/", b"-"))


def tagged(name: bytes, tags: bytes) -> bytes | Reason:
    """A name with tags behind it, which commas part."""
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    for tag in filter(None, tags.split(b",")):
        said = cleaned(tag.replace(b";", b"_").replace(b":", b"=", 1))
        if said and len(name) + 1 + len(said) > NAME_BYTES_MAX:
            return Reason.NAME_LONG
        word, equals, value = said.partition(b"=")
        if not word or (equals and not value):
            return Reason.TAG
        name += b";" + word + b"=" + (value or b"true")
        if len(name) > NAME_BYTES_MAX:
            return Reason.NAME_LONG
    return name


def _values_of_bit(text: bytes, type_: bytes | None, fields: bytes, *, lenient: bool) -> list[Value | Reason]:
    if type_ is None:
        return [Reason.FIELDS] * (text.count(b":") + 1)
    type_ = type_.strip(BLANK) if lenient else type_
    kind = _KINDS.get(type_, Kind.COUNTER if lenient else None)
    parts = [text] if kind is Kind.SET else text.split(b":")
    if kind is None:
        return [Reason.TYPE] * len(parts)
    rate, seconds, fault = _read_fields(fields, lenient=lenient)
    if fault is not None:
        return [fault] * len(parts)
    at_ms = seconds * 1000 if seconds and kind in (Kind.COUNTER, Kind.GAUGE) else None
    return [_value(part, kind, type_, 1.0 / rate, at_ms, lenient=lenient) for part in parts]


def _value(text: bytes, kind: Kind, type_: bytes, weight: float, at_ms: int | None, *, lenient: bool) -> Value | Reason:
    if kind is Kind.SET:
        return Value(kind, 0.0, 1.0, None, is_change=False, text=text) if text else Reason.VALUE
    value = lenient_number(text) if lenient else number(text)
    if type_ in _NEVER_NEGATIVE and (stripped := text.strip(BLANK) if lenient else text).startswith(b"-"):
        return Reason.VALUE_NOT_FINITE if is_not_finite(stripped) else Reason.VALUE
    if isinstance(value, Reason):
        return value
    if kind is Kind.GAUGE:
        return Value(kind, value, 1.0, at_ms, is_change=text[:1] in (b"+", b"-"))
    return Value(kind, value, weight, at_ms, is_change=False)


def _read_fields(fields: bytes, *, lenient: bool) -> tuple[float, int, Reason | None]:
    """Sample rate and seconds among the fields behind a type; the first fault counts, the last good ones hold."""
    rate, seconds, fault = 1.0, 0, None
    for place, field in enumerate(fields.split(b"|")[1:]):
        letter = field[:1]
        if letter == b"#" or letter.isalpha():
            if letter == b"T":
                seconds = seconds_of(field[1:])
                fault = fault or (None if seconds else Reason.TIMESTAMP)
        elif letter == b"@":
            given = _rate(field[1:], lenient=lenient)
            rate = given or rate
            fault = fault or (None if given else Reason.RATE)
        elif not (lenient and place):
            fault = fault or Reason.FIELDS
    return rate, seconds, fault


def _rate(text: bytes, *, lenient: bool) -> float:
    """A sample rate, or 0 if it is none that can be used; a lenient one is the digits and points in front."""
    rate_max = 1.0
    if lenient:
        digits = _LENIENT_RATE.match(text)
        if digits is None or lenient_number(text) is Reason.VALUE:
            return 0.0
        text, rate_max = digits[0], 1.0 / RATE_MIN
    rate = plain_number(text)
    return rate if rate is not None and RATE_MIN <= rate <= rate_max else 0.0
