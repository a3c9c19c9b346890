"""What containers use: ``containers.shop.cpu_percent``, ``memory_bytes``, ``memory_max_bytes``, ``tasks`` ...

Also ``cpu_throttled_percent``, and ``read_bytes``, ``written_bytes`` and ``oom_kills`` per second;
``containers.running`` is their number. Of Docker, Podman, containerd and CRI-O, by control groups of version 2. A
container is called as Docker or Podman calls it, one of Kubernetes ``<namespace>_<pod>_<container>``, if the files that
say so can be read; no daemon is asked. Otherwise it is called by the first twelve digits of its number.
"""

import json
import re
from collections.abc import Iterator

from tallystick.agent.collecting.collector import HostCollector, NoSettings
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.registry import collector
from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host, cgroups
from tallystick.model.point import Point
from tallystick.native.names import component

CONTAINERS_MAX = 200
"""Of more than that, the rest is only counted."""
_CONTAINER = re.compile(r"(?:^|/)(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$")
_PODMAN = "/var/lib/containers/storage/overlay-containers/containers.json"
_KUBERNETES = "/var/log/containers"


METRICS = (Told("running", "containers", "Containers"), *cgroups.told_of("<container>"))


@collector("containers")
class Containers(HostCollector):
    """Each for as long as it runs."""

    TELLS = METRICS

    def __init__(self, settings: NoSettings, host: Host) -> None:
        super().__init__(settings, host)
        self._rates = Rates()
        self._names: dict[str, str] = {}

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        root = cgroups.root_of(self.host)
        if root is None:
            return
        running = dict(self._running(root))
        self._name(running)
        totals: dict[str, dict[str, float]] = {}
        for number, place in list(running.items())[:CONTAINERS_MAX]:
            totals[number] = cgroups.totals(self.host, place)
            for what, value in cgroups.levels(self.host, place).items():
                yield Point(f"{self._names[number]}.{what}", value)
        for number, rates in self._rates.since_last(totals, monotonic_s).items():
            for what, value in rates.items():
                yield Point(f"{self._names[number]}.{what}", value)
        yield Point("running", float(len(running)))

    def _running(self, root: str) -> Iterator[tuple[str, str]]:
        for path in cgroups.groups(self.host, root):
            # Below a container are groups of its own, and conmon's beside it is no container.
            if (found := _CONTAINER.search(path)) and "conmon" not in path:
                yield found[1], f"{root}/{path}"

    def _name(self, running: dict[str, str]) -> None:
        """Find names for those that are new, and forget those that have ended."""
        fresh = [number for number in running if number not in self._names]
        self._names = {number: name for number, name in self._names.items() if number in running}
        if not fresh:
            return
        by_files = self._of_podman() | self._of_kubernetes()
        for number in fresh:
            name = component(by_files.get(number) or self._of_docker(number) or number[:12])
            taken = set(self._names.values())
            self._names[number] = name if name not in taken else f"{name}_{number[:12]}"

    def _of_docker(self, number: str) -> str:
        told = _read_json(self.host, f"/var/lib/docker/containers/{number}/config.v2.json")
        return str(told.get("Name", "")).lstrip("/") if isinstance(told, dict) else ""

    def _of_podman(self) -> dict[str, str]:
        told = _read_json(self.host, _PODMAN)
        found = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        return {str(one["id"]): str(one["names"][0]) for one in found if one.get("id") and one.get("names")}

    def _of_kubernetes(self) -> dict[str, str]:
        try:
            files = self.host.names(_KUBERNETES)
        except OSError:
            return {}
        named = {}
        for file in files:
            whole, _, number = file.removesuffix(".log").rpartition("-")
            pod, _, rest = whole.partition("_")
            namespace, _, container = rest.partition("_")
            named[number] = f"{namespace}_{pod}_{container}"
        return named


def _read_json(host: Host, path: str) -> object:
    try:
        return json.loads(host.text_or_none(path) or "null")
    except ValueError:  # being written just now
        return None
