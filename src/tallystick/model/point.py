"""What a collector yields."""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.model.kind import Kind


@dataclass(frozen=True, slots=True)
class Point:
    """One number about this host, at the moment it was looked at.

    Parameters
    ----------
    name
        Dotted; a collector gives what stands below its own name, the runner puts the rest before it.
    value
        In the unit that the name says, else a plain number; rates are per second.
    kind
        What kind of series the point belongs to.
    unit, description
        What its collector says of the series, for people; empty for nothing.
    """

    name: str
    value: float
    kind: Kind = Kind.GAUGE
    unit: str = ""
    description: str = ""


Sink = Callable[[list[Point], int], None]
"""Takes points and the time that they are of, in epoch seconds; called from the runner's threads, one at a time."""
