"""`Forwarding`: what DogStatsD's senders told becomes events, on a thread of its own.

Their datagrams are not answered, so nobody waits for the disk: whoever receives them goes on, and what is told in the
meantime is written at once. While the disk refuses, what is told waits, and beyond `WAITING_MAX` the oldest is dropped.
"""

import logging
import threading
from collections import deque

from tallystick.dogstatsd import Event as Told
from tallystick.events.event import Event
from tallystick.events.store import EventStore
from tallystick.model.clock import Clock
from tallystick.model.errors import StoreError

logger = logging.getLogger(__name__)

WAITING_MAX = 1000
_AGAIN_S = 1.0


class Forwarding:
    """Takes what is told to a store; `start`, then `stop`.

    Parameters
    ----------
    store
        Where it goes.
    clock
        For events that do not say when they happened.
    """

    def __init__(self, store: EventStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: deque[Event] = deque(maxlen=WAITING_MAX)
        self._told = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def note(self, told: Told) -> None:
        """Have an event kept soon; never waits."""
        event = _event(told, int(self._clock.now()))
        with self._told:
            self._waiting.append(event)
            self._told.notify()

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, if the disk takes it."""
        with self._told:
            self._stopping = True
            self._told.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._told:
                while not (self._waiting or self._stopping):
                    self._told.wait()
                events, stopping = list(self._waiting), self._stopping
                self._waiting.clear()
            if not self._written(events):
                with self._told:
                    self._waiting.extendleft(reversed(events[: WAITING_MAX - len(self._waiting)]))
                    if not stopping:
                        self._told.wait_for(lambda: self._stopping, _AGAIN_S)
            if stopping:
                return

    def _written(self, events: list[Event]) -> bool:
        try:
            self._store.add_all(events)
        except StoreError as error:
            logger.warning("%s", error)
            return False
        return True


def _event(told: Told, now_s: int) -> Event:
    """The event that was told: its host, kind and source are among its tags, as DogStatsD's own are."""
    return Event(0, now_s if told.time_s is None else told.time_s, told.title, told.all_tags, told.text)
