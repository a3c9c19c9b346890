"""DogStatsD's events and service checks; `tallystick.parse.statsd` tells the rules, which are the same here."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tallystick.agent.doors.sample import Read, Sample
from tallystick.agent.doors.statsd import cleaned, seconds_of, tagged
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.reason import Reason

EVENT, CHECK = b"_e{", b"_sc|"
_EVENT_HEAD = re.compile(rb"_e\{([0-9]{1,5}),([0-9]{1,5})\}:")
_STATES = (b"0", b"1", b"2", b"3")


class Fields(NamedTuple):
    """What stands behind an event or a check."""

    said: dict[bytes, bytes]
    tags: bytes
    has_bad_time: bool


def read_message(line: bytes) -> Iterator[Read]:
    """The sample that an event or a check counts as."""
    line = line.removesuffix(b"\r")
    yield _event(line) if line.startswith(EVENT) else _check(line)


def event_parts(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Title, text and fields of an event, or None if it is not one."""
    head = _EVENT_HEAD.match(line)
    if not head:
        return None
    title, end = int(head[1]), int(head[1]) + 1 + int(head[2])
    rest = line[head.end() :]
    whole = title and len(rest) >= end and rest[title : title + 1] == b"|" and rest[end : end + 1] in (b"", b"|")
    return (rest[:title], rest[title + 1 : end], rest[end:]) if whole else None


def fields_of(text: bytes) -> Fields:
    """Fields by their letters, the last of each; a message is the last, and may hold bars."""
    said: dict[bytes, bytes] = {}
    tags, has_bad_time = b"", False
    for field in text.split(b"|")[1:]:
        if field.startswith(b"#"):
            tags = field[1:]
        elif field[1:2] == b":":
            if field.startswith(b"m"):
                break
            said[field[:1]] = field[2:]
            has_bad_time |= field.startswith(b"d") and not seconds_of(field[2:])
    return Fields(said, tags, has_bad_time)


def time_of(fields: Fields) -> int:
    """Epoch seconds of an event or a check, or 0 if it does not say."""
    return seconds_of(fields.said.get(b"d", b""))


def _event(line: bytes) -> Read:
    parts = event_parts(line)
    return Reason.FIELDS if parts is None else _sample(b"statsd.events", Kind.COUNTER, 1.0, parts[2])


def _check(line: bytes) -> Read:
    name, bar, rest = line[len(CHECK) :].partition(b"|")
    state, behind, fields = rest.partition(b"|")
    if not bar:
        return Reason.FIELDS
    if state not in _STATES:
        return Reason.VALUE
    clean = cleaned(name)
    return _sample(b"servicecheck." + clean, Kind.GAUGE, float(state), behind + fields) if clean else Reason.NAME_EMPTY


def _sample(name: bytes, kind: Kind, value: float, text: bytes) -> Read:
    fields = fields_of(text)
    if fields.has_bad_time:
        return Reason.TIMESTAMP
    for word, letter in ((b"host", b"h"), (b"type", b"t")):
        place = cleaned(fields.said.get(letter, b"")).replace(b";", b"_")
        if place and len(name) <= NAME_BYTES_MAX:
            name += b";" + word + b"=" + place
    named = tagged(name, fields.tags)
    if isinstance(named, Reason):
        return named
    return Sample(named, kind, value, time_of(fields) * 1000 or None)
