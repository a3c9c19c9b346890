"""The agent as a program: what makes slots on this host, and their delivery to each server.

What makes slots is a `Feed`: it is started with the delivery behind it, and stopped before that ends.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from tallystick.agent.collecting.changes import ToldChange
from tallystick.agent.collecting.configured import runner_for
from tallystick.agent.collecting.describing import Describing
from tallystick.agent.collecting.itself import Itself, looks_of
from tallystick.agent.collecting.jobs import Job
from tallystick.agent.delivery import Delivery
from tallystick.agent.doors import Events, Listening, Told
from tallystick.agent.logs import ERRORS_FILE, Scraper
from tallystick.agent.logs.naming import placed
from tallystick.agent.place import agent_word, place_of
from tallystick.config import Config
from tallystick.config.doors import Door
from tallystick.model.address import Address, is_everywhere
from tallystick.model.clock import Clock
from tallystick.model.point import Point
from tallystick.native.messages import Slot


class Feed(Protocol):
    """Something that makes slots and offers them to a `Delivery`: collectors, doors, whoever follows logs."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """Offer what is left, and end."""
        ...


class Program:
    """A whole agent; `start`, then `stop`.

    Raises
    ------
    ConfigError, StartError
        If something of it cannot be had: a collector, its spool, its token.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self.delivery = Delivery(config.agent, agent_word(config.agent), clock)
        self.feeds = list(_feeds(config, self.delivery, clock))

    def start(self) -> None:
        """Begin to collect and to send."""
        self.delivery.start()
        for feed in self.feeds:
            feed.start()

    def stop(self, drain_s: float = 2.0) -> None:
        """End; what no server has taken within `drain_s` stays in the spool."""
        for feed in reversed(self.feeds):
            feed.stop()
        self.delivery.stop(drain_s)


def _feeds(config: Config, delivery: Delivery, clock: Clock) -> Iterator[Feed]:
    """What makes slots, as the config says."""
    place = place_of(config.agent)

    def from_delivery() -> Iterator[Point]:
        for name, value in delivery.numbers():
            yield Point(name, value)

    sources = [from_delivery]
    doors = doors_of(config)
    directory = config.agent.spool_path()
    events = Events(config.agent.events_server, config.agent.find_token(), directory, clock)
    yield events
    if doors:
        listening = Listening(doors, delivery, clock, place, directory, events)
        sources.append(listening.points)
        yield listening
    if config.logs:
        scraper = Scraper(
            config.logs,
            delivery.cursors,
            lambda slots, cursors: delivery.offer(list(placed(slots, place)), cursors),
            config.agent.spool_path() / ERRORS_FILE,
            clock,
            lambda: delivery.is_writable,
        )
        sources.append(scraper.points)
        yield scraper
    describing = Describing(delivery.describe)

    def from_collectors(points: list[Point], timestamp_s: int) -> None:
        describing.hear(points)
        delivery.offer(slots_of(points, timestamp_s))

    def changed(change: ToldChange) -> None:
        events.tell(Told(change.what, list(change.tags), change.data, int(clock.now())))

    runner = runner_for(config, clock, from_collectors, discover=config.agent.discover, when_changed=changed)
    runner.add(Job("agent", Itself([looks_of(runner), *sources])))
    yield runner


def doors_of(config: Config) -> list[Door]:
    """The doors that are opened: not one where a server is expected, to whom we would be that server ourselves."""
    servers = config.agent.endpoints
    return [door for door in config.agent.doors if not any(_is_at(door.endpoint, server) for server in servers)]


def _is_at(door: Address, server: Address) -> bool:
    if door.local or server.local:
        return door.path == server.path
    near = door.host == server.host or (server.loopback and (door.loopback or is_everywhere(door.host)))
    return near and door.port == server.port != 0 and not door.datagrams


def slots_of(points: Sequence[Point], timestamp_s: int) -> list[Slot]:
    """What was looked at, as slots of one sample each."""
    return [Slot(point.name, point.kind, timestamp_s * 1000, point.value) for point in points]


def run(config: Config, clock: Clock, until: threading.Event) -> None:
    """Collect and send until the event is set; what is not sent then waits in the spool for the next start."""
    program = Program(config, clock)
    program.start()
    until.wait()
    program.stop()


def once(config: Config, clock: Clock, pause: Callable[[float], object], pause_s: float = 1.0) -> list[Slot]:
    """What would be sent of what is looked at: two looks, `pause_s` apart, so that rates are there.

    Parameters
    ----------
    pause
        Waits for the seconds that it is given; ``time.sleep``.
    """
    looked: list[Slot] = []
    runner = runner_for(config, clock, lambda p, s: looked.extend(slots_of(p, s)), discover=config.agent.discover)
    runner.look_at_everything()
    looked.clear()
    pause(pause_s)
    runner.look_at_everything()
    runner.stop()
    return looked
