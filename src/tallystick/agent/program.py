"""The agent as a program: collectors on the beat, their points to each server."""

import threading
from collections.abc import Callable

from tallystick.agent.carbon import lines
from tallystick.agent.forward import Forwarder
from tallystick.agent.place import prefix_of
from tallystick.agent.point import Point
from tallystick.agent.runner import Runner, jobs
from tallystick.config import Config
from tallystick.model.clock import Clock


def run(config: Config, clock: Clock, until: threading.Event) -> None:
    """Collect and forward until the event is set; then send what is left.

    Beside what the collectors yield, the agent tells of itself: ``agent.lines_dropped`` (for want of room while a
    server was away) and ``agent.looks_failed``, both as growing totals.
    """
    forwarders = [Forwarder(server, config.agent.buffer_bytes_max) for server in config.agent.endpoints]
    prefix = prefix_of(config.agent)

    def send(points: list[Point], timestamp_s: int) -> None:
        failed = float(sum(runner.failures.values()))
        dropped = float(sum(forwarder.counts.dropped for forwarder in forwarders))
        own = [Point(prefix + "agent.looks_failed", failed), Point(prefix + "agent.lines_dropped", dropped)]
        chunk = lines([*points, *own], timestamp_s)
        for forwarder in forwarders:
            forwarder.offer(chunk)

    runner = Runner(jobs(config.collectors), clock, send, prefix)
    for forwarder in forwarders:
        forwarder.start()
    runner.start()
    until.wait()
    runner.stop()
    for forwarder in forwarders:
        forwarder.stop()


def once(config: Config, clock: Clock, pause: Callable[[float], object], pause_s: float = 1.0) -> str:
    """What would be sent, as carbon lines: two looks, `pause_s` apart, so that rates are there.

    Parameters
    ----------
    pause
        Waits for the seconds that it is given; ``time.sleep``.
    """
    looked: list[str] = []

    def keep(points: list[Point], timestamp_s: int) -> None:
        looked.append(lines(points, timestamp_s).decode())

    configured, prefix = jobs(config.collectors), prefix_of(config.agent)
    Runner(configured, clock, lambda points, timestamp_s: None, prefix).tick()
    pause(pause_s)
    for job in configured:
        job.slot = None  # due again, though its interval is not over
    Runner(configured, clock, keep, prefix).tick()
    return "".join(looked)
