"""From the config to a `Runner`: the same for the agent and for the server, which collects on its own host."""

from tallystick.agent.host import Host
from tallystick.agent.jobs import Finder
from tallystick.agent.place import place_of, prefix_of
from tallystick.agent.point import Sink
from tallystick.agent.runner import Runner
from tallystick.config import Config
from tallystick.model.clock import Clock


def runner_for(config: Config, clock: Clock, sink: Sink, *, discover: bool) -> Runner:
    """What looks at this host as the config says; not yet started.

    Parameters
    ----------
    discover
        Whether to look at what is found although no item is named ``*``.

    Raises
    ------
    ConfigError
        If the config names collectors that there are not, or keys that they have not.
    """
    finder = Finder(config.collectors, Host(), discover=discover)
    jobs = finder.configured() + finder.at_once()
    return Runner(jobs, clock, sink, prefix_of(config.agent), finder=finder, host=place_of(config.agent).host)
