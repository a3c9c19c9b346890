"""`Meanings`: what protocols say of metrics beside their numbers is read now and then, at a bounded cost.

Prometheus' texts and OpenTelemetry's bodies say units and descriptions again and again, with each sample. So after a
body was looked at, none is for a hundred times as long as that took: whoever sends has a turn soon, and all of it is
one hundredth of a core at most.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from tallystick.model.clock import Clock
from tallystick.parse.exposition_meta import meant_by
from tallystick.parse.meant import Meant
from tallystick.parse.otlp_meta import meant_by_json, meant_by_protobuf
from tallystick.parse.remote_write_meta import meant_by_request, meant_by_request_2

REST_FACTOR = 100

_READERS: dict[str, Callable[[memoryview], Iterator[Meant]]] = {
    "exposition": meant_by,
    "openmetrics": meant_by,
    "otlp": meant_by_protobuf,
    "otlp-json": meant_by_json,
    "remote-write": meant_by_request,
    "remote-write-2": meant_by_request_2,
}
"""By protocol, what reads a whole text or body."""

Tell = Callable[[Iterable[Meant]], None]


class Meanings:
    """Looks into some of what is received; thread-safe.

    Parameters
    ----------
    clock
        Measures how long to rest.
    rest_factor
        So many times as long as a look took none follows.
    """

    def __init__(self, clock: Clock, rest_factor: float = REST_FACTOR) -> None:
        self._clock = clock
        self._rest_factor = rest_factor
        self._looking = threading.Lock()
        self._not_before_s = 0.0
        self._tell: Tell | None = None

    def when_told(self, tell: Tell) -> None:
        """Have `tell` called with what is found, by the threads that receive."""
        self._tell = tell

    def tell(self, meant: Sequence[Meant]) -> None:
        """Pass on what a parser read anyhow."""
        if meant and self._tell is not None:
            self._tell(meant)

    def look(self, protocol: str, text: memoryview) -> None:
        """Look into a text, if it is of a protocol that says something, and it is time."""
        read = _READERS.get(protocol)
        if read is None or self._tell is None or not self._looking.acquire(blocking=False):
            return
        try:
            if self._clock.monotonic() >= self._not_before_s:
                began_s = time.thread_time()
                self._tell(list(read(text)))
                took_s = time.thread_time() - began_s
                self._not_before_s = self._clock.monotonic() + self._rest_factor * took_s
        finally:
            self._looking.release()
