"""Events that senders tell among their samples: the last hundred, for whoever asks what happened."""

import threading
from collections import deque
from collections.abc import Callable

from tallystick.dogstatsd import Event

EVENTS_KEPT = 100


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
