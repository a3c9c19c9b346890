"""Metrics from the line of code that counts.

>>> from tallystick import sensors
>>> sensors.counter("requests").increment()
>>> sensors.gauge("queue.length").set(3)
>>> with sensors.timing("render"):
...     page = "..."
>>> @sensors.timing("lookup")
... def lookup(key): ...

Everything is gathered in the process and leaves it once in ten seconds, and at exit, as StatsD datagrams to the agent
or server on this host; if there is none, nothing happens to the program. Names are made by rule:
``<environment>.apps.<application>.<name>``, from ``TALLYSTICK_ENVIRONMENT`` and ``TALLYSTICK_APP``;
``TALLYSTICK_STATSD`` says where to send. Needs nothing but Python itself.

A forked child counts for itself. One that ends by ``os._exit``, as those of ``multiprocessing`` do, should call
`flush`.
"""

from functools import cache

from tallystick.sensors.instruments import Counter, Gauge, Timing
from tallystick.sensors.sensors import Sensors, from_environment

__all__ = ["Counter", "Gauge", "Sensors", "Timing", "counter", "flush", "gauge", "timing"]

_own = cache(from_environment)  # made at the first use, when the program has set its environment


def counter(name: str) -> Counter:
    """The counter `name` of this process."""
    return _own().counter(name)


def gauge(name: str) -> Gauge:
    """The gauge `name` of this process."""
    return _own().gauge(name)


def timing(name: str) -> Timing:
    """The timing `name` of this process: a context manager and a decorator."""
    return _own().timing(name)


def flush() -> None:
    """Send what has gathered in this process so far."""
    _own().flush()
