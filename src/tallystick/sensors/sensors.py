"""A set of instruments by name, and the thread that flushes them."""

import atexit
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from tallystick.model.clock import Clock, SystemClock
from tallystick.model.errors import TallystickError
from tallystick.sensors.door import Door
from tallystick.sensors.instruments import Counter, Gauge, Instrument, Timing

S = TypeVar("S", bound=Instrument)

FLUSH_INTERVAL_S = 10
DEFAULT_ADDRESS = "udp://127.0.0.1:8125"


def prefix(environment: Mapping[str, str], program: str) -> str:
    """What stands before the names of a process: ``<environment>.apps.<application>.``

    Taken from ``TALLYSTICK_ENVIRONMENT`` (else ``dev``) and ``TALLYSTICK_APP`` (else the name of the program).
    """
    app = environment.get("TALLYSTICK_APP") or Path(program).stem or "python"
    return f"{_component(environment.get('TALLYSTICK_ENVIRONMENT') or 'dev')}.apps.{_component(app)}."


class Sensors:
    """Instruments that share a prefix and a door. Safe to use from any thread, task and forked child.

    Parameters
    ----------
    prefix
        Stands before each name, with its dot.
    address
        Where StatsD is listened for.
    clock
        Flushes keep to its beat, so that each slot of the server gets exactly one.
    """

    def __init__(self, prefix: str, address: str = DEFAULT_ADDRESS, clock: Clock | None = None) -> None:
        self._prefix = prefix
        self._door = Door(address)
        self._clock = clock or SystemClock()
        self._instruments: dict[str, Instrument] = {}
        self._begin()
        # A child must neither send what its parent has gathered nor wait for locks that were held at the fork.
        os.register_at_fork(after_in_child=self._in_child)
        atexit.register(self.close)

    @property
    def datagrams_dropped(self) -> int:
        """Datagrams that the kernel is known not to have delivered."""
        return self._door.datagrams_dropped

    def counter(self, name: str) -> Counter:
        """The counter of that name, made when it is first asked for."""
        return self._instrument(name, Counter)

    def gauge(self, name: str) -> Gauge:
        """The gauge of that name, made when it is first asked for."""
        return self._instrument(name, Gauge)

    def timing(self, name: str) -> Timing:
        """The timing of that name, made when it is first asked for."""
        return self._instrument(name, Timing)

    def flush(self) -> None:
        """Send what has gathered since the last flush."""
        with self._flushing:
            self._door.send(self._lines())

    def close(self) -> None:
        """Flush for the last time and end the thread; what is counted afterwards stays in the process."""
        self._stop.set()
        self.flush()

    def _instrument(self, name: str, kind: type[S]) -> S:
        found = self._instruments.get(name)
        if found is None:
            with self._lock:
                found = self._instruments.setdefault(name, kind())
                self._start()
        if not isinstance(found, kind):
            raise TallystickError(
                f"cannot make {kind.__name__.lower()} {name!r}: it is a {type(found).__name__.lower()} already; "
                "expected one kind for each name"
            )
        return found

    def _lines(self) -> Iterator[str]:
        for name, instrument in list(self._instruments.items()):
            cleaned = ".".join(_component(part) for part in name.split("."))
            for field in instrument.take():
                yield f"{self._prefix}{cleaned}:{field}"

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def _in_child(self) -> None:
        had_thread = self._thread is not None
        self._begin()
        for instrument in self._instruments.values():
            instrument.reset()
        if had_thread:
            self._start()

    def _start(self) -> None:
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(target=self._run, args=(self._stop,), name="sensors", daemon=True)
            self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        phase_s = os.getpid() % 97 / 97 * FLUSH_INTERVAL_S  # the processes of a host must not flush in one burst
        while not stop.wait(FLUSH_INTERVAL_S - (self._clock.now() - phase_s) % FLUSH_INTERVAL_S):
            self.flush()


def from_environment() -> Sensors:
    """Sensors named after this process, sending to ``TALLYSTICK_STATSD`` (else the StatsD port of this host)."""
    return Sensors(prefix(os.environ, sys.argv[0]), os.environ.get("TALLYSTICK_STATSD") or DEFAULT_ADDRESS)


def _component(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text) or "_"
