r"""Prometheus' text format and OpenMetrics as their pages say them: the twin of `tallystick.kernels.exposition`."""

import math
import re
from dataclasses import dataclass

from reference import labels
from reference.carbon import NUMBER, is_hard, number
from reference.outcome import Outcome, Sample
from tallystick.model.reason import Reason

NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
TEXT = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
ENDINGS = (b"_total", b"_count", b"_sum", b"_bucket", b"_created")
BLANKS = b" \t"


@dataclass
class Text:
    """What a text said so far, and what is put to each of its samples."""

    seconds: bool = False
    taken: frozenset[bytes] = frozenset()
    tags: bytes = b""
    family: bytes = b""
    type_: str = "unknown"
    ended: bool = False


def parse(text: bytes, now_ms: int, line_bytes_max: int, said: Text | None = None) -> Outcome:
    """Everything in `text`, whose end ends the last line."""
    outcome, said = Outcome(), said or Text()
    for line in text.split(b"\n"):
        if len(line) > line_bytes_max:
            outcome.reject(Reason.LINE_LONG)
            continue
        line = line.removesuffix(b"\r").lstrip(BLANKS)
        if line.startswith(b"#"):
            comment(line[1:].lstrip(BLANKS), said)
        elif line:
            result = sample(line, now_ms, said)
            outcome.take(Reason.FIELDS if said.seconds and said.ended else result)
    if said.seconds and not said.ended:
        outcome.reject(Reason.TRUNCATED)
    return outcome


def parse_openmetrics(text: bytes, now_ms: int, line_bytes_max: int) -> Outcome:
    return parse(text, now_ms, line_bytes_max, Text(seconds=True))


def token(text: bytes) -> tuple[bytes, bytes]:
    """The first token, and what follows the blanks behind it."""
    found = re.match(rb"[^ \t]*", text).group()
    return found, text[len(found) :].lstrip(BLANKS)


def comment(text: bytes, said: Text) -> None:
    word, rest = token(text)
    if word == b"EOF":
        said.ended = True
    if word != b"TYPE":
        return
    if rest.startswith(b'"'):
        quoted = TEXT.match(rest)
        name, rest = (quoted.group(1), rest[quoted.end() :].lstrip(BLANKS)) if quoted else (rest[1:], b"")
    else:
        name, rest = token(rest)
    type_ = token(rest)[0].decode("latin-1")
    said.family = labels.clean(unescaped(name), labels.UNFIT)
    said.type_ = type_ if type_ in labels.TYPES else "unknown"


def unescaped(text: bytes) -> bytes:
    return re.sub(rb'\\([\\"n])', lambda match: b"\n" if match.group(1) == b"n" else match.group(1), text)


def sample(line: bytes, now_ms: int, said: Text) -> Sample | Reason:
    head = NAME.match(line)
    path, pairs = head.group() if head else b"", []
    rest = line[len(path) :]
    if rest.lstrip(BLANKS).startswith(b"{"):
        found = labels_of(rest.lstrip(BLANKS)[1:], path)
        if found is None:
            return Reason.TAG
        path, pairs, rest = found
    elif rest and rest[:1] not in (b" ", b"\t"):
        return Reason.NAME_BYTES
    name = labels.named(path, pairs, said.taken, said.tags)
    if isinstance(name, Reason):
        return name
    value_text, rest = token(rest.lstrip(BLANKS))
    if not value_text:
        return Reason.FIELDS
    value = number(value_text)
    # A number that is left to Python is known to be too large only once the rest of the line was found to be good.
    late = value is Reason.VALUE_NOT_FINITE and NUMBER.fullmatch(value_text) and is_hard(value_text, math.inf)
    if isinstance(value, Reason) and not late:
        return value
    ms: int | None = now_ms
    if rest and not rest.startswith(b"#"):
        time_text, rest = token(rest)
        ms = milliseconds(time_text, said.seconds)
    if ms is None:
        return Reason.TIMESTAMP
    if rest and not rest.startswith(b"#"):
        return Reason.FIELDS
    if isinstance(value, Reason):
        return value
    return Sample(name[0], ms, value, 1.0, labels.kind_of(name[1], type_of(name[1], said)))


def labels_of(text: bytes, path: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes] | None:
    """The metric, its labels and the rest behind the closing brace; None if that cannot be read."""
    pairs: list[tuple[bytes, bytes]] = []
    first = True
    while True:
        text = text.lstrip(BLANKS)
        if text.startswith(b"}"):
            return path, pairs, text[1:]
        match = TEXT.match(text) or NAME.match(text)
        if match is None:
            return None
        quoted = match.re is TEXT
        key = unescaped(match.group(1)) if quoted else match.group()
        text = text[match.end() :].lstrip(BLANKS)
        if not key:
            return None
        if text.startswith(b"="):
            value = TEXT.match(text[1:].lstrip(BLANKS))
            if value is None:
                return None
            text = text[1:].lstrip(BLANKS)[value.end() :].lstrip(BLANKS)
            pairs.append((key, unescaped(value.group(1))))
        elif quoted and first and not path:
            path = labels.clean(key, labels.UNFIT)
        else:
            return None
        first = False
        if text[:1] not in (b",", b"}"):
            return None
        text = text.removeprefix(b",")


def type_of(path: bytes, said: Text) -> str:
    more = path.removeprefix(said.family)
    if not said.family or not path.startswith(said.family):
        return "unknown"
    return said.type_ if not more or (more in ENDINGS and said.type_ not in ("gauge", "stateset")) else "unknown"


def milliseconds(text: bytes, seconds: bool) -> int | None:
    if not seconds:
        return int(text) if re.fullmatch(rb"-?\d{1,15}", text) else None
    value = number(text)
    if isinstance(value, Reason) or is_hard(text, value) or abs(value) > 9e12:
        return None
    return round(value * 1000.0)
