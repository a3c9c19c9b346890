"""Units of systemd: ``systemd.failed``, ``active`` ... count services by state; ``systemd.service.nginx.restarts`` ...

Of each service that runs ``memory_bytes``, ``tasks``, and per second ``cpu_percent``, ``read_bytes``, ``written_bytes``
and ``oom_kills``, by control groups of version 2. Of one that failed ``failed`` is 1; ``restarts`` is how often systemd
had to start one again. States are asked for once a minute.
"""

import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator

from tallystick.agent.collecting.collector import Collector, Found, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host, Surroundings, cgroups
from tallystick.model.point import Point
from tallystick.native.names import component

SERVICES_MAX = 300
ASKED_EVERY_S = 60.0
_STATES = ("active", "activating", "deactivating", "reloading", "inactive", "failed")
_ASK = ("systemctl", "show", "*.service", "--all", "--no-pager", "--property=Id,LoadState,ActiveState,NRestarts")
_LIMIT_S = 4.0


METRICS = (
    *(Told(state, "services", f"Services that are {state}") for state in _STATES),
    Told("service.<service>.failed", "1", "1 if it failed, 0 if it runs"),
    Told("service.<service>.restarts", "1", "How often systemd had to start it again, in all"),
    *cgroups.told_of("service.<service>"),
)


@collector("systemd")
class Systemd(Collector[NoSettings]):
    """Services of the system, not those of users."""

    TELLS = METRICS

    WAITS = True

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()
        self._asked_s: float | None = None

    @classmethod
    def discover(cls, around: Surroundings) -> Iterable[Found[NoSettings]]:
        if around.host.text_or_none("/proc/1/comm") == "systemd\n":
            yield Found(NoSettings())

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        root = cgroups.root_of(self.host)
        if root is not None:
            yield from self.used(root, monotonic_s)
        if self._asked_s is None or monotonic_s - self._asked_s >= ASKED_EVERY_S:
            self._asked_s = monotonic_s
            done = subprocess.run(_ASK, capture_output=True, text=True, timeout=_LIMIT_S, check=True)
            yield from states(done.stdout)

    def used(self, root: str, monotonic_s: float) -> Iterator[Point]:
        """What each service that runs uses."""
        totals: dict[str, dict[str, float]] = {}
        services = [path for path in cgroups.groups(self.host, root) if _is_service(path)]
        for path in services[:SERVICES_MAX]:
            name = _called(path.rpartition("/")[2])
            totals[name] = cgroups.totals(self.host, f"{root}/{path}")
            for what, value in cgroups.levels(self.host, f"{root}/{path}").items():
                yield Point(f"{name}.{what}", value)
        for name, rates in self._rates.since_last(totals, monotonic_s).items():
            for what, value in rates.items():
                yield Point(f"{name}.{what}", value)


def states(told: str) -> Iterator[Point]:
    """Points of what ``systemctl show`` tells: blocks of ``key=value``, one for each unit."""
    by_state = Counter(dict.fromkeys(_STATES, 0))
    for block in told.split("\n\n"):
        unit = dict(line.partition("=")[::2] for line in block.strip().splitlines())
        if not unit.get("Id") or unit.get("LoadState") != "loaded":  # others are only mentioned by some unit
            continue
        state = unit.get("ActiveState", "")
        if state in _STATES:
            by_state[state] += 1
        name = _called(unit["Id"])
        if state in ("active", "activating", "failed"):
            yield Point(f"{name}.failed", float(state == "failed"))
            if unit.get("NRestarts", "").isdigit():
                yield Point(f"{name}.restarts", float(unit["NRestarts"]))
    for state, count in by_state.items():
        yield Point(state, float(count))


def _is_service(path: str) -> bool:
    # A user's services lie below that of his manager.
    return path.endswith(".service") and ".service/" not in path and path.startswith("system.slice/")


def _called(unit: str) -> str:
    return f"service.{component(unit.removesuffix('.service'))}"
