"""`Losses`: what doors lost, in slots, so that servers are told of it in what they count."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from tallystick.agent.doors.faults import Counts

_OWN_SLOTS = "native"  # whoever sends slots says himself how many he made


class CountedDoor(Protocol):
    """What is known of a door: `tallystick.agent.doors.doors.OpenDoor`."""

    @property
    def name(self) -> str:
        """Its protocol and what carries it."""
        ...

    @property
    def counts(self) -> Counts:
        """What it saw."""
        ...


class Losses:
    """What the system dropped, and what found no room in the tallies.

    Nobody knows what was in a datagram that was dropped, nor into which slots it would have gone. It counts as the mean
    of those that were read, and what is lost of the samples is lost of the slots.

    Parameters
    ----------
    doors
        That are open; there may be more of them later.
    """

    def __init__(self, doors: Sequence[CountedDoor]) -> None:
        self._doors = doors
        self._told: list[_Samples] = []

    def in_slots(self, slots: int) -> int:
        """So many slots were lost beside these, since this was asked last; at least one if anything was."""
        taken = lost = 0.0
        now = [_Samples(door.counts.taken, door.counts.refused, door.counts.dropped) for door in self._doors]
        before = self._told + [_NOTHING] * (len(now) - len(self._told))
        for door, total, told in zip(self._doors, now, before, strict=True):
            if door.name.startswith(_OWN_SLOTS):
                continue
            counts = door.counts
            taken += total.taken - told.taken
            # Only datagrams that were dropped since: the mean of all changes with each that is read.
            dropped = (total.dropped - told.dropped) * (counts.seen / counts.datagrams if counts.datagrams else 1.0)
            lost += total.refused - told.refused + dropped
        self._told = now
        if lost <= 0.0:
            return 0
        return max(1, round(lost * slots / taken if taken else lost))


class _Samples(NamedTuple):
    """What a door took and lost so far; of what was dropped, datagrams."""

    taken: int
    refused: int
    dropped: int


_NOTHING = _Samples(0, 0, 0)
