"""Munin's plug-ins, run as ``munin-node`` runs them: ``munin.cpu.user``, ``munin.<plugin>.<field>``.

Those of a directory, by the configuration of ``plugin-conf.d``. They are programs, many of them in Perl, and made to be
run every five minutes: nobody runs them unless the config says so, and how often.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tallystick.agent.collecting.collector import IncompleteError, Service
from tallystick.agent.collecting.registry import collector
from tallystick.agent.host import Host
from tallystick.agent.services.command import run
from tallystick.agent.services.failure import ServiceError
from tallystick.agent.services.munin import GROWING, RESET_BY_LOOKING, Said, Way, way_of
from tallystick.agent.services.reading import Looks, Metric, Reading
from tallystick.agent.services.secret import login
from tallystick.agent.services.stream import said
from tallystick.config.table import Table, key
from tallystick.model.point import Point

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

METRICS = (
    Metric(
        "<plugin>.<field>", "", "What a plug-in tells: a level, or per second if it says DERIVE, COUNTER or ABSOLUTE"
    ),
)
_CONFIG_KEPT_S = 3600.0
_PLUGINS_MAX = 500
_NOT_PLUGINS = (".dpkg-", ".rpmnew", ".rpmsave", ".conf", ".bak", "~")


class Settings(Table, frozen=True):
    """Plug-ins that are run."""

    directory: Annotated[str, key("Plug-ins, or links to them.")] = "/etc/munin/plugins"
    configuration: Annotated[str, key("Files that say how each is run.")] = "/etc/munin/plugin-conf.d"
    library: Annotated[str, key("Where plug-ins find what they share.")] = "/usr/share/munin"
    state: Annotated[
        str, key("Where plug-ins keep what they remember; empty for a directory that is gone with the agent.")
    ] = ""
    plugin_timeout_s: Annotated[
        float, key("A plug-in that takes longer is killed, unless its configuration says otherwise.", gt=0, le=300)
    ] = 10.0
    user: Annotated[
        str, key("Who plug-ins run as that name nobody, if the agent is root's; another agent runs them as itself.")
    ] = "nobody"


@collector("munin", Settings)
class Munin(Service[Settings]):
    """Runs the plug-ins, one after the other; one that fails costs itself, and is told when all have been run."""

    TELLS = METRICS

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(settings, host)
        self._looks = Looks(self.TELLS)
        self._types: dict[str, tuple[float, dict[str, str]]] = {}  # when they were told, by plug-in
        self._looked_s: dict[str, float] = {}
        self._state: TemporaryDirectory[str] | None = None

    def close(self) -> None:
        if self._state:
            self._state.cleanup()

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        ends_s = time.monotonic() + self.limit_s
        reading, failures = Reading(), []
        files = self._configuration()
        for plugin in self._plugins():
            try:
                self._look(reading, plugin, way_of(plugin.name, files), ends_s, monotonic_s)
            except ServiceError as error:
                failures.append(f"{error}")
        yield from self._looks.points(reading, monotonic_s)
        if failures:
            raise IncompleteError(f"{failures[0]} (and {len(failures) - 1} other plug-ins)")

    def _look(self, reading: Reading, plugin: Path, way: Way, ends_s: float, monotonic_s: float) -> None:
        name = plugin.name
        told_s, types = self._types.get(name, (0.0, {}))
        answer = None
        if not types or monotonic_s - told_s > _CONFIG_KEPT_S:
            answer = Said(name, self._asked(plugin, way, ends_s, "config"))
            types = answer.types
            self._types[name] = (monotonic_s, types or {"": ""})
        if answer is None or not answer.values:  # a plug-in may say its values with its config
            answer = Said(name, self._asked(plugin, way, ends_s))
        before_s, self._looked_s[name] = self._looked_s.get(name), monotonic_s
        for field, kind, value in answer.told(types):
            if kind in GROWING:
                reading.count(field, value, field)
            elif kind != RESET_BY_LOOKING:
                reading.levels[field] = value
            elif before_s is not None and monotonic_s > before_s:
                reading.levels[field] = round(value / (monotonic_s - before_s), 3)

    def _asked(self, plugin: Path, way: Way, ends_s: float, *words: str) -> str:
        left_s = min(ends_s - time.monotonic(), way.timeout_s or self.settings.plugin_timeout_s)
        if left_s <= 0:
            raise ServiceError(f"cannot run {plugin.name}: there is no time left; expected a larger timeout_s")
        user, group = self._runs_as(plugin, way)
        environment = {
            "MUNIN_LIBDIR": self.settings.library,
            "MUNIN_PLUGSTATE": self._state_directory(),
            "MUNIN_STATEFILE": f"{self._state_directory()}/{plugin.name}",
            "MUNIN_CAP_DIRTYCONFIG": "1",
            "MUNIN_CAP_MULTIGRAPH": "1",
            "MUNIN_DEBUG": "0",
            "MUNIN_MASTER_IP": "-",
            **way.environment,
        }
        result = run([str(plugin), *words], left_s, environment, user=user, group=group)
        if result.status:
            why = (result.errors.strip().splitlines() or [""])[0][:200]
            raise ServiceError(f"cannot use plug-in {plugin.name}: it ended with {result.status} {why!r}; expected 0")
        return result.output

    def _runs_as(self, plugin: Path, way: Way) -> tuple[str, str]:
        """User and group to change to, if we are root; another agent runs plug-ins of nobody in particular only."""
        if os.geteuid() == 0:
            return way.user or self.settings.user, way.group
        ours = login()
        if way.user not in ("", ours):
            raise ServiceError(
                f"cannot run plug-in {plugin.name}: it wants to be {way.user}, and this agent is {ours}; expected it "
                "to be taken away, or munin-node to run it"
            )
        return "", ""

    def _state_directory(self) -> str:
        if self.settings.state:
            return self.settings.state
        if self._state is None:
            import tempfile  # which loads what the agent has no other use for

            self._state = tempfile.TemporaryDirectory(prefix="tallystick-munin-")
            if os.geteuid() == 0:
                Path(self._state.name).chmod(0o1777)  # for plug-ins of different users
        return self._state.name

    def _plugins(self) -> list[Path]:
        found = sorted(
            entry
            for entry in _entries(Path(self.settings.directory))
            if not entry.name.startswith(".")
            and not any(part in entry.name for part in _NOT_PLUGINS)
            and os.access(entry, os.X_OK)
            and entry.is_file()
        )
        return found[:_PLUGINS_MAX]

    def _configuration(self) -> list[str]:
        if not Path(self.settings.configuration).is_dir():
            return []
        files = sorted(_entries(Path(self.settings.configuration)))
        return [file.read_text(encoding="utf-8", errors="replace") for file in files if os.access(file, os.R_OK)]


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError as error:
        raise ServiceError(f"cannot read {directory}: {said(error)}; expected a directory") from error
