"""Sockets: bound for those who come to us, connected to others, and a queue before those who may be away."""

from tallystick.sockets.connecting import Backoff, connect, hung_up
from tallystick.sockets.forwarder import Forwarder, Standing
from tallystick.sockets.listening import bind, bound_address, remove_stale

__all__ = ["Backoff", "Forwarder", "Standing", "bind", "bound_address", "connect", "hung_up", "remove_stale"]
