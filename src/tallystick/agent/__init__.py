"""What runs on each host: collectors that look at it, and the way of their points to a server.

In the order of the data: the `host` as its kernel tells of it, and `services` as they are asked; `collectors`, a file
each, and `checks`, which `collecting` lets look on their beat; beside them `logs` that are followed, and `doors` for
programs of this host, which fold what comes into `tallies`. All of them hand slots to the `delivery`, which keeps them
in the `spool` until each server has them. `program` is all of it as an agent; a server lets only collectors look.
Nothing here imports NumPy: an agent stays under 40 MB.
"""

from tallystick.agent.collecting.collector import Collector, Found, HostCollector, IncompleteError, NoSettings, Service
from tallystick.agent.collecting.configured import runner_for
from tallystick.agent.collecting.jobs import Finder, Job
from tallystick.agent.collecting.registry import collector, registered
from tallystick.agent.collecting.runner import Runner
from tallystick.agent.host import Host, Process, Surroundings
from tallystick.agent.keys import kinds
from tallystick.agent.place import place_of, prefix_of
from tallystick.model.point import Point, Sink

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
