"""Series of two lists combined pair by pair."""

from tallystick.model.errors import QueryError
from tallystick.query.combine import aggregated, merged_grids
from tallystick.query.context import Context
from tallystick.query.functions.pow_series import pow_series
from tallystick.query.parameters import Aggregation
from tallystick.query.reduce import short_name
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


def _paired(context: Context, one: SeriesList, other: SeriesList, word: str, share: float | None = None) -> SeriesList:
    if len(one) != len(other):
        raise QueryError(f"cannot pair {len(one)} series with {len(other)}: expected lists of equal length")

    def pair(i: int) -> SeriesList:
        both = SeriesList.joined([one.pick([i]), other.pick([i])])
        name = f"{short_name(word)}Series({','.join(row.name for row in both.rows)})"
        return aggregated(context, both, word, share).with_rows(lambda row: row.named(name))

    return merged_grids(pair(i) for i in range(len(one)))


@function("aggregateSeriesLists", group="Combine")
def aggregate_series_lists(
    context: Context,
    seriesListFirstPos: SeriesList,
    seriesListSecondPos: SeriesList,
    func: Aggregation,
    xFilesFactor: float | None = None,
) -> SeriesList:
    """Combine the first series of both lists, the second, and so on."""
    return _paired(context, seriesListFirstPos, seriesListSecondPos, func, xFilesFactor)


@function("sumSeriesLists", group="Combine", combines=True)
def sum_series_lists(context: Context, seriesListFirstPos: SeriesList, seriesListSecondPos: SeriesList) -> SeriesList:
    """Add two lists pair by pair."""
    return _paired(context, seriesListFirstPos, seriesListSecondPos, "sum")


@function("diffSeriesLists", group="Combine", combines=True)
def diff_series_lists(context: Context, seriesListFirstPos: SeriesList, seriesListSecondPos: SeriesList) -> SeriesList:
    """Subtract the second list from the first pair by pair."""
    return _paired(context, seriesListFirstPos, seriesListSecondPos, "diff")


@function("multiplySeriesLists", group="Combine", combines=True)
def multiply_series_lists(
    context: Context, seriesListFirstPos: SeriesList, seriesListSecondPos: SeriesList
) -> SeriesList:
    """Multiply two lists pair by pair."""
    return _paired(context, seriesListFirstPos, seriesListSecondPos, "multiply")


@function("powSeriesLists", group="Combine")
def pow_series_lists(context: Context, sourceSeriesList: SeriesList, factorSeriesList: SeriesList) -> SeriesList:
    """Raise the series of the first list to the powers of the second, pair by pair."""
    if len(sourceSeriesList) != len(factorSeriesList):
        raise QueryError(
            f"cannot pair {len(sourceSeriesList)} series with {len(factorSeriesList)}: expected lists of equal length"
        )
    return merged_grids(
        pow_series(context, sourceSeriesList.pick([i]), factorSeriesList.pick([i]))
        for i in range(len(sourceSeriesList))
    )
