from tallystick.model.errors import QueryError
from tallystick.query.combine import merged_grids
from tallystick.query.context import Context
from tallystick.query.parameters import Node
from tallystick.query.registry import find, function
from tallystick.query.series import SeriesList


@function("reduceSeries", "reduce", group="Combine")
def reduce_series(
    context: Context, seriesLists: list[SeriesList], reduceFunction: str, reduceNode: Node, *reduceMatchers: str
) -> SeriesList:
    """Call a function once for each list of `mapSeries`, with the series whose part `reduceNode` is in the matchers."""
    groups: dict[str, dict[str, SeriesList]] = {}
    for series in seriesLists:
        for i, row in enumerate(series.rows):
            parts = row.name.split(".")
            if -len(parts) <= reduceNode < len(parts) and parts[reduceNode] in reduceMatchers:
                name = ".".join(parts[:reduceNode]) + ".reduce." + reduceFunction
                groups.setdefault(name, {})[parts[reduceNode]] = series.pick([i])
    return merged_grids(_reduced(context, name, reduceFunction, reduceMatchers, one) for name, one in groups.items())


def _reduced(
    context: Context, name: str, word: str, matchers: tuple[str, ...], members: dict[str, SeriesList]
) -> SeriesList:
    missing = [matcher for matcher in matchers if matcher not in members]
    if missing:
        raise QueryError(f"cannot reduce {name!r}: no series for {', '.join(missing)}; expected one for each matcher")
    found = find(word)
    positional, named = found.bind([members[matcher] for matcher in matchers], {})
    result: SeriesList = found.call(context, *positional, **named)
    return result.pick([0]).with_rows(lambda row: row.named(name))
