"""From this host to its servers: `Delivery` takes slots and has them reach every server once.

A `Destination` sends the spool to a server and keeps its place in it; a `Repeater` sends the same to another system in
that one's words, at best effort.
"""

from tallystick.agent.delivery.delivery import Delivery, destinations_of, greeting_of
from tallystick.agent.delivery.destination import probe
from tallystick.agent.delivery.repeats import Repeater, lines_of

__all__ = ["Delivery", "Repeater", "destinations_of", "greeting_of", "lines_of", "probe"]
