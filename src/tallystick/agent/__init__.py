"""What runs on each host: collectors that look at it, and the way of their points to a server.

`Runner` runs the collectors that `jobs` makes of the config and hands `Point` lists to a sink: the server's built-in
host collector gives it a function that stores them, the agent (`program`) one that offers them to its `Delivery`,
which keeps them on disk until each server has them. Collectors are files in `collectors`, each registered by its one
`collector` line. Nothing here imports NumPy: an agent stays under 40 MB.
"""

from tallystick.agent.collecting import runner_for
from tallystick.agent.collector import Collector, Found, HostCollector, IncompleteError, NoSettings, Service
from tallystick.agent.host import Host
from tallystick.agent.jobs import Finder, Job
from tallystick.agent.place import place_of, prefix_of
from tallystick.agent.point import Point, Sink
from tallystick.agent.registry import collector, kinds, registered
from tallystick.agent.runner import Runner
from tallystick.agent.surroundings import Process, Surroundings

__all__ = [
    "Collector",
    "Finder",
    "Found",
    "Host",
    "HostCollector",
    "IncompleteError",
    "Job",
    "NoSettings",
    "Point",
    "Process",
    "Runner",
    "Service",
    "Sink",
    "Surroundings",
    "collector",
    "kinds",
    "place_of",
    "prefix_of",
    "registered",
    "runner_for",
]
