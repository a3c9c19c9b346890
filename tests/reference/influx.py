"""InfluxDB's line protocol as its page says it: the twin of `tallystick.kernels.influx`."""

import math
import re

from reference.carbon import NOT_FINITE, NUMBER, is_hard, is_utf8, number
from reference.outcome import Outcome, Sample
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

TRUE = {b"t", b"T", b"true", b"True", b"TRUE"}
FALSE = {b"f", b"F", b"false", b"False", b"FALSE"}


def parse(text: bytes, now_ms: int, line_bytes_max: int) -> Outcome:
    """Everything in `text`, whose end ends the last line; timestamps are in nanoseconds."""
    outcome = Outcome()
    for line in text.split(b"\n"):
        if len(line) > line_bytes_max:
            outcome.reject(Reason.LINE_LONG)
            continue
        line = line.removesuffix(b"\r").lstrip(b" ")
        if line and not line.startswith(b"#"):
            take(line, now_ms, outcome)
    return outcome


def take(line: bytes, now_ms: int, outcome: Outcome) -> None:
    key, rest = parted(line, b" ")
    rest = rest.lstrip(b" ")
    measurement, tag_text = parted(key, b",")
    fields, time_text = fields_of(rest)
    tags = tags_of(tag_text, b"," in key[len(measurement) :])
    ms = milliseconds(time_text.strip(b" "), now_ms)
    if not measurement or not rest:
        outcome.reject(Reason.FIELDS)
    elif isinstance(tags, Reason):
        outcome.reject(tags)
    elif ms is None:
        outcome.reject(Reason.TIMESTAMP)
    else:
        for field in fields:
            outcome.take(sample(measurement, field, tags, ms))


def parted(text: bytes, by: bytes) -> tuple[bytes, bytes]:
    """What stands before the first `by` that no backslash stands before, and what behind it."""
    for i in range(len(text)):
        if text[i : i + 1] == by and text[i - 1 : i] != b"\\":
            return text[:i], text[i + 1 :]
    return text, b""


def fields_of(text: bytes) -> tuple[list[bytes], bytes]:
    """The fields, and what follows them."""
    fields = []
    while True:
        match = re.match(rb'(?:[^= ]|(?<=\\)[= ])*(?:="(?:\\.|[^"\\]|\\$)*"?)?', text, re.DOTALL)
        end = match.end()
        while end < len(text) and text[end] not in b", ":
            end += 1
        head = match.group()
        # A comma before the equals sign ends no field: the name of a field is read first.
        field, text, by = text[:end], text[end + 1 :], text[end : end + 1]
        assert field.startswith(head)
        fields.append(field)
        if by != b",":
            return fields, text
        if not text:
            return fields, b""


def tags_of(text: bytes, some: bool) -> bytes | Reason:
    """The tags in Graphite's form."""
    written = b""
    while some:
        tag, rest = parted(text, b",")
        some = len(rest) > 0 or len(tag) < len(text)
        name, value = parted(tag, b"=")
        if not name or not value:
            return Reason.TAG
        if len(written) >= NAME_BYTES_MAX:
            return Reason.NAME_LONG
        written += b";" + clean(name, parts=True)
        if len(written) >= NAME_BYTES_MAX:
            return Reason.NAME_LONG
        written += b"=" + clean(value)
        if len(written) > NAME_BYTES_MAX:
            return Reason.NAME_LONG
        text = rest
    return written


def clean(text: bytes, *, parts: bool = False) -> bytes:
    text = re.sub(rb"\\([,= ])", rb"\1", text)
    return re.sub(rb"[\x00-\x20\x7f;=]" if parts else rb"[\x00-\x20\x7f;]", b"_", text)


def milliseconds(text: bytes, now_ms: int) -> int | None:
    if not text:
        return now_ms
    if not text.isdigit() or len(text) > 19 or int(text) >= 1 << 63:
        return None
    return int(text) // 1_000_000


def sample(measurement: bytes, field: bytes, tags: bytes, ms: int) -> Sample | Reason:
    key, text = parted(field, b"=")
    if not key or not text:
        return Reason.FIELDS
    value = value_of(text)
    # A number that is left to Python is known to be too large only once the rest of the line was found to be good.
    late = value is Reason.VALUE_NOT_FINITE and NUMBER.fullmatch(text) and is_hard(text, math.inf)
    if isinstance(value, Reason) and not late:
        return value
    name = clean(measurement) + (b"" if key == b"value" else b"." + clean(key)) + tags
    if len(name) > NAME_BYTES_MAX:
        return Reason.NAME_LONG
    if not is_utf8(name):
        return Reason.NAME_BYTES
    if isinstance(value, Reason):
        return value
    return Sample(name, ms, value, 1.0, int(Kind.GAUGE))


def value_of(text: bytes) -> float | Reason:
    if text.startswith(b'"'):
        return Reason.TEXT
    if text in TRUE | FALSE:
        return float(text in TRUE)
    if re.fullmatch(rb"-?\d+[iu]", text):
        text = text[:-1]
    if NUMBER.fullmatch(text) is None:
        return Reason.VALUE_NOT_FINITE if NOT_FINITE.fullmatch(text) else Reason.VALUE
    return number(text)
