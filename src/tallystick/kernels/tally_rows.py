"""Where kernels write slots that senders tallied."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined
from tallystick.model.tally import Histograms, Sketches, Spread, TallyBatch, offsets

ROWS, BUCKETS, SKETCH_BYTES = 0, 1, 2
"""Positions in `TallyRows.used`."""
LAST, COUNT, SUM, M2, MIN, MAX = range(6)
"""Columns of `TallyRows.numbers`."""
ONE = 0x3FF0000000000000
"""The bits of 1.0."""


class TallyRows(NamedTuple):
    """Preallocated output of a kernel, with room for the most that its input can hold.

    Parameters
    ----------
    ids : int32[n]
    timestamp : int64[n]
    kind : uint8[n]
    statsd : bool[n]
        As in `TallyBatch`; `statsd` is to be written only by who has such rows.
    numbers : uint64[n, 6]
        The bits of last, count, sum, M2, min and max.
    bucket_end, sketch_end : int64[n]
        Behind which bucket, and which byte of sketches, each row ends.
    bucket : int32[m]
    weight : uint64[m]
        The bits of the weights.
    sketch : uint8[k]
    used : int64[3]
        Rows, buckets and bytes of sketches that are written.
    """

    ids: NDArray[np.int32]
    timestamp: NDArray[np.int64]
    kind: NDArray[np.uint8]
    statsd: NDArray[np.bool_]
    numbers: NDArray[np.uint64]
    bucket_end: NDArray[np.int64]
    sketch_end: NDArray[np.int64]
    bucket: NDArray[np.int32]
    weight: NDArray[np.uint64]
    sketch: NDArray[np.uint8]
    used: NDArray[np.int64]

    @classmethod
    def of(cls, rows: int, buckets: int, sketch_bytes: int) -> "TallyRows":
        """Room for so many."""
        return cls(
            ids=np.empty(rows, np.int32),
            timestamp=np.empty(rows, np.int64),
            kind=np.empty(rows, np.uint8),
            statsd=np.zeros(rows, np.bool_),
            numbers=np.empty((rows, 6), np.uint64),
            bucket_end=np.empty(rows, np.int64),
            sketch_end=np.empty(rows, np.int64),
            bucket=np.empty(buckets, np.int32),
            weight=np.empty(buckets, np.uint64),
            sketch=np.empty(sketch_bytes, np.uint8),
            used=np.zeros(3, np.int64),
        )

    def batch(self) -> TallyBatch:
        """What was written, in arrays of its own."""
        n, m, k = self.used.tolist()
        columns = np.ascontiguousarray(self.numbers[:n].T).view(np.float64)
        histograms = sketches = None
        if m:
            offset = offsets(np.diff(self.bucket_end[:n], prepend=0))
            histograms = Histograms(offset, self.bucket[:m].copy(), self.weight[:m].copy().view(np.float64))
        if k:
            sketches = Sketches(offsets(np.diff(self.sketch_end[:n], prepend=0)), self.sketch[:k].copy())
        statsd = self.statsd[:n].copy() if self.statsd[:n].any() else None
        return TallyBatch(
            self.ids[:n].copy(),
            self.timestamp[:n].copy(),
            self.kind[:n].copy(),
            columns[LAST],
            Spread(columns[COUNT], columns[SUM], columns[M2], columns[MIN], columns[MAX]),
            histograms,
            sketches,
            statsd,
        )


@inlined
def single_numbers(rows: TallyRows, row: int, bits: int) -> None:
    """Have a row be of one sample of weight 1."""
    numbers = rows.numbers[row]
    numbers[LAST] = bits
    numbers[COUNT] = np.uint64(ONE)
    numbers[SUM] = bits
    numbers[M2] = np.uint64(0)
    numbers[MIN] = bits
    numbers[MAX] = bits
