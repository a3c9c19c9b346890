"""Values summed up, or reduced in another way, over longer intervals."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query.context import Context, Deferred
from tallystick.query.intervals import summarized
from tallystick.query.parameters import Aggregation, Hint, Interval, Summarized
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, marked_rows
from tallystick.query.times import parse_unit

_UNITS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")


def _seconds(interval: Interval, name: str) -> int:
    if interval.seconds <= 0:
        raise QueryError(f"cannot call {name}: the interval is {interval.text!r}; expected at least 1s")
    return interval.seconds


@function("summarize", group="Transform")
def summarize(
    context: Context,
    seriesList: SeriesList,
    intervalString: Summarized,
    func: Aggregation = "sum",
    alignToFrom: bool = False,
) -> SeriesList:
    """Reduce each interval of the epoch, or of the range if `alignToFrom`, to one value."""
    length = _seconds(intervalString, "summarize")
    ending = ", true" if alignToFrom else ""

    def compute(grid: Grid) -> Grid:
        if alignToFrom:
            start_s, end_s = grid.start_s, grid.end_s
        else:
            start_s, end_s = grid.start_s - grid.start_s % length, grid.end_s - grid.end_s % length + length
        rows = marked_rows(
            grid.rows,
            lambda name: f'summarize({name}, "{intervalString.text}", "{func}"{ending})',
            {"summarize": intervalString.text, "summarizeFunction": func},
        )
        return replace(summarized(context, grid, start_s, end_s, length, func), rows=rows)

    return seriesList.each(compute)


@function("smartSummarize", group="Transform")
def smart_summarize(
    context: Context,
    seriesList: Deferred,
    intervalString: Summarized,
    func: Aggregation = "sum",
    alignTo: Annotated[str, Hint(options=_UNITS)] | None = None,
) -> SeriesList:
    """Like summarize, in intervals from the start of the range, or from the hour, day or week it lies in."""
    length = _seconds(intervalString, "smartSummarize")
    where = seriesList.context
    if alignTo is not None and alignTo.lower() not in ("true", "false"):
        where = where.shifted(_unit_start(context, alignTo) - context.from_s)
    series = seriesList.evaluate(where)

    def compute(grid: Grid) -> Grid:
        rows = marked_rows(
            grid.rows,
            lambda name: f'smartSummarize({name}, "{intervalString.text}", "{func}")',
            {"smartSummarize": intervalString.text, "smartSummarizeFunction": func},
        )
        return replace(summarized(context, grid, grid.start_s, grid.end_s, length, func), rows=rows)

    return series.each(compute)


def _unit_start(context: Context, unit: str) -> int:
    """The start of the year, month, week, day, hour or minute in which the range begins, in the request's zone."""
    seconds = parse_unit(unit)
    moment = datetime.fromtimestamp(context.from_s, context.request.zone)
    day = moment.replace(hour=0, minute=0, second=0)
    if seconds == parse_unit("weeks"):
        first = int(unit[-1]) if unit[-1].isdigit() else 1
        return int((day - timedelta(days=(moment.isoweekday() - first) % 7)).timestamp())
    starts = {
        "years": day.replace(month=1, day=1),
        "months": day.replace(day=1),
        "days": day,
        "hours": moment.replace(minute=0, second=0),
        "minutes": moment.replace(second=0),
        "seconds": moment,
    }
    return int(next(start for name, start in starts.items() if parse_unit(name) == seconds).timestamp())
