"""What a program holds in its hands: counters, gauges, timings and distinct counts.

All of them take a sample by appending it to a list, which is one indivisible step of the interpreter: no lock is
waited for, in any thread, task, greenlet, signal handler, finalizer or forked child. `Instrument` says how the lists
become slots.
"""

from tallystick.sensors.instruments.counter import Counter
from tallystick.sensors.instruments.distinct import DistinctCount
from tallystick.sensors.instruments.gauge import Gauge
from tallystick.sensors.instruments.instrument import Instrument, Taken
from tallystick.sensors.instruments.timing import Timing

__all__ = ["Counter", "DistinctCount", "Gauge", "Instrument", "Taken", "Timing"]
