"""``tallystick agent test``: what would be looked at, and what comes of it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.agent.collecting import runner_for
from tallystick.agent.place import prefix_of
from tallystick.agent.point import Point
from tallystick.config import Config
from tallystick.model.clock import Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a look.

    Parameters
    ----------
    name
        Of the collector, with its instance.
    points
        So many numbers came; those that are rates follow at the second look.
    failure
        Why it failed; empty if it did not.
    """

    name: str
    points: int
    failure: str


def collectors(config: Config, clock: Clock) -> Iterator[Outcome]:
    """Look once at everything that is configured or found, by name.

    Raises
    ------
    ConfigError
        If the config names collectors that there are not, or keys that they have not.
    """
    prefix, came = prefix_of(config.agent), Counter[str]()

    def count(points: list[Point], timestamp_s: int) -> None:
        names = [job.name for job in runner.jobs]
        for point in points:
            below = point.name.removeprefix(prefix)
            came[max((name for name in names if below.startswith(f"{name}.")), key=len)] += 1

    runner = runner_for(config, clock, count, discover=config.agent.discover)
    runner.look_at_everything()
    runner.stop()
    for job in sorted(runner.jobs, key=lambda job: job.name):
        yield Outcome(job.name, came[job.name], runner.causes.get(job.name, ""))
