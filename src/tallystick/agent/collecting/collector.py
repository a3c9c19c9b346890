"""What a collector is; each is one file in `tallystick.agent.collectors`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from tallystick.agent.collecting.tells import Tells
from tallystick.agent.host import Host, Surroundings
from tallystick.config.table import Table
from tallystick.model.point import Point


class NoSettings(Table, frozen=True):
    """Nothing can be set."""


S = TypeVar("S", bound=Table)


@dataclass(frozen=True, slots=True)
class Found(Generic[S]):
    """Something on this host that a collector can look at.

    Parameters
    ----------
    settings
        How it is reached.
    instance
        Stands behind the collector's name; empty for the usual one.
    what
        What was found, in words for the log: ``it answers at http://127.0.0.1/nginx_status``.
    """

    settings: S
    instance: str = ""
    what: str = ""


class IncompleteError(Exception):
    """Raised at the end of a look by a collector whose service is there, but does not tell everything."""


class Collector(ABC, Generic[S]):
    """Looks at one side of this host. Keeps what it saw last, so an instance belongs to one job.

    It is quick: what it looks at is this host's kernel, which answers at once.

    Parameters
    ----------
    settings
        Keys of its ``[[collectors]]`` item, or what it has found itself.
    host
        What is looked at.
    """

    WAITS: ClassVar[bool] = False
    """Whether a look waits for others (a service, a network filesystem); it has a thread and a time limit then."""
    TELLS: ClassVar[tuple[Tells, ...]] = ()
    """All that it may yield, with units and meanings: for the reference, and sent along with its numbers."""
    limit_s: float = 5.0
    """Seconds after which a look should end by itself; set by whoever made the collector."""
    TELLS_UP: ClassVar[bool] = False
    """Whether it stands for something that is up or down, so that a failed look is a metric: ``<collector>.up``."""

    FAILED: ClassVar[str] = "cannot collect {name}: {why}"
    WELL_AGAIN: ClassVar[str] = "collecting {name} again"
    """What is told in the log."""

    def __init__(self, settings: S, host: Host) -> None:
        self.settings = settings
        self.host = host

    @classmethod
    def discover(cls, around: Surroundings) -> Iterable[Found[S]]:
        """What there is of this on the host without any config; nothing for what has to be configured.

        Asked at the start and once a minute, so it must be quick: it looks at `around` and at files, and asks others
        only if something around says that they are there.
        """
        return ()

    @property
    def tells(self) -> Sequence[Tells]:
        """What this very one may yield."""
        return self.TELLS

    @abstractmethod
    def collect(self, monotonic_s: float) -> Iterable[Point]:
        """Look now. What was yielded before an error is used; the error costs the rest of this look only.

        Parameters
        ----------
        monotonic_s
            Reading of a clock that never runs backwards; rates are over the time between two looks.

        Returns
        -------
        iterable
            Points with names below the collector's own: ``1m``, which is stored as ``<prefix>.load.1m``.

        Raises
        ------
        Exception
            Whatever kept it from looking; its text is told once, and the look is counted as failed.
        """
        ...

    def close(self) -> None:
        """Let go of connections; called once, after the last look."""


class HostCollector(Collector[NoSettings]):
    """Looks at what every host has, and has nothing to be set."""

    @classmethod
    def discover(cls, around: Surroundings) -> Iterable[Found[NoSettings]]:
        return (Found(NoSettings()),)


class Service(Collector[S]):
    """Asks something that runs on this host or another; a look that fails says that it is down."""

    WAITS = True
    TELLS_UP = True
