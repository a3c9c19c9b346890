"""Receiving: sockets into buffers, buffers through parser, route and store, and the account of it in the ledger.

`Doors` are the listeners of the config: `StreamDoor` serves TCP and Unix stream sockets, `DatagramDoor` UDP and Unix
datagram sockets. `Intake` is what both hand their buffers to, and what HTTP writes use. Raw asyncio protocols live here
only.
"""

from tallystick.receive.datagrams import DatagramDoor
from tallystick.receive.doors import Doors
from tallystick.receive.intake import Intake
from tallystick.receive.routing import IntakeLimits
from tallystick.receive.streams import StreamDoor

__all__ = ["DatagramDoor", "Doors", "Intake", "IntakeLimits", "StreamDoor"]
