"""How many processes there are: ``processes.total``, ``running``, ``sleeping``, ``blocked``, ``zombie``; ``threads``.

``blocked`` are those that wait for a disk and cannot be ended, ``idle`` threads of the kernel with nothing to do.
"""

from collections import Counter
from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host.processes import statuses
from tallystick.model.point import Point

_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "blocked",
    "Z": "zombie",
    "T": "stopped",
    "t": "stopped",
    "I": "idle",
}


METRICS = (
    Told("total", "processes", "Processes"),
    Told("threads", "threads", "Their threads"),
    Told("running", "processes", "of these: run, or wait for a processor"),
    Told("sleeping", "processes", "of these: wait for something"),
    Told("blocked", "processes", "of these: wait for a disk, and cannot be ended"),
    Told("zombie", "processes", "of these: have ended, which nobody has asked for"),
    Told("stopped", "processes", "of these: were stopped"),
    Told("idle", "processes", "of these: the kernel's own, with nothing to do"),
)


@collector("processes")
class Processes(HostCollector):
    """All processes that the agent can see."""

    TELLS = METRICS

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        states = Counter(dict.fromkeys(_STATES.values(), 0))
        total = threads = 0
        for status in statuses(self.host):
            total += 1
            threads += status.threads
            if status.state in _STATES:  # one that has just ended is X
                states[_STATES[status.state]] += 1
        yield Point("total", float(total))
        yield Point("threads", float(threads))
        for state, count in states.items():
            yield Point(state, float(count))
