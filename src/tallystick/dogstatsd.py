"""DogStatsD's events, as a line tells them: read by the server's listeners and by the agent's doors alike.

::

    event = "_e{" title-bytes "," text-bytes "}:" title "|" text *("|" field)
    field = "d:" seconds | "h:" host | "t:" type | "p:" priority | "s:" source | "k:" key | "#" tags | "m:" message

A message is the last field, and may hold bars. Service checks have the same fields.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

EVENT, CHECK = b"_e{", b"_sc|"
"""What lines of events, and of service checks, begin with."""
TEXT_CHARS_MAX = 4096
"""Longer texts and titles are cut off."""
_HEAD = re.compile(rb"_e\{([0-9]{1,5}),([0-9]{1,5})\}:")
_SECONDS = re.compile(rb"[0-9]{1,11}")


class Fields(NamedTuple):
    """What stands behind an event or a check.

    Parameters
    ----------
    said
        By the letter of each field.
    """

    said: Mapping[bytes, bytes]
    tags: bytes
    has_bad_time: bool

    @property
    def time_s(self) -> int | None:
        """Epoch seconds, if it says them."""
        return seconds_of(self.said.get(b"d", b"")) or None


@dataclass(frozen=True, slots=True)
class Event:
    """What an event says.

    Parameters
    ----------
    time_s
        Epoch seconds; None for the time of its arrival.
    type
        error, warning, info or success, or what the sender wrote instead; empty if it did not say.
    tags
        As the sender wrote them.
    """

    title: str
    text: str
    time_s: int | None = None
    host: str = ""
    type: str = ""
    priority: str = ""
    source: str = ""
    key: str = ""
    tags: tuple[str, ...] = ()

    @property
    def all_tags(self) -> tuple[str, ...]:
        """Its tags, and its host, type and source as such."""
        said = {"host": self.host, "alert_type": self.type, "source": self.source}
        return (*self.tags, *(f"{key}:{value}" for key, value in said.items() if value))


def event_of(line: bytes) -> Event | None:
    """The event of a line; None if it is not one."""
    parts = event_parts(line)
    if parts is None:
        return None
    title, text, behind = parts
    fields = fields_of(behind)

    def said(letter: bytes) -> str:
        return _text(fields.said.get(letter, b""))

    return Event(
        _text(title),
        _text(text).replace("\\n", "\n"),
        fields.time_s,
        said(b"h"),
        said(b"t"),
        said(b"p"),
        said(b"s"),
        said(b"k"),
        tuple(tag for tag in _text(fields.tags).split(",") if tag),
    )


def event_parts(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Title, text and fields of an event, or None if it is not one."""
    head = _HEAD.match(line)
    if not head:
        return None
    title, end = int(head[1]), int(head[1]) + 1 + int(head[2])
    rest = line[head.end() :]
    whole = title and len(rest) >= end and rest[title : title + 1] == b"|" and rest[end : end + 1] in (b"", b"|")
    return (rest[:title], rest[title + 1 : end], rest[end:]) if whole else None


def fields_of(text: bytes) -> Fields:
    """Fields by their letters, the last of each."""
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


def seconds_of(text: bytes) -> int:
    """Epoch seconds from 1, or 0 for what is no such number."""
    return int(text) if _SECONDS.fullmatch(text) else 0


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")[:TEXT_CHARS_MAX]
