"""A collector in the hands of a test: made as the agent makes it, run by its runner, on a clock that is turned."""

from collections.abc import Iterable
from typing import Any

from beside import LOCK
from servers import wait_until
from tallystick.agent import Host, Point, Runner, Surroundings, registered
from tallystick.agent.collecting.jobs import Finder
from tallystick.agent.collecting.tells import line_of
from tallystick.config import Collector
from tallystick.model.clock import ManualClock

APART_S = 10.0


class Watched:
    """Looks when it is told to, each time `APART_S` later: a rate of 2.5 is 25 between two looks.

    Parameters
    ----------
    name
        Of the collector.
    keys
        Of its item in the config; ``limit_s`` as ``timeout_s``.
    """

    def __init__(self, name: str, **keys: Any) -> None:
        common = {key: keys.pop(key) for key in ("instance", "interval_s", "timeout_s") if key in keys}
        item = Collector(name=name, further=keys, **common)
        self._name = name
        self._clock = ManualClock()
        self._prefix = f"{name}.{item.instance}." if item.instance else f"{name}."
        self._seen: list[Point] = []
        self._runner = Runner(Finder([item], Host()).configured(), self._clock, self._take, "")

    def look(self) -> dict[str, float]:
        """What there is now, by name without the collector's own; ``up`` says whether the look succeeded."""
        self._seen = []
        self._clock.advance(APART_S)
        self._runner.look_at_everything()
        assert all(point.name.startswith(self._prefix) for point in self._seen)
        seen = {point.name.removeprefix(self._prefix): point.value for point in self._seen}
        assert not undocumented(self._name, seen.keys() - {"up"})
        return seen

    def counted(self, *names: str) -> list[float]:
        """How much counters have grown since the look before."""
        seen = self.look()
        return [round(APART_S * seen[name], 2) for name in names]

    @property
    def cause(self) -> str:
        """Why the last look failed, or did not give all; empty if it gave all."""
        return "; ".join(self._runner.causes.values())

    @property
    def points(self) -> list[Point]:
        """Those of the last look."""
        return self._seen

    def close(self) -> None:
        """Let go of what the collector holds."""
        self._runner.stop()

    def _take(self, points: list[Point], timestamp_s: int) -> None:
        self._seen += points


def undocumented(name: str, yielded: Iterable[str]) -> list[str]:
    """Of the names that a collector yielded those that its table, and so the reference, does not have."""
    return sorted(one for one in yielded if not line_of(one, registered()[name].looks.TELLS))


def found(name: str) -> dict[str, Any]:
    """What a collector finds on this machine, where other tests may have services, too: settings by name."""
    with LOCK.searching():
        finds = list(registered()[name].looks.discover(Surroundings(Host())))
    return {f"{name}.{one.instance}" if one.instance else name: one.settings for one in finds}


def wait_until_found(name: str, **keys: Any) -> str:
    """The name by which a service is found that is asked with these keys: on a slow machine not at the first look."""
    wanted = registered()[name].settings(**keys)
    names = wait_until(lambda: [one for one, settings in found(name).items() if settings == wanted], f"{name} {keys}")
    return names[0]
