"""`OutputsView`: series that rules aggregate others into are read as their rule says.

An output has all samples of its inputs, so every statistic of it is there; what it is when nobody names one is the
method of its line: the sum of them all, their maximum, their 95th percentile. Its slots are no shorter than the line's
frequency. In longer ones a sum of levels is that of one frequency on average, as whisper keeps it: twice as long is not
twice as much. Counters go on being summed.
"""

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.config.carbon_rules import AggregationLine
from tallystick.model.columns import grown
from tallystick.model.kind import Kind
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.store.before import Ids, ReaderBefore
from tallystick.store.contract import StoreReader
from tallystick.store.rules.first_match import FirstMatch

Matrix = NDArray[np.float64]
Lines = tuple[AggregationLine, ...]

_UNKNOWN, _NONE = -2, -1
_SUMMED = (Statistic.SUM, Statistic.COUNT)
_AVG = STATISTICS.index(Statistic.AVG)


class OutputsView(ReaderBefore):
    """A `tallystick.store.contract.StoreReader` before another one; thread-safe.

    Parameters
    ----------
    lines
        Those in force; the same tuple as long as they are the same.
    """

    def __init__(self, base: StoreReader, lines: Callable[[], Lines]) -> None:
        super().__init__(base)
        self._lines = lines
        self._lock = threading.Lock()
        self._known: Lines = ()
        self._first = FirstMatch([])
        self._of = np.empty(0, np.int16)  # the line of each series that somebody asked about

    def forget(self, ids: Ids) -> None:
        """These ids may have other names from now on; see `Store.when_forgotten`."""
        with self._lock:
            self._of[ids[ids < len(self._of)]] = _UNKNOWN

    def defaults(self, ids: Ids, step_s: int) -> NDArray[np.uint8]:
        """See `StoreReader.defaults`; of percentiles and of sums of levels, by which statistic slots are joined."""
        found = self._base.defaults(ids, step_s)
        for line, rows in self._outputs(ids):
            found[rows] = _AVG if line.rank is not None else STATISTICS.index(Statistic.parse(line.method))
            if line.method in _SUMMED and step_s > line.frequency_s:
                found[rows[self._are_levels(ids[rows])]] = _AVG
        return found

    def steps(self, ids: Ids, start_s: int, until_s: int) -> NDArray[np.int64]:
        """See `StoreReader.steps`; that of an output is no shorter than its frequency."""
        found = self._base.steps(ids, start_s, until_s)
        for line, rows in self._outputs(ids):
            found[rows] = np.lcm(found[rows], line.frequency_s)
        return found

    def read(
        self,
        ids: Ids,
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, Matrix]:
        """See `StoreReader.read`."""
        found = self._base.read(ids, start_s, until_s, step_s, statistics)
        outputs = self._outputs(ids) if Statistic.DEFAULT in statistics else []
        if not outputs:
            return found
        values = found[Statistic.DEFAULT] = found[Statistic.DEFAULT].copy()  # others may share it
        for line, rows in outputs:
            values[rows] = self._value(line, ids[rows], start_s, until_s, step_s)
        return found

    def _value(self, line: AggregationLine, ids: Ids, start_s: int, until_s: int, step_s: int) -> Matrix:
        if line.rank is not None:
            return self._base.percentiles(ids, start_s, until_s, step_s, [line.rank])[line.rank]
        statistic = Statistic.parse(line.method)
        values = self._base.read(ids, start_s, until_s, step_s, (statistic,))[statistic]
        if statistic in _SUMMED and step_s > line.frequency_s:
            values[self._are_levels(ids)] *= line.frequency_s / step_s
        return values

    def _are_levels(self, ids: Ids) -> NDArray[np.bool_]:
        levels: NDArray[np.bool_] = np.isin(self._base.catalog.kinds(ids), (Kind.GAUGE, Kind.CUMULATIVE))
        return levels

    def _outputs(self, ids: Ids) -> list[tuple[AggregationLine, NDArray[np.intp]]]:
        """Lines, and the places in `ids` of their outputs; sets stay what they are."""
        lines = self._lines()
        if not lines or not len(ids):
            return []
        with self._lock:
            of = self._lines_of(lines, ids)
        if (of == _NONE).all():
            return []
        of[self._base.catalog.kinds(ids) == Kind.SET] = _NONE
        return [(lines[k], np.flatnonzero(of == k)) for k in np.unique(of[of >= 0]).tolist()]

    def _lines_of(self, lines: Lines, ids: Ids) -> NDArray[np.int16]:
        """The number of the line that makes each series, or -1; the lock is held."""
        if lines is not self._known:
            self._known, self._first = lines, FirstMatch([f"^(?:{line.output_expression})$" for line in lines])
            self._of = np.empty(0, np.int16)
        self._of = grown(self._of, int(ids.max()) + 1, _UNKNOWN)
        fresh = ids[self._of[ids] == _UNKNOWN]
        if len(fresh):
            found = [self._first(name) for name in self._base.catalog.names(fresh)]
            self._of[fresh] = [k if k < len(lines) else _NONE for k in found]
        return self._of[ids]
