"""What a collector yields."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from tallystick.model.kind import Kind


@dataclass(frozen=True, slots=True)
class Point:
    """One number about this host, at the moment it was looked at.

    Parameters
    ----------
    name
        Dotted, as it is stored: the runner has put the prefix before what the collector gave.
    value
        In the unit that the name says, else a plain number; rates are per second.
    kind
        What kind of series the point belongs to.
    """

    name: str
    value: float
    kind: Kind = Kind.GAUGE


class Collector(Protocol):
    """Looks at one side of this host. Keeps what it saw last, so an instance belongs to one runner."""

    def collect(self, monotonic_s: float) -> Iterable[Point]:
        """Look now. What was yielded before an error is used; the error costs the rest of this look only.

        Parameters
        ----------
        monotonic_s
            Reading of a clock that never runs backwards; rates are over the time between two looks.
        """
        ...


Sink = Callable[[list[Point], int], None]
"""Takes points and the time that they are of, in epoch seconds; called from the runner's thread."""
