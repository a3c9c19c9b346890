"""The native protocol, as those speak it who tally themselves: agents and sensors.

`messages` makes and reads its bytes. `NativeClient` sends slots to a server or an agent, and keeps each batch until
it is on disk there. Needs nothing but Python itself: this is what every process on a host loads.
"""

from tallystick.native.client import NativeClient, NativeCounts
from tallystick.native.messages import Name, Slot

__all__ = ["Name", "NativeClient", "NativeCounts", "Slot"]
