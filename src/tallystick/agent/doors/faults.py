"""What came in at a door and what became of it: counts, and the last that was no good."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from tallystick.model.reason import Reason

OFFENDERS_KEPT = 20
TEXT_BYTES_MAX = 200


class Offender(NamedTuple):
    """Something that was not taken.

    Parameters
    ----------
    at_s
        Epoch seconds.
    text
        The line, or the beginning of it.
    """

    at_s: float
    reason: Reason
    text: bytes


@dataclass(slots=True)
class Counts:
    """What one door saw, as growing totals.

    Parameters
    ----------
    seen
        Samples, good or bad: seen = taken + rejected + refused, for each name that a sample is stored under once.
    refused
        Good ones that found no room in the tallies.
    rejected
        Bad ones, by reason.
    datagrams, connections
        As they came.
    hung_up
        Connections that were ended for what they sent, or turned away as there were too many.
    dropped
        Datagrams that the system dropped because nobody read them in time.
    """

    taken: int = 0
    refused: int = 0
    rejected: dict[Reason, int] = field(default_factory=dict)
    datagrams: int = 0
    connections: int = 0
    hung_up: int = 0
    dropped: int = 0
    offenders: deque[Offender] = field(default_factory=lambda: deque(maxlen=OFFENDERS_KEPT))

    @property
    def seen(self) -> int:
        """All samples."""
        return self.taken + self.refused + sum(self.rejected.values())

    def reject(self, reason: Reason, text: bytes, at_ms: int, samples: int = 1) -> None:
        """Count what is no good, and keep it in place of the oldest."""
        self.rejected[reason] = self.rejected.get(reason, 0) + samples
        self.offenders.append(Offender(at_ms / 1000.0, reason, text[:TEXT_BYTES_MAX]))
