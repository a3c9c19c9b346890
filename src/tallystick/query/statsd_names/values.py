"""The values of the names that StatsD makes, from statistics of slots and from histograms."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.order_statistics import SHARE_COLUMNS, medians, shares, weights_between
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Histograms, Tally
from tallystick.query.statsd_names.forms import Bin, Form, Median, Plain, Share, SumSquares, Value
from tallystick.query.statsd_names.numbering import Ids, forms_of, series_of
from tallystick.store.contract import StoreReader

Matrix = NDArray[np.float64]


def made_values(store: StoreReader, forms: Sequence[Form], ids: Ids, start_s: int, until_s: int, step_s: int) -> Matrix:
    """The values of names made, float64[len(ids), slots]; NaN where nothing came."""
    form, series = forms_of(ids), series_of(ids)
    wanted = {number: forms[number].value for number in np.unique(form).tolist()}
    values = np.empty((len(ids), (until_s - start_s) // step_s))
    plain = np.isin(form, [number for number, value in wanted.items() if isinstance(value, Plain | SumSquares)])
    if plain.any():
        every, place = np.unique(series[plain], return_inverse=True)
        statistics = {one for value in wanted.values() for one in _statistics(value)}
        read = store.read(every, start_s, until_s, step_s, tuple(statistics))
        for number, value in wanted.items():
            rows = form[plain] == number
            if rows.any():
                values[form == number] = _of_statistics(value, {s: m[place[rows]] for s, m in read.items()}, step_s)
    if not plain.all():
        every, place = np.unique(series[~plain], return_inverse=True)
        cells = _Cells.of(store.tally(every, start_s, until_s, step_s), len(every), start_s // step_s, values.shape[1])
        for number, value in wanted.items():
            rows = form[~plain] == number
            if rows.any():
                values[form == number] = cells.matrix(value)[place[rows]]
    return values


def _statistics(value: Value) -> tuple[Statistic, ...]:
    match value:
        case Plain(statistic=statistic):
            return (statistic,)
        case SumSquares():
            return Statistic.COUNT, Statistic.AVG, Statistic.SDEV
        case _:
            return ()


def _of_statistics(value: Value, read: dict[Statistic, Matrix], step_s: int) -> Matrix:
    if isinstance(value, Plain):
        return read[value.statistic] / (step_s if value.per_second else 1)
    return read[Statistic.COUNT] * (read[Statistic.AVG] ** 2 + read[Statistic.SDEV] ** 2)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The slots of some timings that anything came for.

    Parameters
    ----------
    shape
        Of the matrix that they are cells of.
    cell : int64[k]
        Where each stands in it, row by row.
    count, total, squares, low, high : float64[k]
        Number, sum, sum of squares and extremes of the samples.
    """

    shape: tuple[int, int]
    cell: NDArray[np.int64]
    histograms: Histograms
    count: Matrix
    total: Matrix
    squares: Matrix
    low: Matrix
    high: Matrix
    shared: dict[float, Matrix] = field(default_factory=dict)

    @classmethod
    def of(cls, tally: Tally, rows: int, first: int, width: int) -> "_Cells":
        full = tally.full
        none = Histograms(np.zeros(len(tally) + 1, np.int64), np.empty(0, np.int32), np.empty(0))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            squares = full.m2 + full.sum * (full.sum / full.count)
        return cls(
            (rows, width),
            tally.series.astype(np.int64) * width + (tally.slot - first),
            tally.histograms or none,
            full.count,
            full.sum,
            squares,
            full.min,
            full.max,
        )

    def matrix(self, value: Value) -> Matrix:
        """What a form says of each, NaN elsewhere."""
        values = np.full(self.shape, np.nan)
        values.reshape(-1)[self.cell] = self._of(value)
        return values

    def _of(self, value: Value) -> Matrix:
        h = self.histograms
        out = np.empty(len(self.cell))
        match value:
            case Share(percent=percent, column=column):
                return self._share(percent)[:, column]
            case Bin(begin=begin, end=end):
                weights_between(h.offset, h.bucket, h.weight, self.low, self.high, begin, end, out)
            case Median():
                medians(h.offset, h.bucket, h.weight, self.count, self.low, self.high, out)
        return out

    def _share(self, percent: float) -> Matrix:
        if percent not in self.shared:
            h = self.histograms
            out = np.empty((len(self.cell), SHARE_COLUMNS))
            known = (self.count, self.total, self.squares, self.low, self.high)
            shares(h.offset, h.bucket, h.weight, *known, percent, out)
            self.shared[percent] = out
        return self.shared[percent]
