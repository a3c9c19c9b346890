"""Events that senders tell among their samples: the last hundred, for whoever asks what happened."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

EVENTS_KEPT = 100
TEXT_CHARS_MAX = 4096
"""Longer texts and titles are cut off."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a DogStatsD event says.

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


class EventJournal:
    """The last `EVENTS_KEPT` events, in memory; any thread may call.

    Parameters
    ----------
    when_noted
        Called with each event, by the thread that received it: it must not wait.
    """

    def __init__(self, when_noted: Callable[[Event], None] | None = None) -> None:
        self._when_noted = when_noted
        self._lock = threading.Lock()
        self._kept: deque[Event] = deque(maxlen=EVENTS_KEPT)

    def note(self, event: Event) -> None:
        """Keep an event, in place of the oldest where there are too many."""
        with self._lock:
            self._kept.append(event)
        if self._when_noted is not None:
            self._when_noted(event)

    def last(self) -> list[Event]:
        """What is kept, newest first."""
        with self._lock:
            return list(reversed(self._kept))


def event_of(line: bytes) -> Event:
    """The event of a line that was found to be one."""
    lengths, _, rest = line[3:].partition(b"}:")
    title, text = (int(length) for length in lengths.split(b","))
    found: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    for raw in rest[title + 1 + text :].split(b"|")[1:]:
        if raw.startswith(b"m:"):
            break
        field = _text(raw)
        if field.startswith("#"):
            tags = tuple(tag for tag in field[1:].split(",") if tag)
        elif field[1:2] == ":":
            found[field[0]] = field[2:]
    return Event(
        _text(rest[:title]),
        _text(rest[title + 1 : title + 1 + text]).replace("\\n", "\n"),
        int(found["d"]) if "d" in found else None,
        found.get("h", ""),
        found.get("t", ""),
        found.get("p", ""),
        found.get("s", ""),
        found.get("k", ""),
        tags,
    )


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")[:TEXT_CHARS_MAX]
