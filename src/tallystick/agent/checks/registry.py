"""The kinds of checks that there are, and jobs of what is configured."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

from tallystick.agent.checks.base import Check, CheckError, Limits
from tallystick.agent.collecting.collector import NoSettings, Service
from tallystick.agent.collecting.jobs import Job
from tallystick.agent.collecting.tells import Tells, Told
from tallystick.agent.host import Host
from tallystick.config import Check as CheckConfig
from tallystick.config.table import Table
from tallystick.config.validate import convert, key_name
from tallystick.model.clock import Clock
from tallystick.model.errors import ConfigError
from tallystick.model.kind import Kind
from tallystick.model.point import Point

C = TypeVar("C", bound=type[Check[Any]])

AT_ONCE = 16
"""So many checks look at a time; others wait for their turn, within their limit."""
FAILED = Told("failed.<reason>", "1", "How often it was down for this reason")
_MODULES = ("dns", "file", "http", "ping", "process", "tcp")


class RegisteredCheck(NamedTuple):
    """A kind of check: its class, and the keys that its items have beside the common ones."""

    looks: type[Check[Any]]
    settings: type[Table]


_REGISTERED: dict[str, RegisteredCheck] = {}


def check(kind: str, settings: type[Table]) -> Callable[[C], C]:
    """Make a class known as the check `kind`."""

    def register(looks: C) -> C:
        _REGISTERED[kind] = RegisteredCheck(looks, settings)
        return looks

    return register


@cache
def registered_checks() -> Mapping[str, RegisteredCheck]:
    """All kinds by name."""
    for module in _MODULES:
        import_module(f"tallystick.agent.checks.{module}")
    return dict(sorted(_REGISTERED.items()))


def kinds_of_checks() -> dict[str, type[Table]]:
    """The further keys of each kind."""
    return {name: one.settings for name, one in registered_checks().items()}


class Watched(Service[NoSettings]):
    """A check as a collector: what is down counts why."""

    FAILED = "{name} is down: {why}"
    WELL_AGAIN = "{name} is up again"

    def __init__(self, made: Check[Any], turns: threading.Semaphore) -> None:
        super().__init__(NoSettings(), made.host)
        self._check = made
        self._turns = turns

    @property
    def tells(self) -> Sequence[Tells]:
        return (*self._check.TELLS, FAILED)

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        if not self._turns.acquire(timeout=self._check.limits.seconds):
            raise CheckError("turn", f"{AT_ONCE} other checks took all the time")
        try:
            yield from self._check.look()
        except CheckError as error:
            yield Point(f"failed.{error.reason}", 1.0, Kind.COUNTER)
            raise
        finally:
            self._turns.release()


def watching(items: Iterable[CheckConfig], host: Host, clock: Clock) -> list[Job]:
    """Jobs of what is configured.

    Raises
    ------
    ConfigError
        If there is no such kind, or keys of it cannot be used: all problems at once.
    """
    jobs, problems, turns = [], [], threading.BoundedSemaphore(AT_ONCE)
    known = registered_checks() if items else {}
    for item in items:
        if item.kind not in known:
            problems.append(f"cannot check {item.name}: there is no {item.kind}; expected one of {', '.join(known)}")
            continue
        settings, wrong = convert(item.further, known[item.kind].settings)
        problems += [f"cannot use key {key_name(one.path)} of check {item.name}: {one.cause}" for one in wrong]
        if settings is not None:
            made = known[item.kind].looks(settings, host, clock, Limits(float(item.timeout_s)))
            jobs.append(Job(f"checks.{item.name}", Watched(made, turns), item.interval_s, item.timeout_s + 1.0))
    if problems:
        raise ConfigError(problems)
    return jobs
