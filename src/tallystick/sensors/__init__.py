"""Metrics from the line of code that counts.

>>> from tallystick import sensors
>>> sensors.counter("requests", view="home").increment()
>>> sensors.gauge("queue.length", unit="jobs", owner="team-x").set(3)
>>> sensors.distinct("users").add("ada")
>>> with sensors.timing("render"):
...     page = "..."
>>> @sensors.timing("lookup")
... def lookup(key): ...
>>> @sensors.sensor(unit="bytes", owner="team-x")
... def cache_size(): ...

Everything is gathered in the process as counts, sums, extremes and histograms, and leaves it every ten seconds, and at
exit, for the agent or server at ``TALLYSTICK_AGENT``, by default that on this host; if there is none, nothing happens
to the program. Names are made by rule, of ``TALLYSTICK_ENVIRONMENT``, ``TALLYSTICK_APP`` and the host:
``<environment>.apps.<app>.<name>`` for the cluster and ``<environment>.hosts.<class>.<host>.<app>.<name>`` for the
host. Needs nothing but Python itself.

A forked child counts for itself, from its first sample on. One that ends by ``os._exit`` should call `flush`.
"""

import logging
from typing import TYPE_CHECKING

from tallystick.sensors.instruments import Counter, DistinctCount, Gauge, Timing
from tallystick.sensors.runtime import report
from tallystick.sensors.sensors import Sensors
from tallystick.sensors.tagging import Tagging
from tallystick.sensors.view import Seen
from tallystick.sensors.view import dump as _dump
from tallystick.sensors.view import snapshot as _snapshot

__all__ = [
    "Counter",
    "DistinctCount",
    "Gauge",
    "Seen",
    "Sensors",
    "Timing",
    "configure",
    "counter",
    "distinct",
    "dump",
    "flush",
    "gauge",
    "own",
    "sensor",
    "snapshot",
    "timing",
    "watch",
    "watch_loop",
]

if TYPE_CHECKING:
    import asyncio

logging.getLogger("tallystick").addHandler(logging.NullHandler())  # a program that has no log says nothing of ours

own = Sensors()
"""The sensors of this process; what follows are its methods."""
configure = own.configure
counter = own.counter
gauge = own.gauge
timing = own.timing
distinct = own.distinct
flush = own.flush
sensor = Tagging(own).sensor
watch = Tagging(own).watch
report(own)


def watch_loop(loop: "asyncio.AbstractEventLoop | None" = None) -> None:
    """Time how late an event loop comes to what is due, by default the one that runs."""
    from tallystick.sensors.runtime.loop import watch_loop as watch_this

    watch_this(own, loop)


def snapshot() -> list[Seen]:
    """What the sensors of this process hold at the moment."""
    return _snapshot(own)


def dump() -> str:
    """The same as a table to read."""
    return _dump(own)
