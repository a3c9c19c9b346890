from dataclasses import replace

import numpy as np

from tallystick.model.grid import Grid, Row
from tallystick.query.context import Context
from tallystick.query.intervals import summarized
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import Series, SeriesList


@function("compressPeriodicGaps", group="Transform")
def compress_periodic_gaps(context: Context, seriesList: SeriesList) -> SeriesList:
    """Leave out the gaps of series that report more seldom than there are slots.

    How seldom is told by their first three values: they must be equally far apart, with gaps around the third.
    """
    return SeriesList.of(_compressed(context, one) for one in seriesList)


def _compressed(context: Context, one: Series) -> Series:
    name = f"compressPeriodicGaps({one.row.name})"
    row: Row = replace(one.row, name=name, path=name)
    found = _period(one.values)
    if found is None:
        return replace(one, row=row)
    first, slots = found
    grid = Grid(one.values[np.newaxis], (row,), one.start_s, one.step_s)
    start_s = one.start_s + first * one.step_s
    [whole] = SeriesList((summarized(context, grid, start_s, grid.end_s, slots * one.step_s, "last"),))
    return whole


def _period(values: Values) -> tuple[int, int] | None:
    """The first known slot, and slots from one report to the next; None if there is no such rhythm."""
    known = ~np.isnan(values)
    reports = np.flatnonzero(known)
    if len(reports) < 3:
        return None
    first, second = reports[:2].tolist()
    slots = second - first
    third = second + slots
    if slots < 2 or third > len(values) - 2 or known[third - 1 : third + 2].tolist() != [False, True, False]:
        return None
    return first, slots
