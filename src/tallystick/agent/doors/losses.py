"""`Losses`: what doors lost, in slots, so that servers are told of it in what they count."""

from collections.abc import Sequence
from typing import Protocol

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
        self._told = (0.0, 0.0)

    def in_slots(self, slots: int) -> int:
        """So many slots were lost beside these, since this was asked last; at least one if anything was."""
        total = self._samples()
        taken, lost = (now - before for now, before in zip(total, self._told, strict=True))
        self._told = total
        if lost <= 0.0:
            return 0
        return max(1, round(lost * slots / taken if taken else lost))

    def _samples(self) -> tuple[float, float]:
        """Samples that were taken and lost so far."""
        taken = lost = 0.0
        for door in self._doors:
            if door.name.startswith(_OWN_SLOTS):
                continue
            counts = door.counts
            taken += counts.taken
            lost += counts.refused + counts.dropped * (counts.seen / counts.datagrams if counts.datagrams else 1.0)
        return taken, lost
