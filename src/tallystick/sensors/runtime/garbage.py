"""`Garbage`: how long the collector of garbage stops a program, and what it finds."""

import gc
from time import perf_counter

from tallystick.sensors.sensors import Sensors


class Garbage:
    """Pauses and finds of the collector, by generation.

    Parameters
    ----------
    sensors
        Where to.
    """

    def __init__(self, sensors: Sensors) -> None:
        self._sensors = sensors
        self._began = 0.0  # one for all threads: the collector does not run within itself
        self._is_watching = False

    def begin(self) -> None:
        """Have the collector tell."""
        timing, counter = self._sensors.timing, self._sensors.counter
        self._pauses = [
            timing("gc.pause", description="How long a collection stopped the program.", generation=k) for k in range(3)
        ]
        self._collected = [counter("gc.collected", unit="objects", generation=k) for k in range(3)]
        self._uncollectable = counter("gc.uncollectable", unit="objects")
        if not self._is_watching:
            self._is_watching = True
            gc.callbacks.append(self._tell)

    def _tell(self, phase: str, found: dict[str, int]) -> None:
        if phase == "start":
            self._began = perf_counter()
            return
        if not self._sensors.life.is_awake:
            return  # a forked child that has counted nothing: this is no reason to begin
        generation = min(found["generation"], 2)
        self._pauses[generation].observe(perf_counter() - self._began)
        if found["collected"]:
            self._collected[generation].increment(found["collected"])
        if found["uncollectable"]:
            self._uncollectable.increment(found["uncollectable"])
