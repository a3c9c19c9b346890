"""What collectors say of their numbers, on its way to the servers: once for each series, with its first slots."""

from collections.abc import Callable, Iterable

from tallystick.model.point import Point
from tallystick.native.messages import Name

DESCRIBED_MAX = 20_000
"""Series that are described; a host that has more shows the others as they are called."""


class Describing:
    """Hands on what is said of series that nothing was said of yet.

    Parameters
    ----------
    describe
        Takes it, before the slots of these series are offered.
    """

    def __init__(self, describe: Callable[[Iterable[Name]], None]) -> None:
        self._describe = describe
        self._said: set[str] = set()

    def hear(self, points: Iterable[Point]) -> None:
        """Look at the points of a look."""
        new = [one for one in points if (one.description or one.unit) and one.name not in self._said]
        room = DESCRIBED_MAX - len(self._said)
        if new and room > 0:
            self._said.update(one.name for one in new[:room])
            self._describe(Name(one.name, one.kind, one.unit, "", one.description) for one in new[:room])
