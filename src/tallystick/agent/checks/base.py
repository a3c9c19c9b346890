"""What a check is."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from tallystick.agent.collecting.tells import Told
from tallystick.agent.host import Host
from tallystick.config.table import Table
from tallystick.model.clock import Clock
from tallystick.model.errors import TallystickError
from tallystick.model.point import Point

S = TypeVar("S", bound=Table)


class CheckError(TallystickError):
    """What was looked at is not as it should be.

    Parameters
    ----------
    reason
        One word; ``checks.<name>.failed.<reason>`` counts it.
    text
        Why, for people.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason}: {super().__str__()}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a look may take.

    Parameters
    ----------
    seconds
        All of it together.
    """

    seconds: float

    def begin(self) -> "Deadline":
        """The end of a look that begins now."""
        return Deadline(time.monotonic() + self.seconds, self.seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a look has to be over."""

    at_s: float
    limit_s: float

    def left_s(self) -> float:
        """Seconds that are left.

        Raises
        ------
        CheckError
            If there are none.
        """
        left_s = self.at_s - time.monotonic()
        if left_s <= 0:
            raise CheckError("timeout", f"no end within {self.limit_s:g} s")
        return left_s


class Check(ABC, Generic[S]):
    """Looks once whether something answers as it should.

    Parameters
    ----------
    settings
        Keys of its ``[[checks]]`` item.
    host
        This host.
    clock
        Says what time it is, for whatever expires or is old.
    limits
        What a look may take.
    """

    TELLS: ClassVar[tuple[Told, ...]] = ()
    """All that it may yield, with units and meanings."""

    def __init__(self, settings: S, host: Host, clock: Clock, limits: Limits) -> None:
        self.settings = settings
        self.host = host
        self.clock = clock
        self.limits = limits

    @abstractmethod
    def look(self) -> Iterable[Point]:
        """Look now; what was yielded before an error is used.

        Returns
        -------
        iterable
            Points with names below that of the check.

        Raises
        ------
        CheckError
            If it is down.
        """
        ...
