"""Batches that their senders number, so that each can be sent again and counts once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Numbered:
    """How far a sender's numbered batches were taken.

    Parameters
    ----------
    sender
        Who numbers them, and in which of its runs: numbers of another run have nothing to do with these.
    number
        The last one; numbers begin at 1 and grow.
    """

    sender: str
    number: int


@dataclass(frozen=True, slots=True)
class NumberedBatches:
    """The numbered batches of one sender among the rows of a parser.

    Parameters
    ----------
    sender
        See `Numbered`.
    number : int64[k]
        Of each batch, growing.
    began : int64[k]
        The first row of each among the tallied slots.
    generated : int64[k]
        So many slots the sender made for each, sent or not.
    blocked : int64[k]
        So many of these it did not send since their names are blocked.
    """

    sender: str
    number: NDArray[np.int64]
    began: NDArray[np.int64]
    generated: NDArray[np.int64]
    blocked: NDArray[np.int64]

    @property
    def last(self) -> Numbered | None:
        """How far the sender's batches are taken with these."""
        return Numbered(self.sender, int(self.number[-1])) if len(self.number) else None

    def generated_after(self, number: int) -> int:
        """How many slots the sender made for the batches behind a number."""
        return int(self.generated[self._behind(number)].sum())

    def blocked_after(self, number: int) -> int:
        """How many slots of the batches behind a number the sender made and did not send, as they are blocked."""
        return int(self.blocked[self._behind(number)].sum())

    def rows_up_to(self, number: int, rows: int) -> int:
        """How many of `rows` rows are of batches up to a number: those that were taken already come first."""
        first = int(np.searchsorted(self.number, number, side="right"))
        return int(self.began[first]) if first < len(self.began) else rows

    def _behind(self, number: int) -> slice:
        return slice(int(np.searchsorted(self.number, number, side="right")), None)
