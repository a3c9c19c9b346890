"""`Start`: that a program has started, as a number and as an event on every graph."""

import contextlib
import mmap
import socket

from tallystick.sensors.sensors import Sensors
from tallystick.sensors.settings import Settings


class Start:
    """Counts each process that begins to count, and tells of a program once, however many workers it forks.

    Parameters
    ----------
    sensors
        Where to; events go to the StatsD door, which takes them as DogStatsD's clients send them.
    """

    def __init__(self, sensors: Sensors) -> None:
        self._sensors = sensors
        self._told = mmap.mmap(-1, 1)  # shared by all that are forked from here

    def begin(self) -> None:
        """Say that this process has begun."""
        settings = self._sensors.life.settings()
        version = settings.place.version or "unknown"
        self._sensors.counter("process.starts", unit="processes", version=version).increment()
        if not self._told[0]:
            self._told[0] = 1
            tell(settings)


def tell(settings: Settings) -> None:
    """Send the event; like all datagrams it may get lost, and the program does not wait for it."""
    if settings.statsd is None:
        return
    place = settings.place
    what = f"started {place.app} {place.version}".rstrip()
    tags = {"app": place.app, "environment": place.environment, "host": place.host, "version": place.version}
    tagged = ",".join(f"{key}:{value}" for key, value in tags.items() if value)
    line = f"_e{{{len(what.encode())},{len(tagged.encode())}}}:{what}|{tagged}|h:{place.host}|t:info|#{tagged},start"
    family = socket.AF_INET6 if ":" in settings.statsd.host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as door:
        door.setblocking(False)
        door.sendto(line.encode(), (settings.statsd.host, settings.statsd.port))
