"""Other times drawn over this one."""

from dataclasses import replace
from datetime import datetime, tzinfo

import numpy as np

from tallystick.model.grid import Grid, Row
from tallystick.query.context import Context, Deferred
from tallystick.query.parameters import Interval, Shift
from tallystick.query.registry import function
from tallystick.query.series import SeriesList

_DAY = Interval("1d", 86400)


def _backwards(interval: Interval) -> Interval:
    """A length without a sign means the past."""
    return Interval.read("-" + interval.text) if interval.text[0].isdigit() else interval


def _moved(grid: Grid, start_s: int, end_s: int | None) -> Grid:
    """The grid's values from `start_s` on, cut or filled up to `end_s`."""
    values = grid.values
    if end_s is not None:
        slots = max(0, (end_s - start_s) // grid.step_s)
        values = np.full((len(grid), slots), np.nan)
        count = min(slots, grid.values.shape[1])
        values[:, :count] = grid.values[:, :count]
    return replace(grid, values=values, start_s=start_s)


@function("timeShift", group="Transform")
def time_shift(
    context: Context, seriesList: Deferred, timeShift: Shift, resetEnd: bool = True, alignDST: bool = False
) -> SeriesList:
    """What was so long ago, drawn now; `alignDST` keeps the time of day when the clock has changed between."""
    shift = _backwards(timeShift)
    present = seriesList.evaluate()
    if not present.grids:
        return present
    line = present.grids[0]
    by_s = shift.seconds + (_clock_change_s(context, shift.seconds) if alignDST else 0)
    past = seriesList.evaluate(seriesList.context.shifted(by_s, by_s))

    def named(row: Row) -> Row:
        return replace(row, name=f'timeShift({row.name}, "{shift.text}")', tags=row.tags | {"timeShift": shift.text})

    return past.each(lambda grid: _moved(grid, line.start_s, line.end_s if resetEnd else None)).with_rows(named)


def _clock_change_s(context: Context, by_s: int) -> int:
    """Seconds to add so that both ends of a shifted range have the same time of day; 0 if only one end changed."""

    def summer(moment_s: int, zone: tzinfo) -> bool:
        return bool(datetime.fromtimestamp(moment_s, zone).dst())

    zone = context.request.zone
    here = {summer(context.from_s, zone), summer(context.until_s, zone)}
    there = {summer(context.from_s + by_s, zone), summer(context.until_s + by_s, zone)}
    if len(here) > 1 or len(there) > 1 or here == there:
        return 0
    return 3600 if here == {True} else -3600


@function("timeStack", group="Transform")
def time_stack(
    context: Context,
    seriesList: Deferred,
    timeShiftUnit: Shift = _DAY,
    timeShiftStart: int = 0,
    timeShiftEnd: int = 7,
) -> SeriesList:
    """The series of several times past, drawn over one another: `timeShiftStart` to before `timeShiftEnd` units ago."""
    unit = _backwards(timeShiftUnit)
    present = seriesList.evaluate()
    if not present.grids:
        return present
    line = present.grids[0]

    def shifted(nth: int) -> SeriesList:
        def named(row: Row) -> Row:
            name = f"timeShift({row.name}, {unit.text}, {nth})"
            marks = {"timeShiftUnit": unit.text, "timeShift": str(nth)}
            return replace(row, name=name, path=name, tags=row.tags | marks)

        by_s = unit.seconds * nth
        past = seriesList.evaluate(seriesList.context.shifted(by_s, by_s))
        return past.each(lambda grid: _moved(grid, line.start_s, line.end_s)).with_rows(named)

    return SeriesList.joined(shifted(nth) for nth in range(timeShiftStart, timeShiftEnd))
