"""From the config to a `Runner`: the same for the agent and for the server, which collects on its own host."""

from collections.abc import Callable

from tallystick.agent.checks.registry import watching
from tallystick.agent.collecting.changes import ToldChange, told_of
from tallystick.agent.collecting.jobs import Finder
from tallystick.agent.collecting.runner import Change, Runner
from tallystick.agent.host import Host
from tallystick.agent.place import place_of, prefix_of
from tallystick.config import Config
from tallystick.model.clock import Clock
from tallystick.model.point import Sink


def runner_for(
    config: Config,
    clock: Clock,
    sink: Sink,
    *,
    discover: bool,
    when_changed: Callable[[ToldChange], None] | None = None,
) -> Runner:
    """What looks at this host as the config says; not yet started.

    Parameters
    ----------
    discover
        Whether to look at what is found although no item is named ``*``.
    when_changed
        Called with what goes down and comes up again: services, and what is checked. It must not wait.

    Raises
    ------
    ConfigError
        If the config names collectors or checks that there are not, or keys that they have not.
    """
    place, host = place_of(config.agent), Host()
    finder = Finder(config.collectors, host, discover=discover)
    jobs = finder.configured() + watching(config.checks, host, clock) + finder.at_once()

    def tell(change: Change) -> None:
        if when_changed is not None:
            when_changed(told_of(change, place))

    return Runner(jobs, clock, sink, prefix_of(config.agent), finder=finder, host=place.host, when_changed=tell)
