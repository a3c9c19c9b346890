"""What is looked at: what the config names, and what is found on this host beside it."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.agent.collecting.aside import Aside
from tallystick.agent.collecting.collector import Collector, Found
from tallystick.agent.collecting.registry import Registered, registered
from tallystick.agent.collecting.telling import Telling, cause
from tallystick.agent.collecting.tells import Names
from tallystick.agent.host import Host, Surroundings
from tallystick.config import EVERYTHING
from tallystick.config import Collector as CollectorConfig
from tallystick.model.clock import SystemClock
from tallystick.model.errors import ConfigError

log = logging.getLogger(__name__)

FOUND_MAX = 100
"""So many things are collected without being configured; a host that has more is asked for a config."""
OWN_LIMIT_SHARE = 0.9
"""Of the time that a look is waited for: by then it ends by itself, says why, and lets the next one begin."""
DISCOVERY_LIMIT_S = 3.0
"""So long one collector may search."""


@dataclass(slots=True, eq=False)
class Job:
    """A collector and when it looks.

    Parameters
    ----------
    name
        Of the collector, and of the instance if there are several: what its points lie below.
    collector
        Belongs to this job alone.
    interval_s
        Looks happen once in each multiple of it.
    limit_s
        So long a look that waits for others may take.
    named
        Makes whole points of what it yields; the runner's.
    slot
        Number of the interval that was looked at last; None before the first.
    under_way
        The last look that had a thread of its own.
    awaited
        Stands for the look whose end is waited for; None if there is none, or it was given up.
    deadline_s
        When it is given up, by a clock that never runs backwards.
    """

    name: str
    collector: Collector[Any]
    interval_s: int = 10
    limit_s: float = 5.0
    named: Names | None = None
    slot: int | None = None
    under_way: Aside[None] | None = field(default=None, repr=False)
    awaited: object = None
    deadline_s: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether its looks have threads of their own."""
        return self.collector.WAITS

    @property
    def timestamp_s(self) -> int:
        """Start of the interval that was looked at last, in epoch seconds."""
        return (self.slot or 0) * self.interval_s

    @property
    def is_awaited(self) -> bool:
        """Whether a look has neither ended nor been given up."""
        return self.awaited is not None


class Search:
    """A collector's search, whose finds can be taken while it goes on."""

    def __init__(self, one: Registered, around: Surroundings) -> None:
        self.is_taken = False
        self._found: list[Found[Any]] = []
        self.under_way = Aside(lambda: self._find(one.looks, around), f"search for {one.name}")

    def take(self) -> list[Found[Any]]:
        """All that has been found so far."""
        self.is_taken = self.under_way.ended  # asked first: what is found behind it is taken the next time
        return self._found.copy()

    def _find(self, looks: type[Collector[Any]], around: Surroundings) -> None:
        for found in looks.discover(around):
            self._found.append(found)


class Finder:
    """Makes jobs of what the config names, and of what is found.

    Parameters
    ----------
    items
        As configured. A collector that is named in one of them is not searched for.
    host
        What is looked at.
    discover
        Whether to search although no item is named ``*``.
    known
        The collectors that there are.
    """

    def __init__(
        self,
        items: Iterable[CollectorConfig],
        host: Host,
        *,
        discover: bool = False,
        known: Mapping[str, Registered] | None = None,
    ) -> None:
        self._known = registered() if known is None else known
        self._items = [item for item in items if item.name != EVERYTHING]
        everything = [item for item in items if item.name == EVERYTHING]
        self._for_all = everything[0] if everything else CollectorConfig(name=EVERYTHING) if discover else None
        self._host = host
        self._telling = Telling(log, SystemClock())
        self._found: dict[str, Found[Any]] = {}
        self._tries: Counter[tuple[object, ...]] = Counter()
        self._searches: dict[str, Search] = {}

    def configured(self) -> list[Job]:
        """Jobs for what the config names.

        Raises
        ------
        ConfigError
            If it names what there is not, or keys of it cannot be used: all problems at once.
        """
        jobs, problems = [], []
        for item in self._items:
            if item.name not in self._known:
                problems.append(f"cannot collect {item.name}: there is none; expected one of {', '.join(self._known)}")
            elif item.collect:
                try:
                    jobs.append(self._job(item, self._known[item.name].made(item, self._host)))
                except ConfigError as error:
                    problems += error.problems
        if problems:
            raise ConfigError(problems)
        return jobs

    def at_once(self) -> list[Job]:
        """Jobs for the sides that every host has; takes no time."""
        return [] if self._for_all is None else list(self._new(Surroundings(self._host, self._tries), services=False))

    def search(self) -> list[Job]:
        """Jobs for services and the like that were not there at the last call; may take seconds.

        What was found once stays: if it goes away later, that is what one wants to know.
        """
        if self._for_all is None:
            return []
        return list(self._new(Surroundings(self._host, self._tries), services=True))

    def _new(self, around: Surroundings, *, services: bool) -> Iterator[Job]:
        configured = {item.name for item in self._items}
        for one in self._known.values():
            if one.name in configured or services != one.looks.TELLS_UP:
                continue
            for found in self._search(one, around) if services else one.looks.discover(around):
                item = CollectorConfig(
                    name=one.name,
                    instance=found.instance,
                    interval_s=self._for_all.interval_s if self._for_all else 10,
                )
                job = self._job(item, one.looks(found.settings, self._host))
                if job.name in self._found:
                    self._tell_namesake(job.name, found)
                    continue
                if len(self._found) >= FOUND_MAX:
                    self._telling.worse("all", f"cannot collect {job.name}: {FOUND_MAX} things were found already")
                    continue
                self._found[job.name] = found
                if services:
                    log.info("collecting %s%s", job.name, f": {found.what}" if found.what else "")
                yield job

    def _search(self, one: Registered, around: Surroundings) -> list[Found[Any]]:
        """What a collector has found in time; what it finds later, held up by somebody, is there the next time."""
        search = self._searches.get(one.name)
        if search is None or search.is_taken:
            search = self._searches[one.name] = Search(one, around)
            if not search.under_way.wait(DISCOVERY_LIMIT_S):
                self._telling.worse(one.name, f"cannot search for {one.name}: no end within {DISCOVERY_LIMIT_S:g} s")
        found = search.take()
        if search.under_way.error is not None:
            self._telling.worse(one.name, f"cannot search for {one.name}: {cause(search.under_way.error)}")
        return found

    def _tell_namesake(self, name: str, found: Found[Any]) -> None:
        if found.settings != self._found[name].settings:
            why = f"{found.what or found.settings}, and {name} is another one; expected an item in the config"
            self._telling.worse(name, f"cannot collect {name}: {why}")

    def _job(self, item: CollectorConfig, made: Collector[Any]) -> Job:
        name = f"{item.name}.{item.instance}" if item.instance else item.name
        made.limit_s = OWN_LIMIT_SHARE * item.limit_s
        return Job(name, made, item.interval_s, item.limit_s)
