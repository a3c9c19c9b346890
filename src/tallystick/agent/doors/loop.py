"""`Loop`: one thread that waits for all sockets of the doors, and hands on what they receive.

It never blocks but in waiting, reads a bounded piece of each socket in turn, and goes on whatever one of them brings: a
fault in what reads a connection costs that connection.
"""

import contextlib
import logging
import selectors
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from tallystick.model.clock import Clock

log = logging.getLogger(__name__)

_CAUSES_MAX = 100


class Watched(Protocol):
    """Something with a socket."""

    def fileno(self) -> int:
        """Of the socket."""
        ...

    def ready(self, events: int) -> None:
        """Read, write or accept, without waiting; `events` are those of `selectors`."""
        ...

    def fail(self) -> None:
        """Give up, after `ready` failed."""
        ...


class Loop:
    """Waits for sockets; all that is called here runs on its thread.

    Parameters
    ----------
    clock
        For what is done at intervals.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._every: list[tuple[float, Callable[[], object]]] = []
        self._due_s: list[float] = []
        self._waiting: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._causes: set[str] = set()
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="doors", daemon=True)

    def every(self, interval_s: float, do: Callable[[], object]) -> None:
        """Have something done at intervals, from the start on."""
        self._every.append((interval_s, do))
        self._due_s.append(self._clock.monotonic())

    def watch(self, watched: Watched, events: int = selectors.EVENT_READ) -> None:
        """Wait for a socket, or for something else of it."""
        if watched.fileno() in self._selector.get_map():
            self._selector.modify(watched.fileno(), events, watched)
        else:
            self._selector.register(watched.fileno(), events, watched)

    def forget(self, watched: Watched) -> None:
        """Wait for a socket no longer."""
        if watched.fileno() in self._selector.get_map():
            self._selector.unregister(watched.fileno())

    def call(self, do: Callable[[], object]) -> None:
        """Have something done soon, unless it has stopped; any thread may ask for it."""
        with self._lock:
            if not self._stopping:
                self._waiting.append(do)
                self._awaken()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is under way; sockets are left to their owners, who may still forget them."""
        with self._lock:
            if not self._stopping:
                self._stopping = True
                self._awaken()
        if self._thread.is_alive():
            self._thread.join()

    def close(self) -> None:
        """Let go of everything, once it has stopped."""
        self._selector.close()
        self._woken.close()
        self._wake.close()

    def _run(self) -> None:
        while not self._stopping:
            for key, events in self._selector.select(self._wait_s()):
                if key.data is None:
                    self._woken.recv(4096)
                else:
                    self._guarded(partial(key.data.ready, events), key.data.fail)
            self._do_what_is_due()

    def _wait_s(self) -> float:
        return max(0.0, min(self._due_s, default=60.0) - self._clock.monotonic()) if self._due_s else 60.0

    def _do_what_is_due(self) -> None:
        now_s = self._clock.monotonic()
        for place, (interval_s, do) in enumerate(self._every):
            if self._due_s[place] <= now_s:
                self._due_s[place] = now_s + interval_s
                self._guarded(do)
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for do in waiting:
            self._guarded(do)

    def _guarded(self, do: Callable[[], object], then: Callable[[], object] | None = None) -> None:
        """Do something that must not end the loop; what is wrong is logged once for each cause."""
        try:
            do()
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            if cause not in self._causes and len(self._causes) < _CAUSES_MAX:
                self._causes.add(cause)
                log.exception("cannot go on with a socket of the agent's doors: %s", cause)
            if then is not None:
                then()

    def _awaken(self) -> None:
        with contextlib.suppress(BlockingIOError):  # then it is awake
            self._wake.send(b"\0")
