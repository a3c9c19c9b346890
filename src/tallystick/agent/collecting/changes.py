"""What went down or came up again, as an event for people."""

from typing import NamedTuple

from tallystick.agent.collecting.runner import Change
from tallystick.native.names import Place


class ToldChange(NamedTuple):
    """An event as a server keeps it.

    Parameters
    ----------
    what
        A line.
    tags
        ``down`` or ``up``, what it is about, and where that was seen.
    data
        Why, if it is down.
    """

    what: str
    tags: tuple[str, ...]
    data: str


def told_of(change: Change, place: Place) -> ToldChange:
    """The event of a change that was seen on this host."""
    state = "down" if change.down else "up"
    what = f"{change.name} is {'down: ' + change.down if change.down else 'up again'}"
    where = (f"host:{place.host}", f"class:{place.host_class}", f"environment:{place.environment}")
    return ToldChange(what[:1000], (state, change.name, *where), change.down)
