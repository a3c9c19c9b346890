"""Statistics that the store keeps of each slot, beside the one that is a series' own."""

from dataclasses import replace

from tallystick.model.errors import QueryError
from tallystick.model.grid import Row
from tallystick.model.statistic import Statistic
from tallystick.query.context import Context, Deferred
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


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
def percentile(context: Context, seriesList: Deferred, n: float) -> SeriesList:
    """Read the n-th percentile (0 to 100) of the samples of each slot of timings, from their histograms."""
    if not 0 <= n <= 100:
        raise QueryError(f"cannot call percentile: n is {n:g}; expected 0 to 100")
    series = seriesList.evaluate(seriesList.context.wanting(n))
    return series.with_rows(lambda row: _named(row, f"percentile({row.name},{n:g})", {"percentile": f"{n:g}"}))


def _named(row: Row, name: str, marks: dict[str, str]) -> Row:
    return replace(row, name=name, tags=row.tags | marks)
