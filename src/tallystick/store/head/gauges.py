"""`Gauges`: the value of every gauge, for changes (StatsD's ``+3|g``) to build on."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.fold import remember_gauges, resolve_deltas
from tallystick.model.columns import grown
from tallystick.model.kind import Kind
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.tally import TallyBatch

Latest = Callable[[NDArray[np.int32]], NDArray[np.float64]]
"""Gives the last known value of some series, NaN where there is none."""

_GAUGE = int(Kind.GAUGE)  # what type an enumeration has takes a kernel's caller 50 us to find out


class Gauges:
    """Current values by series id; the owner holds a lock around each call."""

    def __init__(self) -> None:
        self._value = np.empty(0)
        self._changing = np.empty(0, np.bool_)  # gauges that were ever changed by a difference

    def resolve(self, batch: SampleBatch, n_series: int, latest: Latest | None) -> SampleBatch:
        """The batch with changes turned into values; remembers the value of every gauge in it.

        Parameters
        ----------
        n_series
            Series ids of the batch are below this.
        latest
            Asked for gauges whose value is not known here; None if the batch holds no changes.
        """
        self._make_room(n_series)
        if latest is None:
            remember_gauges(batch.ids, batch.kind, batch.value, _GAUGE, self._value)
            return batch
        changed = np.unique(batch.ids[batch.kind >= GAUGE_DELTA])
        self._changing[changed] = True
        unknown = changed[np.isnan(self._value[changed])]
        if len(unknown):
            self._value[unknown] = latest(unknown)
        value = np.empty(len(batch))
        resolve_deltas(batch.ids, batch.kind, batch.value, GAUGE_DELTA, _GAUGE, self._value, value)
        return SampleBatch(batch.ids, batch.timestamp, value, batch.weight, batch.kind & np.uint8(127))

    def remember(self, batch: TallyBatch, n_series: int) -> None:
        """Keep the last value of every gauge among slots that senders tallied."""
        self._make_room(n_series)
        remember_gauges(batch.ids, batch.kind, batch.last, _GAUGE, self._value)

    def changing(self) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Ids and values of the gauges that changes were sent for: what a new segment of the log begins with."""
        ids = np.flatnonzero(self._changing).astype(np.int32)
        return ids, self._value[ids]

    def restore(self, ids: NDArray[np.int32], values: NDArray[np.float64], n_series: int) -> None:
        """Take what `changing` gave."""
        self._make_room(n_series)
        self._value[ids], self._changing[ids] = values, True

    def forget(self, ids: NDArray[np.int32]) -> None:
        """Know nothing of some series any more."""
        known = ids[ids < len(self._value)]
        self._value[known], self._changing[known] = np.nan, False

    def shrink(self, n_series: int) -> None:
        """Hold room for ids below `n_series` only: those above are forgotten."""
        if 2 * n_series < len(self._value):
            self._value, self._changing = self._value[:n_series].copy(), self._changing[:n_series].copy()

    def _make_room(self, n_series: int) -> None:
        self._value, self._changing = grown(self._value, n_series, np.nan), grown(self._changing, n_series)
