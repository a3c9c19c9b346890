"""What is read of the samples of each slot, instead of each kind's own value."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.query.context import Context, Deferred
from tallystick.query.parameters import Interval
from tallystick.query.registry import function
from tallystick.query.selection import merged_step, slots_of
from tallystick.query.series import SeriesList, paths_of
from tallystick.store.accumulator import Accumulator


@function("stat", group="Special", transparent=True)
def stat(context: Context, seriesList: Deferred, statistic: str) -> SeriesList:
    """Read a statistic of the samples of each slot: last, avg, sum, count, min, max or sdev.

    It is read from the store for every path inside, so the maximum of a year is that of its samples, not of averages.
    """
    try:
        wanted = Statistic.parse(statistic)
    except ValueError as error:
        raise QueryError(str(error)) from error
    series = seriesList.evaluate(seriesList.context.wanting(wanted))
    return series.with_rows(lambda row: _named(row, f'stat({row.name},"{wanted}")', {"stat": wanted.value}))


@function("percentile", group="Special", transparent=True)
def percentile(context: Context, seriesList: Deferred, n: float, window: Interval | None = None) -> SeriesList:
    """Read the n-th percentile (0 to 100) of the samples of each slot of timings, from their histograms.

    With a window, slots are so long: the percentile of an hour is that of all the hour's samples.
    """
    _check_rank(n, "percentile")
    series = seriesList.evaluate(_windowed(seriesList.context.wanting(n), window))
    ending = f'{n:g},"{window.text}"' if window else f"{n:g}"
    return series.with_rows(lambda row: _named(row, f"percentile({row.name},{ending})", {"percentile": f"{n:g}"}))


@function("mergedPercentile", group="Special", transparent=True)
def merged_percentile(context: Context, seriesList: Deferred, n: float, window: Interval | None = None) -> SeriesList:
    """The n-th percentile (0 to 100) of the samples of all these timings together, from their merged histograms.

    With a window, slots are so long. It takes paths and what selects from them, such as `grep`; others than timings
    are left out.
    """
    _check_rank(n, "mergedPercentile")
    where = _windowed(seriesList.context, window)
    found = seriesList.evaluate(replace(where.shifted(where.until_s - where.from_s - 1), wanted=Statistic.COUNT))
    ids = _stored(context, found)
    ids = ids[context.store.catalog.kinds(ids) == Kind.TIMING]
    if not len(ids):
        return SeriesList()
    path = paths_of(found.rows)
    name = f'mergedPercentile({path},{n:g},"{window.text}")' if window else f"mergedPercentile({path},{n:g})"
    values, start_s, step_s = _merged(where, ids, n)
    row = Row(name, name, {"name": name, "percentile": f"{n:g}"})
    return SeriesList((Grid(values, (row,), start_s, step_s),))


def _check_rank(n: float, name: str) -> None:
    if not 0 <= n <= 100:
        raise QueryError(f"cannot call {name}: n is {n:g}; expected 0 to 100")


def _windowed(context: Context, window: Interval | None) -> Context:
    """Where paths are read in slots as long as the window."""
    if window is None:
        return context
    if window.seconds <= 0:
        raise QueryError(f"cannot use a window of {window.text!r}: expected at least 1s")
    return replace(context, step_s=window.seconds, slots_max=None)


def _stored(context: Context, found: SeriesList) -> NDArray[np.int32]:
    """The ids of series, which must be those that paths gave, as they are called in the store."""
    by_name: dict[str, int] = {}
    for path in dict.fromkeys(row.path for row in found.rows):
        ids = context.session.ids.get(path)
        if ids is not None:
            by_name |= dict(zip(context.store.catalog.names(ids), ids.tolist(), strict=True))
    chosen = {by_name.get(row.name, -1) for row in found.rows}
    if -1 in chosen:
        raise QueryError("cannot merge what functions have computed or named: expected paths of timings")
    return np.array(sorted(chosen), np.int32)


def _merged(context: Context, ids: NDArray[np.int32], n: float) -> tuple[NDArray[np.float64], int, int]:
    """float64[1, m] of percentiles over all series, the start of the first slot, and their step."""
    until_s = min(context.until_s, context.request.now_s)
    finest_s = int(np.lcm.reduce(context.store.steps(ids, context.from_s - context.reach_s, until_s)))
    step_s = merged_step(context, until_s, finest_s)
    start_s, end_s = slots_of(context.from_s, until_s, step_s)
    slots = (end_s - start_s) // step_s
    context.session.charge(len(ids), len(ids) * slots)
    tally = context.store.tally(ids, start_s, end_s, step_s)
    cells = Accumulator(1, start_s // step_s, slots, step_s, histograms=True)
    cells.add(tally, np.zeros(len(tally.series), np.int32), np.ones(1, np.bool_))
    return cells.percentiles([n])[n], start_s, step_s


def _named(row: Row, name: str, marks: dict[str, str]) -> Row:
    return replace(row, name=name, tags=row.tags | marks)
