"""`ReaderBefore`: the reading half of a store, passed on as it is; who changes some of it begins with this."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.retention import Retention
from tallystick.model.series import Part
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally
from tallystick.store.contract import Catalog, StoreReader

Ids = NDArray[np.int32]


class ReaderBefore:
    """A `tallystick.store.contract.StoreReader` before another one."""

    def __init__(self, base: StoreReader) -> None:
        self._base = base

    @property
    def catalog(self) -> Catalog:
        """The names."""
        return self._base.catalog

    def last_seen(self, ids: Ids) -> NDArray[np.int64]:
        """See `StoreReader.last_seen`."""
        return self._base.last_seen(ids)

    def retention(self, series: int) -> Retention:
        """See `StoreReader.retention`."""
        return self._base.retention(series)

    def defaults(self, ids: Ids, step_s: int) -> NDArray[np.uint8]:
        """See `StoreReader.defaults`."""
        return self._base.defaults(ids, step_s)

    def steps(self, ids: Ids, start_s: int, until_s: int) -> NDArray[np.int64]:
        """See `StoreReader.steps`."""
        return self._base.steps(ids, start_s, until_s)

    def parts(self, ids: Ids, start_s: int, until_s: int) -> list[Part]:
        """See `StoreReader.parts`."""
        return self._base.parts(ids, start_s, until_s)

    def read(
        self,
        ids: Ids,
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, NDArray[np.float64]]:
        """See `StoreReader.read`."""
        return self._base.read(ids, start_s, until_s, step_s, statistics)

    def percentiles(
        self, ids: Ids, start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, NDArray[np.float64]]:
        """See `StoreReader.percentiles`."""
        return self._base.percentiles(ids, start_s, until_s, step_s, ranks)

    def tally(self, ids: Ids, start_s: int, until_s: int, step_s: int) -> Tally:
        """See `StoreReader.tally`."""
        return self._base.tally(ids, start_s, until_s, step_s)
