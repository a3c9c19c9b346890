"""Events: what happened beside the numbers, above all deploys.

`EventStore` keeps them in a file beside the series, each safe on disk before its sender is answered; `Event` is one of
them. `Forwarding` writes what DogStatsD's senders told.
"""

from tallystick.events.event import DATA_CHARS_MAX, ONCE_CHARS_MAX, TAGS_MAX, WHAT_CHARS_MAX, Event, split_tags
from tallystick.events.forwarding import Forwarding
from tallystick.events.store import FILE_NAME, EventStore, copy_events

__all__ = [
    "DATA_CHARS_MAX",
    "FILE_NAME",
    "ONCE_CHARS_MAX",
    "TAGS_MAX",
    "WHAT_CHARS_MAX",
    "Event",
    "EventStore",
    "Forwarding",
    "copy_events",
    "split_tags",
]
