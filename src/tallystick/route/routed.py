"""What the router makes of a batch: `Routed`, and of rows that found no series `RouteRejects`."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch

Rows = TypeVar("Rows", SampleBatch, TallyBatch)
"""What is routed: samples, and slots that senders tallied."""


@dataclass(frozen=True, slots=True)
class RouteRejects:
    """Samples that found no series.

    Parameters
    ----------
    counts : int64[len(Reason)]
        How many, by reason.
    examples
        Reason and name of the first of them, each pair once.
    rows : int64[k]
        Which rows of the batch they were, ascending.
    reasons : int64[k]
        The `Reason` of each.
    """

    counts: NDArray[np.int64]
    examples: list[tuple[Reason, bytes]]
    rows: NDArray[np.int64]
    reasons: NDArray[np.int64]

    @classmethod
    def none(cls) -> "RouteRejects":
        """Nothing was refused: always the same one."""
        return _NO_REJECTS

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.rows)


_NO_REJECTS = RouteRejects(np.zeros(len(Reason), np.int64), [], np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Routed(Generic[Rows]):
    """What became of a batch; its rows and the rejects together are the rows that came.

    Parameters
    ----------
    batch
        The rows that found a series, in their order, with series ids.
    entries : int32[n]
        The entry of each, by which it came.
    rejects
        The others.
    """

    batch: Rows
    entries: NDArray[np.int32]
    rejects: RouteRejects
