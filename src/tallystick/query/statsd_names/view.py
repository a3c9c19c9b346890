"""`StatsdView`: a store's reading half, with the names that StatsD makes beside those of series.

A name made is a gauge with one sample for each slot that anything came for: what StatsD would have sent to Graphite.
Its value in a coarser slot is computed from the merged tally, so a percentile of an hour is that of the hour's samples;
only who asks for a statistic *of* it (``stat(stats.timers.k.upper_90,'max')``) gets that of the fine slots' values.

Where a stored series has the same name (what StatsD once sent to carbon, imported), its values stand where it has
some: a graph goes on from the one into the other.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import Clock
from tallystick.model.retention import Retention
from tallystick.model.series import Part
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.model.tally import Tally
from tallystick.query.statsd_names.catalog import NamesCatalog
from tallystick.query.statsd_names.forms import Idle, Naming
from tallystick.query.statsd_names.idle import Before, fill_idle
from tallystick.query.statsd_names.marks import Marks
from tallystick.query.statsd_names.numbering import Ids, forms_of, series_of
from tallystick.query.statsd_names.values import Matrix, made_values
from tallystick.store.contract import Catalog, StoreReader

_CELLS_AT_ONCE = 4_000_000
_LOOKS_BACK = 48
"""In about so many slots is read what was there before a range: a day in half hours."""
_ARRIVES_S = 10
"""So long behind its end (of a shorter slot: as long as it lasts) a slot that has nothing may still be on its way from
an agent, which gives it away when it is over: a zero in its place would be a dip in every graph."""
_SPECIAL = re.compile(r"([*?\[\]{}\\])")


class StatsdView:
    """A `tallystick.store.contract.StoreReader` before another one.

    Parameters
    ----------
    base
        The store.
    marks
        Which of its series came by StatsD.
    naming
        How StatsD is configured.
    clock
        Tells which slots are over.

    Notes
    -----
    A query that names no such name costs a look at its first component.
    """

    def __init__(self, base: StoreReader, marks: Marks, naming: Naming, clock: Clock) -> None:
        self._base = base
        self._marks = marks
        self._naming = naming
        self._forms = naming.forms()
        self._joined = np.array([STATISTICS.index(form.joined) for form in self._forms], np.uint8)
        self._idle = np.array([form.idle is not Idle.NOTHING for form in self._forms], np.bool_)
        self._zero = np.array([form.idle is Idle.ZERO for form in self._forms], np.bool_)
        if naming.delete_idle_stats or not naming.idle_s:
            self._idle[:] = False
        self._clock = clock

    @property
    def catalog(self) -> Catalog:
        """The names."""
        return NamesCatalog(self._base.catalog, self._marks, self._forms, self._naming.histogram)

    def last_seen(self, ids: Ids) -> NDArray[np.int64]:
        """See `StoreReader.last_seen`."""
        return self._base.last_seen(series_of(ids))

    def retention(self, series: int) -> Retention:
        """See `StoreReader.retention`."""
        return self._base.retention(int(series_of(np.array([series], np.int32))[0]))

    def defaults(self, ids: Ids, step_s: int) -> NDArray[np.uint8]:
        """See `StoreReader.defaults`; of names made, by which statistic slots are joined."""
        form = forms_of(ids)
        return np.where(form < 0, self._base.defaults(series_of(ids), step_s), self._joined[form]).astype(np.uint8)

    def steps(self, ids: Ids, start_s: int, until_s: int) -> NDArray[np.int64]:
        """See `StoreReader.steps`."""
        form, series = forms_of(ids), series_of(ids)
        idle = (form >= 0) & self._idle[form]
        steps = self._base.steps(series, start_s, until_s)
        if idle.any():
            steps[idle] = self._base.steps(series[idle], start_s - self._naming.idle_s, until_s)
        place, stored = self._stored(ids)
        if len(place):
            steps[place] = np.lcm(steps[place], self._base.steps(stored, start_s, until_s))
        return steps

    def parts(self, ids: Ids, start_s: int, until_s: int) -> list[Part]:
        """See `StoreReader.parts`."""
        return self._base.parts(np.unique(series_of(ids)), start_s, until_s)

    def percentiles(
        self, ids: Ids, start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, Matrix]:
        """See `StoreReader.percentiles`."""
        own = forms_of(ids) < 0
        found = self._base.percentiles(ids[own], start_s, until_s, step_s, ranks)
        return {rank: _spread_out(own, values) for rank, values in found.items()}

    def tally(self, ids: Ids, start_s: int, until_s: int, step_s: int) -> Tally:
        """See `StoreReader.tally`; names made have none."""
        return self._base.tally(ids[forms_of(ids) < 0], start_s, until_s, step_s)

    def read(
        self,
        ids: Ids,
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, Matrix]:
        """See `StoreReader.read`."""
        own = forms_of(ids) < 0
        if own.all():
            return self._base.read(ids, start_s, until_s, step_s, statistics)
        found = {one: np.empty((len(ids), (until_s - start_s) // step_s)) for one in statistics}
        if own.any():
            for one, values in self._base.read(ids[own], start_s, until_s, step_s, statistics).items():
                found[one][own] = values
        place = np.flatnonzero(~own)
        for rows in np.array_split(place, max(1, min(len(place), self._cells(place, start_s, until_s, step_s)))):
            for one, values in self._read_made(ids[rows], start_s, until_s, step_s, statistics).items():
                found[one][rows] = values
        return found

    def _cells(self, place: NDArray[np.intp], start_s: int, until_s: int, step_s: int) -> int:
        """In how many pieces so many rows are read."""
        return len(place) * ((until_s - start_s) // step_s + 2 * _LOOKS_BACK) // _CELLS_AT_ONCE + 1

    def _read_made(
        self, ids: Ids, start_s: int, until_s: int, step_s: int, statistics: Sequence[Statistic]
    ) -> dict[Statistic, Matrix]:
        found: dict[Statistic, Matrix] = {}
        if Statistic.DEFAULT in statistics:
            found[Statistic.DEFAULT] = self._values(ids, start_s, until_s, step_s)
        others = [one for one in statistics if one is not Statistic.DEFAULT]
        if others:
            found |= {one: np.empty((len(ids), (until_s - start_s) // step_s)) for one in others}
            steps = self.steps(ids, start_s, until_s)
            for fine_s in np.unique(steps).tolist():
                rows = steps == fine_s
                slots = self._values(ids[rows], start_s, until_s, fine_s)
                slots = slots.reshape(len(slots), -1, step_s // fine_s)
                for one in others:
                    found[one][rows] = _REDUCED[one](slots)
        return found

    def _values(self, ids: Ids, start_s: int, until_s: int, step_s: int) -> Matrix:
        """The values of names made, with those that a stored series of the name has, and what StatsD repeats."""
        idle = self._idle[forms_of(ids)]
        values = made_values(self._base, self._forms, ids, start_s, until_s, step_s)
        place, stored = self._stored(ids)
        if len(place):
            read = self._base.read(stored, start_s, until_s, step_s)[Statistic.DEFAULT]
            values[place] = np.where(np.isnan(read), values[place], read)
        if idle.any():
            rows = values[idle]
            over_s = self._clock.now() - min(step_s, _ARRIVES_S)
            over = min(max(int((over_s - start_s) // step_s), 0), rows.shape[1])
            before = self._before(ids[idle], start_s, step_s)
            fill_idle(rows, self._zero[forms_of(ids[idle])], before, over, self._naming.idle_s // step_s)
            values[idle] = rows
        return values

    def _before(self, ids: Ids, start_s: int, step_s: int) -> Before:
        """What was there before a range for so long as idle keys are spoken of, read in few slots."""
        slots = -(-self._naming.idle_s // step_s // _LOOKS_BACK) or 1
        coarse_s = slots * step_s
        # Slots begin at multiples of their length: what is between the last of these and the range is read finely.
        near_s = start_s - start_s % coarse_s
        far_s = near_s - -(-self._naming.idle_s // coarse_s) * coarse_s
        near = self._last(ids, near_s, start_s, step_s)
        far = Before.of(self._last(ids, far_s, near_s, coarse_s), slots)
        if not near.shape[1]:
            return far
        close = Before.of(near, 1)
        known = np.isfinite(close.ago)
        ago, value = far.ago + near.shape[1], far.value
        return Before(np.where(known, close.ago, ago), np.where(known, close.value, value))

    def _last(self, ids: Ids, start_s: int, until_s: int, step_s: int) -> Matrix:
        """The last sample of each slot, of the series or of a stored one of the name."""
        wanted = (Statistic.LAST,)
        values = self._base.read(series_of(ids), start_s, until_s, step_s, wanted)[Statistic.LAST]
        place, stored = self._stored(ids)
        if len(place):
            read = self._base.read(stored, start_s, until_s, step_s, wanted)[Statistic.LAST]
            values[place] = np.where(np.isnan(read), values[place], read)
        return values

    def _stored(self, ids: Ids) -> tuple[NDArray[np.intp], Ids]:
        """Positions of names made that a stored series has as well, and those series."""
        base = self._base.catalog
        made = np.flatnonzero(forms_of(ids) >= 0)
        roots = {".".join(form.before) for form in self._forms}
        if not len(made) or not any(node.branch for root in roots for node in base.children(root or "*")):
            return made[:0], ids[:0]
        found = [base.find(_SPECIAL.sub(r"\\\1", name)) for name in self.catalog.names(ids[made])]
        has = np.array([len(one) > 0 for one in found], np.bool_)
        return made[has], np.array([int(one[0]) for one in found if len(one)], np.int32)


def _spread_out(own: NDArray[np.bool_], values: Matrix) -> Matrix:
    out = np.full((len(own), values.shape[1]), np.nan)
    out[own] = values
    return out


def _over(reduce: Callable[[Matrix], Matrix], slots: Matrix) -> Matrix:
    """A reduction of the last axis, of what is known there."""
    known = ~np.isnan(slots).all(axis=2)
    out = np.full(known.shape, np.nan)
    out[known] = reduce(slots[known])
    return out


def _newest(slots: Matrix) -> Matrix:
    at = slots.shape[1] - 1 - np.argmax(~np.isnan(slots[:, ::-1]), axis=1)
    last: Matrix = slots[np.arange(len(slots)), at]
    return last


_REDUCED: dict[Statistic, Callable[[Matrix], Matrix]] = {
    Statistic.LAST: partial(_over, _newest),
    Statistic.AVG: partial(_over, lambda slots: np.nanmean(slots, axis=1)),
    Statistic.SUM: partial(_over, lambda slots: np.nansum(slots, axis=1)),
    Statistic.COUNT: partial(_over, lambda slots: np.sum(~np.isnan(slots), axis=1)),
    Statistic.MIN: partial(_over, lambda slots: np.nanmin(slots, axis=1)),
    Statistic.MAX: partial(_over, lambda slots: np.nanmax(slots, axis=1)),
    Statistic.SDEV: partial(_over, lambda slots: np.nanstd(slots, axis=1)),
}
