"""The agent as a program: collectors on the beat, their points to each server."""

import threading
from collections.abc import Callable, Iterator

from tallystick.agent.carbon import lines
from tallystick.agent.collecting import runner_for
from tallystick.agent.forward import Forwarder
from tallystick.agent.itself import Itself, looks_of
from tallystick.agent.jobs import Job
from tallystick.agent.point import Point
from tallystick.config import Config
from tallystick.model.clock import Clock


def run(config: Config, clock: Clock, until: threading.Event) -> None:
    """Collect and forward until the event is set; then send what is left.

    Beside what the collectors yield, the agent tells of itself: what it costs, how often collectors looked and failed,
    and ``agent.lines_dropped`` (for want of room while a server was away).
    """
    forwarders = [Forwarder(server, config.agent.buffer_bytes_max) for server in config.agent.endpoints]

    def send(points: list[Point], timestamp_s: int) -> None:
        chunk = lines(points, timestamp_s)
        for forwarder in forwarders:
            forwarder.offer(chunk)

    def dropped() -> Iterator[Point]:
        yield Point("lines_dropped", float(sum(forwarder.counts.dropped for forwarder in forwarders)))

    runner = runner_for(config, clock, send, discover=config.agent.discover)
    runner.add(Job("agent", Itself([looks_of(runner), dropped])))
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

    runner = runner_for(config, clock, keep, discover=config.agent.discover)
    runner.look_at_everything()
    looked.clear()
    pause(pause_s)
    runner.look_at_everything()
    return "".join(looked)
