"""What a process reports of itself beside what it counts: its resources, its collector of garbage, its loop, its start.

All of it begins at the first sample, in each process anew, unless ``TALLYSTICK_RUNTIME`` is ``off``.
"""

from tallystick.sensors.runtime.garbage import Garbage
from tallystick.sensors.runtime.process import Process
from tallystick.sensors.runtime.start import Start
from tallystick.sensors.sensors import Sensors

__all__ = ["report"]


def report(sensors: Sensors) -> None:
    """Have the process report of itself from its first sample on."""
    parts = Process(sensors), Garbage(sensors), Start(sensors)

    def begin() -> None:
        if sensors.life.settings().runtime:
            for part in parts:
                part.begin()

    sensors.life.when_awake.append(begin)
