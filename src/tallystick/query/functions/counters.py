"""Counters that only grow, until whoever counts starts again."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.context import Context, Deferred
from tallystick.query.gaps import last_before
from tallystick.query.intervals import summarized
from tallystick.query.parameters import Interval
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, marked_rows

_LEAD_S = 300
"""So far before the range, and at least a slot, the value is looked for that the first of it has grown from."""


def growth(values: Values) -> tuple[Values, Values]:
    """By how much each known value has grown since the one before it, and how many slots before that was.

    Where a counter falls it began anew at 0, so all that it shows has grown. NaN where it is unknown or the first.
    """
    before = last_before(values)
    old = np.where(before >= 0, np.take_along_axis(values, np.maximum(before, 0), axis=1), np.nan)
    grown = np.where(values < old, values, values - old)
    return grown, np.where(np.isnan(grown), np.nan, np.arange(values.shape[1]) - before)


def _grown(
    seriesList: Deferred, change: Callable[[Grid, Values, Values], Values], name: Callable[[str], str]
) -> SeriesList:
    """What `change` makes of growths and the slots that they took, for the slots of the range."""
    context = seriesList.context
    slot_s = max((grid.step_s for grid in seriesList.evaluate().grids), default=0)
    earlier = seriesList.evaluate(context.shifted(-max(_LEAD_S, slot_s)))

    def compute(grid: Grid) -> Grid:
        values = change(grid, *growth(grid.values)) if grid.values.size else grid.values
        lead = max(0, (context.from_s - grid.start_s) // grid.step_s + 1)
        start_s = grid.start_s + lead * grid.step_s
        return replace(grid, values=values[:, lead:], rows=marked_rows(grid.rows, name, {}), start_s=start_s)

    return earlier.each(compute)


@function("rate", group="Transform")
def rate(context: Context, seriesList: Deferred) -> SeriesList:
    """Growth per second of counters that only grow; where one falls, it began anew at 0.

    After a gap it is the mean over the gap. `perSecond` is Graphite's: unknown after a fall and after a gap.
    """
    return _grown(seriesList, lambda grid, grown, slots: grown / (slots * grid.step_s), lambda name: f"rate({name})")


@function("increase", group="Transform")
def increase(context: Context, seriesList: Deferred, interval: Interval | None = None) -> SeriesList:
    """Growth of counters that only grow from slot to slot, or added up in intervals; where one falls, it began anew."""
    if interval is None:
        return _grown(seriesList, lambda _, grown, __: grown, lambda name: f"increase({name})")
    if interval.seconds <= 0:
        raise QueryError(f"cannot call increase: the interval is {interval.text!r}; expected at least 1s")
    length_s = interval.seconds
    by_slot = _grown(seriesList, lambda _, grown, __: grown, lambda name: f'increase({name},"{interval.text}")')
    return by_slot.each(
        lambda grid: summarized(context, grid, grid.start_s - grid.start_s % length_s, grid.end_s, length_s, "sum")
    )
