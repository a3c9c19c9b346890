"""The relay: samples that are handed on to other servers as carbon's lines.

`Relaying` says of each name which servers have it, and writes lines of batches; a `Forwarder` for each sends them.
"""

from tallystick.relay.relaying import Relaying

__all__ = ["Relaying"]
