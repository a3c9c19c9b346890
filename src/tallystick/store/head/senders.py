"""`Senders`: how far the numbered batches of each sender were taken."""

from collections.abc import Iterable

from tallystick.model.numbered import Numbered

SENDERS_MAX = 1 << 16
"""Of more senders those that were not heard of for the longest time are forgotten."""


class Senders:
    """The last number of each sender, those heard of last at the end; the owner holds a lock around each call."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._last)

    def last(self, sender: str) -> int:
        """The last number that was taken of a sender; 0 where nothing is known of it."""
        return self._last.get(sender, 0)

    def take(self, numbered: Iterable[Numbered]) -> None:
        """Remember numbers, which never go back."""
        for one in numbered:
            self._last[one.sender] = max(one.number, self._last.pop(one.sender, 0))
        while len(self._last) > SENDERS_MAX:
            del self._last[next(iter(self._last))]

    def all(self) -> list[Numbered]:
        """What `take` needs to know as much: a new segment of the log begins with it."""
        return [Numbered(sender, number) for sender, number in self._last.items()]
