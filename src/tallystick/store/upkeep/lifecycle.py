"""`Lifecycle`: series are deleted, renamed and forgotten, and their ids given to others.

A change is on disk before it is made, and made before anybody is told. The id of a series that is gone stays its own
while anything refers to it: a block, a tally that is being sealed, a head, a segment of the log. A segment and a head
end together, so it is enough that the log needs no segment from before its death and that no block has it.
"""

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.packed import Names
from tallystick.store.disk.manifest import Manifest
from tallystick.store.head.gauges import Gauges
from tallystick.store.head.heads import Heads
from tallystick.store.log import codec
from tallystick.store.log.log import Log
from tallystick.store.names.catalog import SeriesCatalog
from tallystick.store.reading.reader import Sources

Told = Callable[[NDArray[np.int32]], None]
_NEVER = np.iinfo(np.int64).max


class Lifecycle:
    """What becomes of the series of a store; thread-safe.

    Parameters
    ----------
    ingest
        Held by whoever appends: a batch finds all its series living, or is not taken.
    dead : int32[n]
        Ids that are no series any more and that something still refers to.

    Notes
    -----
    Locks are taken in this order: `_changing`, `ingest`, those of catalog and log. Whoever is told is called without
    any, because routing holds a lock of its own while it creates series.
    """

    def __init__(
        self,
        catalog: SeriesCatalog,
        heads: Heads,
        gauges: Gauges,
        log: Log,
        ingest: "threading.RLock",
        dead: NDArray[np.int32],
    ) -> None:
        self._catalog = catalog
        self._heads = heads
        self._gauges = gauges
        self._log = log
        self._ingest = ingest
        self._changing = threading.Lock()  # one change at a time: what was checked is so until it is on disk
        self._calls: list[Told] = []
        # By id, the segment of the log at the time: `_NEVER` where the id is not waiting to be given away.
        self._died_in = np.full(catalog.id_end, _NEVER, np.int64)
        self._died_in[dead] = log.segment
        self._born_in = np.full(catalog.id_end, log.segment, np.int64)

    def when_forgotten(self, call: Told) -> None:
        """See `Store.when_forgotten`."""
        self._calls.append(call)

    def born(self, ids: NDArray[np.int32]) -> None:
        """Series were created; the caller holds `ingest`."""
        end = int(ids.max()) + 1
        self._died_in, self._born_in = _longer(self._died_in, end, _NEVER), _longer(self._born_in, end, 0)
        self._died_in[ids], self._born_in[ids] = _NEVER, self._log.segment

    def delete(self, ids: NDArray[np.int32]) -> None:
        """See `Store.delete`."""
        with self._changing:
            gone = np.unique(ids[self._catalog.living(ids)])
            if not len(gone):
                return
            self._log.sync()  # their definitions may still be queued, and come first
            self._log.write_series(codec.encode_forget(gone))
            with self._ingest:
                self._bury(gone)
        self._tell(gone)

    def rename(self, series: int, name: str) -> None:
        """See `Store.rename`."""
        ids, encoded = np.array([series], np.int32), name.encode()
        with self._changing:
            self._log.sync()
            with self._ingest:  # nobody takes the name between the look at it and the disk's word
                self._catalog.check_rename(series, encoded)
                self._log.write_series(codec.encode_rename(ids, Names.of([name])))
                self._heads.retentions.assign(ids, [name])
                self._catalog.rename(series, encoded)
        self._tell(ids)

    def tidy(self, manifest: Manifest, sources: Sources) -> None:
        """Forget series that have no data, give free ids away, and make the rows of names anew if it is worth it.

        While a block cannot be read nobody knows what series it has, so that none is forgotten.

        Parameters
        ----------
        sources
            What the store holds; blocks and what is being sealed do not change meanwhile.
        """
        if len(sources.blocks) == len(manifest.blocks):
            self._tidy_ids(manifest.first_segment, sources)
        if self._catalog.wasteful:
            self._catalog.rebuild()

    def _tidy_ids(self, first_segment: int, sources: Sources) -> None:
        held = _held(sources, self._catalog.id_end)
        self._forget_idle(first_segment, held)
        with self._ingest:
            waiting = np.flatnonzero(self._died_in < first_segment)
            free = waiting[~held[waiting]].astype(np.int32)
            self._died_in[free] = _NEVER
            self._catalog.release(free)
            self._shrink(self._catalog.id_end)

    def _forget_idle(self, first_segment: int, held: NDArray[np.bool_]) -> None:
        """Forget the series that neither a block nor a head has and that had the time of a whole sealing to come."""
        with self._changing:
            idle = np.flatnonzero(self._catalog.living_by_id()[: len(held)] & ~held).astype(np.int32)
            idle = idle[self._born_in[idle] + 1 < first_segment]
            if not len(idle):
                return
            with self._ingest:
                present = self._heads.present(len(held))
                idle = idle[~present[idle]]
                if len(idle):
                    # Not waited for: a series that comes back by a crash is forgotten again.
                    self._log.append(codec.encode_forget(idle), series=True)
                    self._bury(idle)
        if len(idle):
            self._tell(idle)

    def _shrink(self, id_end: int) -> None:
        """Give back memory for ids that nobody has any more."""
        self._gauges.shrink(id_end)
        if 2 * id_end < len(self._died_in):
            self._died_in, self._born_in = self._died_in[:id_end].copy(), self._born_in[:id_end].copy()

    def _bury(self, ids: NDArray[np.int32]) -> None:
        self._catalog.forget(ids)
        self._gauges.forget(ids)
        self._died_in[ids] = self._log.segment

    def _tell(self, ids: NDArray[np.int32]) -> None:
        for call in self._calls:
            call(ids)


def _held(sources: Sources, id_end: int) -> NDArray[np.bool_]:
    """Whether a block or a tally that is being sealed has an id: bool[id_end]."""
    held = np.zeros(id_end, np.bool_)
    columns = {id(tally.series): tally.series for tally in sources.frozen}
    for ids in [*(block.block.series for block in sources.blocks), *columns.values()]:
        held[ids[: np.searchsorted(ids, id_end)]] = True
    return held


def _longer(array: NDArray[np.int64], size: int, fill: int) -> NDArray[np.int64]:
    """The array with room for `size`, by doubling."""
    if len(array) >= size:
        return array
    return np.concatenate([array, np.full(max(size, 2 * len(array)) - len(array), fill, np.int64)])
