"""`Positions`: how far those are who feed the agent, and the destinations that it feeds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

CURSORS_MAX = 4096
"""Positions of a kind (what is before the first colon of their name); of more, those are forgotten that are longest
without news."""
_PLACE = "sent:"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """How far a destination is.

    Parameters
    ----------
    segment
        Its number among the segments.
    number
        Of the last batch in it that was answered; 0 for none.
    """

    segment: int = 0
    number: int = 0


class Positions:
    """All positions that records hold, as of the last record; whoever calls holds the lock of the spool.

    Parameters
    ----------
    found
        What the records on disk say, later ones counting.
    destinations
        Names of those who read.
    """

    def __init__(self, found: Mapping[str, str], destinations: Iterable[str]) -> None:
        self.places = {name: _place(found.get(_PLACE + name, "")) for name in destinations}
        self._cursors = {key: at for key, at in found.items() if at and not key.startswith(_PLACE)}

    @property
    def cursors(self) -> dict[str, str]:
        """Those of whoever feeds us."""
        return dict(self._cursors)

    @property
    def least(self) -> Place:
        """What all destinations have."""
        return min(self.places.values(), default=Place())

    def know(self, cursors: Mapping[str, str]) -> None:
        """Take news; an empty position is forgotten."""
        for key, value in cursors.items():
            self._cursors.pop(key, None)  # the latest news last
            if value:
                self._cursors[key] = value
        if len(self._cursors) > CURSORS_MAX:
            for kind in {key.partition(":")[0] for key in cursors}:
                same = [key for key in self._cursors if key.partition(":")[0] == kind]
                for key in islice(same, max(0, len(same) - CURSORS_MAX)):
                    del self._cursors[key]

    def told(self, cursors: Mapping[str, str]) -> dict[str, str]:
        """What a record says: some positions, and the places of all destinations."""
        return {**cursors, **{_PLACE + name: f"{at.segment}/{at.number}" for name, at in self.places.items()}}


def _place(text: str) -> Place:
    """A place as a record tells it; before all if it tells none."""
    segment, _, number = text.partition("/")
    return Place(int(segment), int(number)) if segment.isdecimal() and number.isdecimal() else Place()
