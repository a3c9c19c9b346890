"""`MemberTable`: the members of sets in one slot, until they become sketches."""

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.sketch import pack_sketches, sketch_members
from tallystick.model.tally import Tally

_PENDING_MAX = 1 << 17


class MemberTable:
    """Different (series, member) pairs; repeated ones are dropped whenever enough have come together."""

    def __init__(self) -> None:
        self._pairs = np.empty((0, 2), np.int64)
        self._pending: list[NDArray[np.int64]] = []
        self._n_pending = 0

    def __len__(self) -> int:
        """Series that have members."""
        return len(self.series())

    def series(self) -> NDArray[np.int32]:
        """The series that have members, ascending."""
        self._settle()
        return np.unique(self._pairs[:, 0]).astype(np.int32)

    def add(self, series: NDArray[np.int32], member: NDArray[np.float64]) -> None:
        """Add members, each the bits of a 64-bit hash taken as a float."""
        pairs = np.stack([series.astype(np.int64), np.ascontiguousarray(member).view(np.int64)], axis=1)
        self._pending.append(pairs)
        self._n_pending += len(pairs)
        if self._n_pending > max(_PENDING_MAX, len(self._pairs)):
            self._settle()

    def tally(self, step_s: int, slot: int) -> Tally:
        """A row for each set: the number of its members, and their sketch."""
        self._settle()
        series, start = np.unique(self._pairs[:, 0], return_index=True)
        sketched = [sketch_members(members) for members in np.split(self._pairs[:, 1], start[1:])]
        return Tally(
            step_s,
            series.astype(np.int32),
            np.full(len(series), slot, np.int64),
            np.array([count for _, count in sketched], np.float64),
            sketches=pack_sketches([data for data, _ in sketched]),
        )

    def _settle(self) -> None:
        if self._pending:
            self._pairs = np.unique(np.concatenate([self._pairs, *self._pending]), axis=0)
            self._pending, self._n_pending = [], 0
