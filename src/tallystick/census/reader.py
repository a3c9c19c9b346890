"""`NotedReader`: the reading half of a store, which notes what is read."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.census.marks import Marks
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally
from tallystick.store.before import Ids, ReaderBefore
from tallystick.store.contract import StoreReader


class NotedReader(ReaderBefore):
    """A `tallystick.store.contract.StoreReader` before another one: values that somebody reads are noted."""

    def __init__(self, base: StoreReader, marks: Marks) -> None:
        super().__init__(base)
        self._marks = marks

    def read(
        self,
        ids: Ids,
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, NDArray[np.float64]]:
        """See `StoreReader.read`."""
        self._marks.note_read(ids)
        return super().read(ids, start_s, until_s, step_s, statistics)

    def percentiles(
        self, ids: Ids, start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, NDArray[np.float64]]:
        """See `StoreReader.percentiles`."""
        self._marks.note_read(ids)
        return super().percentiles(ids, start_s, until_s, step_s, ranks)

    def tally(self, ids: Ids, start_s: int, until_s: int, step_s: int) -> Tally:
        """See `StoreReader.tally`."""
        self._marks.note_read(ids)
        return super().tally(ids, start_s, until_s, step_s)
