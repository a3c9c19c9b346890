"""`Readable`: the reading half of the contract, for the server and for whoever only looks.

One class, so that a view of a store answers as the store does.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import Clock
from tallystick.model.retention import Retention
from tallystick.model.series import Part
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Tally
from tallystick.store.blocks.block_set import OpenBlock
from tallystick.store.head.heads import Heads
from tallystick.store.names.catalog import SeriesCatalog
from tallystick.store.reading.newest import last_seen
from tallystick.store.reading.reader import Aside, Range, Reader, Sources
from tallystick.store.reading.resolutions import Resolutions, irregular
from tallystick.store.rules.retentions import Retentions

Key = TypeVar("Key")
Matrix = NDArray[np.float64]


class Readable(ABC):
    """Answers reads from blocks, heads and names.

    Parameters
    ----------
    catalog, heads
        The names, and what is in no block.
    retentions
        How series are kept.
    aside
        Is given blocks that turn out to be damaged.
    clock
        Says how old what is read is.
    """

    def __init__(
        self, catalog: SeriesCatalog, heads: Heads, retentions: Retentions, aside: Aside, clock: Clock
    ) -> None:
        self._catalog = catalog
        self._heads = heads
        self.retentions = retentions
        self._aside = aside
        self._clock = clock
        self._irregular: tuple[tuple[OpenBlock, ...], tuple[OpenBlock, ...]] = (), ()

    @property
    def catalog(self) -> SeriesCatalog:
        """The names."""
        return self._catalog

    @abstractmethod
    def sources(self) -> Sources:
        """All that a read merges, taken at one moment."""

    def retention(self, series: int) -> Retention:
        """See `Store.retention`."""
        return self.retentions[series]

    def defaults(self, ids: NDArray[np.int32], step_s: int) -> NDArray[np.uint8]:
        """See `Store.defaults`."""
        return self.retentions.defaults(ids, self._catalog.kinds(ids), step_s)

    def steps(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> NDArray[np.int64]:
        """See `Store.steps`."""
        return self._resolutions().steps(ids, start_s, until_s)

    def parts(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> list[Part]:
        """See `Store.parts`."""
        return self._resolutions().parts(ids, start_s, until_s)

    def _resolutions(self) -> Resolutions:
        blocks = self.sources().blocks
        seen, looked_at = self._irregular
        if seen is not blocks:
            looked_at = irregular(blocks)
            self._irregular = blocks, looked_at
        return Resolutions(self.retentions, looked_at, self._clock.now())

    def read(
        self,
        ids: NDArray[np.int32],
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, NDArray[np.float64]]:
        """See `Store.read`."""
        if (ids[1:] > ids[:-1]).all():
            return self._of_living(ids, self._reader(ids, start_s, until_s, step_s).read(statistics))
        ascending, back = np.unique(ids, return_inverse=True)
        found = self._of_living(ascending, self._reader(ascending, start_s, until_s, step_s).read(statistics))
        return {s: values[back] for s, values in found.items()}

    def percentiles(
        self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, NDArray[np.float64]]:
        """See `Store.percentiles`."""
        ascending, back = np.unique(ids, return_inverse=True)
        found = self._of_living(ascending, self._reader(ascending, start_s, until_s, step_s).percentiles(ranks))
        return {rank: values[back] for rank, values in found.items()}

    def tally(self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int) -> Tally:
        """All statistics of the slots that `read` would give of some series (ids ascending), which are positions in
        `ids`."""
        found = self._reader(ids, start_s, until_s, step_s).tally()
        living = self._catalog.living(ids)
        return found if living.all() else found.take(np.flatnonzero(living[found.series]))

    def last_seen(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        """See `Store.last_seen`."""
        ascending, back = np.unique(ids, return_inverse=True)
        found = last_seen(self.sources(), ascending, self._aside)
        found[~self._catalog.living(ascending)] = -1
        return found[back]

    def _of_living(self, ids: NDArray[np.int32], found: dict[Key, Matrix]) -> dict[Key, Matrix]:
        """What was found, without what blocks and heads still hold of series that are no more."""
        if self._catalog.gaps:
            dead = ~self._catalog.living(ids)
            if dead.any():
                for matrix in found.values():
                    matrix[dead] = np.nan
        return found

    def _reader(self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int) -> Reader:
        kinds = self._catalog.kinds(ids)
        wanted = Range(start_s // step_s, -(-until_s // step_s), step_s)
        return Reader(self.sources(), self._aside, ids, kinds, self.retentions.defaults(ids, kinds, step_s), wanted)
