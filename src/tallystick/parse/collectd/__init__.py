"""What collectd sends: packets of its network plugin, and what its plugin ``write_http`` posts."""

from tallystick.parse.collectd.packets import CollectdParser
from tallystick.parse.collectd.posts import CollectdPostParser

__all__ = ["CollectdParser", "CollectdPostParser"]
