"""`Process`: what a process takes of its machine."""

import os
import threading
import time
from pathlib import Path

from tallystick.sensors.instruments import Counter
from tallystick.sensors.sensors import Sensors

_PROC = Path("/proc/self")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """CPU, memory, files and threads, looked at before each flush; of several processes of a program each adds its own.

    Parameters
    ----------
    sensors
        Where to.
    """

    def __init__(self, sensors: Sensors) -> None:
        self._sensors = sensors
        self._is_watching = False
        self._told: dict[Counter, float] = {}

    def begin(self) -> None:
        """Look at this process from now on; its CPU counts from its own beginning."""
        self._told.clear()
        gauge = self._sensors.gauge
        gauge("process.resident", resident_bytes, unit="bytes", description="Memory that the process has in RAM.")
        gauge("process.files", open_files, unit="files", description="Files and sockets that the process has open.")
        gauge("process.threads", threading.active_count, unit="threads", description="Threads of the process.")
        gauge("process.uptime", uptime_s, unit="s", description="Since the process began.")
        if not self._is_watching:
            self._is_watching = True
            self._sensors.life.before_flush.append(self._look)

    def _look(self) -> None:
        counter, spent = self._sensors.counter, os.times()
        for mode, seconds in (("user", spent.user), ("system", spent.system)):
            self._tell(counter("process.cpu", unit="s", description="CPU time of the process.", mode=mode), seconds)
        if self._sensors.refused:
            said = "Requests for more instruments than there may be."
            self._tell(counter("sensors.refused", description=said), self._sensors.refused)
        if self._sensors.dropped:
            said = "Slots that nobody took for too long."
            self._tell(counter("sensors.dropped", unit="slots", description=said), self._sensors.dropped)

    def _tell(self, counter: Counter, grown_to: float) -> None:
        """Count by how much something has grown."""
        grown = grown_to - self._told.get(counter, 0.0)
        self._told[counter] = grown_to
        if grown > 0:
            counter.increment(grown)


def resident_bytes() -> float | None:
    """Memory in RAM; None where there is no /proc."""
    try:
        return float((_PROC / "statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return None


def open_files() -> float | None:
    """Open descriptors, without the one that this takes; None where there is no /proc."""
    try:
        return float(sum(1 for _ in (_PROC / "fd").iterdir()) - 1)
    except OSError:
        return None


def uptime_s() -> float | None:
    """Seconds since the process began; None where there is no /proc."""
    try:
        # Behind the name of the program, which may have spaces and brackets in it.
        begun = float((_PROC / "stat").read_text().rpartition(")")[2].split()[19]) / _TICKS
    except OSError:
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - begun
