"""What the same time looked like in the weeks before, as series beside those of now."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Row
from tallystick.model.statistic import Statistic
from tallystick.query.context import Context, Deferred
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import Series, SeriesList

_WEEK_S = 7 * 86400
_WEEKS_MAX = 104
Merge = Callable[[Values], Values]
"""Weeks x slots, oldest first, to one value for each slot."""


@function("baseline", group="Transform")
def baseline(context: Context, seriesList: Deferred, weeks: int = 4) -> SeriesList:
    """The average of the same slot in each of the last `weeks` weeks, this one left out.

    Inside `stat()` it is that statistic of all samples of those slots: the smallest, the largest, the deviation.
    All weeks are read at the finest step that is still there for the first of them.
    """
    past = _Past(seriesList, weeks, "baseline")
    wanted = context.wanted
    if wanted in (None, Statistic.DEFAULT):
        return past.merged(past.read(), _mean, f",{weeks})")
    match wanted:
        case Statistic.MIN:
            return past.merged(past.read(), np.fmin.reduce, f",{weeks})")
        case Statistic.MAX:
            return past.merged(past.read(), np.fmax.reduce, f",{weeks})")
        case Statistic.SUM | Statistic.COUNT:
            return past.merged(past.read(), _total, f",{weeks})")
        case Statistic.LAST:
            return past.merged(past.read(), _newest, f",{weeks})")
        case Statistic.AVG | Statistic.SDEV:
            parts = [past.read(one) for one in (Statistic.COUNT, Statistic.SUM, Statistic.SDEV)]
            merge = _average if wanted is Statistic.AVG else _deviation
            together = [_stacked(week) for week in zip(*parts, strict=True)]
            return past.merged(together, merge, f",{weeks})")
    raise QueryError("cannot call baseline: percentiles of several weeks are not kept; expected a statistic around it")


@function("trailing", group="Transform")
def trailing(context: Context, seriesList: Deferred, decay: float = 0.9, weeks: int = 8) -> SeriesList:
    """An average of the same slot in the last `weeks` weeks that counts each the less the older it is, as istatd's.

    Going from the oldest to the newest, it becomes `decay` times what it was plus (1 - `decay`) times the week's value.
    """
    if not 0 <= decay < 1:
        raise QueryError(f"cannot call trailing: decay is {decay:g}; expected 0 or more and less than 1")
    past = _Past(seriesList, weeks, "trailing")
    return past.merged(past.read(), lambda values: _blended(values, decay), f",{decay:g},{weeks})")


class _Past:
    """The same expression in each of several weeks, oldest first."""

    def __init__(self, argument: Deferred, weeks: int, name: str) -> None:
        if not 1 <= weeks <= _WEEKS_MAX:
            raise QueryError(f"cannot call {name}: weeks is {weeks}; expected 1 to {_WEEKS_MAX}")
        self._argument = argument
        self._weeks = weeks
        self._name = name

    def read(self, wanted: Statistic | None = None) -> list[SeriesList]:
        """Each week at the step that the oldest has."""
        found = []
        for week in range(self._weeks, 0, -1):
            by_s = -week * _WEEK_S
            context = replace(self._argument.context.shifted(by_s, by_s), reach_s=self._reach_s(week))
            found.append(self._argument.evaluate(context if wanted is None else context.wanting(wanted)))
        return found

    def _reach_s(self, week: int) -> int:
        return self._argument.context.reach_s + (self._weeks - week) * _WEEK_S

    def merged(self, weeks: Sequence[SeriesList], merge: Merge, arguments: str) -> SeriesList:
        """One series for each name, in the order of the newest week that has it."""
        by_name: dict[str, list[tuple[int, Series]]] = {}
        for age, week in enumerate(reversed(weeks), 1):
            for one in week:
                by_name.setdefault(one.row.name, []).append((age, one))
        return SeriesList.of(self._one(found, merge, arguments) for found in by_name.values())

    def _one(self, found: list[tuple[int, Series]], merge: Merge, arguments: str) -> Series:
        age, newest = found[0]
        start_s = newest.start_s + age * _WEEK_S
        alike = [one for a, one in found if self._fits(one, a, newest, start_s)]
        with np.errstate(all="ignore"):
            values = merge(np.stack([one.values for one in reversed(alike)]))
        row: Row = replace(newest.row, name=f"{self._name}({newest.row.name}{arguments}")
        return replace(newest, row=row, values=values, start_s=start_s)

    def _fits(self, one: Series, age: int, newest: Series, start_s: int) -> bool:
        if _WEEK_S % one.step_s:
            raise QueryError(f"cannot call {self._name}: a week has no whole number of slots of {one.step_s} s")
        same = (newest.step_s, newest.values.shape)
        return (one.step_s, one.values.shape) == same and one.start_s + age * _WEEK_S == start_s


def _stacked(parts: tuple[SeriesList, ...]) -> SeriesList:
    """Count, sum and deviation of each series as one of three times the columns."""
    rows = zip(*parts, strict=True)
    return SeriesList.of(
        replace(count, values=np.stack([count.values, total.values, spread.values], axis=1))
        for count, total, spread in rows
    )


def _mean(weeks: Values) -> Values:
    known = np.count_nonzero(~np.isnan(weeks), axis=0)
    mean: Values = np.where(known > 0, np.nansum(weeks, axis=0) / known, np.nan)
    return mean


def _total(weeks: Values) -> Values:
    total: Values = np.where(np.isnan(weeks).all(axis=0), np.nan, np.nansum(weeks, axis=0))
    return total


def _newest(weeks: Values) -> Values:
    newest: Values = weeks[0]
    for later in weeks[1:]:
        newest = np.where(np.isnan(later), newest, later)
    return newest


def _average(weeks: Values) -> Values:
    average: Values = _total(weeks[..., 1]) / _total(weeks[..., 0])
    return average


def _deviation(weeks: Values) -> Values:
    """From M2 of each week and the distance of its mean from that of all."""
    count, total, spread = (weeks[..., k] for k in range(3))
    mean = _total(total) / _total(count)
    m2 = count * (spread**2 + (total / count - mean) ** 2)
    deviation: Values = np.sqrt(_total(m2) / _total(count))
    return deviation


def _blended(weeks: Values, decay: float) -> Values:
    blended: Values = weeks[0]
    for later in weeks[1:]:
        mixed = decay * blended + (1.0 - decay) * later
        blended = np.where(np.isnan(blended), later, np.where(np.isnan(later), blended, mixed))
    return blended
