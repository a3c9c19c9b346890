"""A synthetic fleet for whoever has no servers at hand.

`Fleet` invents the numbers (hosts, applications, and deploys of which some go wrong and are rolled back), `Player`
sends them to a carbon door, `own_server` starts a server to send them to.
"""

from tallystick.demo.fleet import Fleet
from tallystick.demo.play import Player
from tallystick.demo.server import own_server

__all__ = ["Fleet", "Player", "own_server"]
