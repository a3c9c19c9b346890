"""`SampleBatch`: what a parser yields, and what the log keeps until it is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.kind import Kind

GAUGE_DELTA = 128
"""Flag in the `kind` column, beside `Kind.GAUGE`: the value is added to the gauge instead of replacing it."""


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Samples in the order of their arrival, one row each.

    Parameters
    ----------
    ids : int32[n]
        Before the route: entries of the name table. After it: series ids.
    timestamp : int64[n]
        Milliseconds since the epoch.
    value : float64[n]
        The sample; for sets the 64-bit hash of the member, its bits taken as a float.
    weight : float64[n]
        How many samples of the sender each row stands for: 1 / sample rate.
    kind : uint8[n]
        `Kind` of each row, `GAUGE_DELTA` set where it applies.
    """

    ids: NDArray[np.int32]
    timestamp: NDArray[np.int64]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    kind: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "SampleBatch":
        """The rows that a mask, a slice or an array of positions selects."""
        return SampleBatch(self.ids[rows], self.timestamp[rows], self.value[rows], self.weight[rows], self.kind[rows])

    def with_ids(self, ids: NDArray[np.int32]) -> "SampleBatch":
        """The same samples under other ids; shares the other columns."""
        return SampleBatch(ids, self.timestamp, self.value, self.weight, self.kind)

    @classmethod
    def of(
        cls,
        ids: Sequence[int] | NDArray[np.int32],
        timestamp_ms: Sequence[int] | NDArray[np.int64],
        value: Sequence[float] | NDArray[np.float64],
        *,
        weight: Sequence[float] | NDArray[np.float64] | float = 1.0,
        kind: Sequence[int] | NDArray[np.uint8] | int = Kind.GAUGE,
    ) -> "SampleBatch":
        """A batch from anything array-like; a scalar weight or kind goes for all rows."""
        n = len(ids)
        return cls(
            np.asarray(ids, np.int32),
            np.asarray(timestamp_ms, np.int64),
            np.asarray(value, np.float64),
            np.broadcast_to(np.asarray(weight, np.float64), (n,)),
            np.broadcast_to(np.asarray(kind, np.uint8), (n,)),
        )

    @classmethod
    def concatenate(cls, batches: "Sequence[SampleBatch]") -> "SampleBatch":
        """One batch from several, in their order."""
        return cls(
            np.concatenate([b.ids for b in batches]),
            np.concatenate([b.timestamp for b in batches]),
            np.concatenate([b.value for b in batches]),
            np.concatenate([b.weight for b in batches]),
            np.concatenate([b.kind for b in batches]),
        )
