"""The agent's doors: programs of the host send their samples here, which become ten-second tallies.

A protocol is a module that reads its lines, without sockets and without state: `carbon`, `opentsdb`, `istatd`, `statsd`
with `messages`. `Doors` opens sockets, and hands what they receive to one of these; `Sink` counts it. What sensors
tallied comes in by `native`.
"""

from tallystick.agent.doors.doors import Doors, OpenDoor
from tallystick.agent.doors.events import Events, Told
from tallystick.agent.doors.faults import Counts, Offender
from tallystick.agent.doors.feed import Listening
from tallystick.agent.doors.native import Keeper

__all__ = ["Counts", "Doors", "Events", "Keeper", "Listening", "Offender", "OpenDoor", "Told"]
