"""The relay: samples that are handed on to other servers as carbon's lines.

`Relaying` says of each name which servers have it, and writes lines of batches; a `Destination` sends them.
"""

from tallystick.relay.destination import Destination, Standing
from tallystick.relay.relaying import Relaying

__all__ = ["Destination", "Relaying", "Standing"]
