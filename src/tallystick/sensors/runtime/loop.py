"""How late an event loop comes to what is due: time in which something else held it up."""

import asyncio
import weakref

from tallystick.sensors.instruments import Timing
from tallystick.sensors.sensors import Sensors

_EVERY_S = 0.25

_WATCHED: "weakref.WeakSet[asyncio.AbstractEventLoop]" = weakref.WeakSet()


def watch_loop(sensors: Sensors, loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Time how late a loop is, four times a second for as long as it runs; twice is as good as once.

    Parameters
    ----------
    loop
        By default the one that runs.

    Raises
    ------
    RuntimeError
        If none is given and none runs.
    """
    loop = loop or asyncio.get_running_loop()
    if loop in _WATCHED:
        return
    _WATCHED.add(loop)
    timing = sensors.timing("loop.lag", description="How late the event loop came to what was due.")
    _wait(loop, timing, loop.time())


def _wait(loop: asyncio.AbstractEventLoop, timing: Timing, due: float) -> None:
    loop.call_at(due, _look, loop, timing, due)


def _look(loop: asyncio.AbstractEventLoop, timing: Timing, due: float) -> None:
    now = loop.time()
    timing.observe(max(0.0, now - due))
    _wait(loop, timing, now + _EVERY_S)
