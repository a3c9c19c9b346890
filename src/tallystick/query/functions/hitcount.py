from dataclasses import replace
from datetime import datetime

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.context import Context, Deferred
from tallystick.query.parameters import Summarized
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, marked_rows


@function("hitcount", group="Transform")
def hitcount(
    context: Context, seriesList: Deferred, intervalString: Summarized, alignToInterval: bool = False
) -> SeriesList:
    """Rates per second as hits in each interval.

    Intervals end with the range, or begin at a whole minute, hour or day if `alignToInterval`.
    """
    length = intervalString.seconds
    if length <= 0:
        raise QueryError(f"cannot call hitcount: the interval is {intervalString.text!r}; expected at least 1s")
    where = seriesList.context
    if alignToInterval:
        where = where.shifted(_floor(context, length) - context.from_s)
    series = seriesList.evaluate(where)
    ending = ", true" if alignToInterval else ""

    def compute(grid: Grid) -> Grid:
        end_s = grid.end_s
        if alignToInterval:
            end_s = grid.start_s + (end_s - grid.start_s) // length * length + length
        buckets = -(-(end_s - grid.start_s) // length)
        context.session.charge(0, buckets * len(grid))
        rows = marked_rows(
            grid.rows,
            lambda name: f'hitcount({name}, "{intervalString.text}"{ending})',
            {"hitcount": intervalString.text},
        )
        start_s = end_s - buckets * length
        return replace(grid, values=_spread(grid, start_s, length, buckets), rows=rows, start_s=start_s, step_s=length)

    return series.each(compute)


def _spread(grid: Grid, start_s: int, length: int, buckets: int) -> Values:
    """Each value times the seconds that its slot shares with each bucket, added up."""
    hits = np.zeros((buckets, len(grid)))
    known = np.zeros((buckets, len(grid)), np.bool_)
    values = np.nan_to_num(grid.values.T)
    present = ~np.isnan(grid.values.T)
    begins = grid.times - start_s
    for nth in range(-(-grid.step_s // length) + 1):
        bucket = begins // length + nth
        shared = np.minimum(begins + grid.step_s, (bucket + 1) * length) - np.maximum(begins, bucket * length)
        inside = np.flatnonzero((shared > 0) & (bucket < buckets))
        np.add.at(hits, bucket[inside], values[inside] * shared[inside, np.newaxis])
        np.logical_or.at(known, bucket[inside], present[inside])
    return np.where(known, hits, np.nan).T


def _floor(context: Context, length: int) -> int:
    """The start of the minute, hour or day in which the range begins, whichever the interval is as long as."""
    moment = datetime.fromtimestamp(context.from_s, context.request.zone)
    if length >= 86400:
        moment = moment.replace(hour=0, minute=0, second=0)
    elif length >= 3600:
        moment = moment.replace(minute=0, second=0)
    elif length >= 60:
        moment = moment.replace(second=0)
    return int(moment.timestamp())
