from tallystick.query.context import Context, as_series
from tallystick.query.grammar import parse
from tallystick.query.patterns import substitute
from tallystick.query.reduce import maximum
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("useSeriesAbove", group="Filter Series")
def use_series_above(context: Context, seriesList: SeriesList, value: float, search: str, replace: str) -> SeriesList:
    """For each series that rises above `value`, the one named by replacing `search` in its name."""
    above = seriesList.keep((seriesList.statistic(maximum) > value).tolist())
    targets = [substitute(search, replace, row.name) for row in above.rows]
    return SeriesList.joined(as_series(context.evaluate(parse(target)), target) for target in targets)


@function("aboveSeries", group="Filter Series")
def above_series(context: Context, seriesList: SeriesList, value: float, search: str, replace: str) -> SeriesList:
    """The series that rise above `value`, with `search` in their names replaced."""
    above = seriesList.keep((seriesList.statistic(maximum) > value).tolist())
    return above.with_rows(lambda row: row.named(substitute(search, replace, row.name)))
