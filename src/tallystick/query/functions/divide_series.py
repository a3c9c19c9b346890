"""Quotients of series."""

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.query.align import aligned
from tallystick.query.combine import merged_grids, single
from tallystick.query.context import Context
from tallystick.query.ratio import ratio
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed


def _quotient(context: Context, dividend: SeriesList, divisor: SeriesList) -> SeriesList:
    both = aligned(SeriesList.joined([dividend, divisor]), context.x_files_factor)
    name = f"divideSeries({both.rows[0].name},{both.rows[1].name})"
    return single(name, ratio(both.values[0], both.values[1]), both)


@function("divideSeries", group="Combine")
def divide_series(context: Context, dividendSeriesList: SeriesList, divisorSeries: SeriesList) -> SeriesList:
    """Divide each series by the one divisor; where that is 0 or unknown the result is unknown."""
    if not len(divisorSeries):
        return transformed(
            dividendSeriesList,
            lambda grid: np.full_like(grid.values, np.nan),
            lambda name: f"divideSeries({name},MISSING)",
        )
    if len(divisorSeries) > 1:
        raise QueryError(
            f"cannot call divideSeries: its second argument gives {len(divisorSeries)} series; expected exactly 1"
        )
    return merged_grids(
        _quotient(context, dividendSeriesList.pick([i]), divisorSeries) for i in range(len(dividendSeriesList))
    )


@function("divideSeriesLists", group="Combine")
def divide_series_lists(context: Context, dividendSeriesList: SeriesList, divisorSeriesList: SeriesList) -> SeriesList:
    """Divide two lists pair by pair."""
    if len(dividendSeriesList) != len(divisorSeriesList):
        raise QueryError(
            f"cannot call divideSeriesLists: {len(dividendSeriesList)} series by {len(divisorSeriesList)}; "
            "expected lists of equal length"
        )
    return merged_grids(
        _quotient(context, dividendSeriesList.pick([i]), divisorSeriesList.pick([i]))
        for i in range(len(dividendSeriesList))
    )
