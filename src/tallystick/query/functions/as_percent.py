from collections.abc import Callable, Iterator
from typing import Annotated

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.model.grid import Row
from tallystick.query.align import aligned
from tallystick.query.combine import grouped, merged_grids, node_key, single
from tallystick.query.context import Context
from tallystick.query.parameters import OPTIONAL, NodeOrTag, Total
from tallystick.query.ratio import ratio
from tallystick.query.reduce import total as total_of
from tallystick.query.registry import function
from tallystick.query.series import Series, SeriesList, paths_of


@function("asPercent", "pct", group="Combine", combines=True)
def as_percent(
    context: Context, seriesList: SeriesList, total: Total | None = None, *nodes: Annotated[NodeOrTag, OPTIONAL]
) -> SeriesList:
    """Each series as a percentage of a total.

    The total is that of all series, a number, one series for all, or one for each in the order of names; with `nodes`,
    that of the series which agree in these parts of the name.
    """
    if nodes:
        if isinstance(total, (int, float)):
            raise QueryError("cannot call asPercent: with nodes, the total cannot be a number; expected None or series")
        return merged_grids(_by_nodes(context, seriesList, total, nodes))
    if not len(seriesList):
        return seriesList
    if total is None:
        return _of_one(context, seriesList, _sum(context, seriesList))
    if isinstance(total, (int, float)):
        return _of_number(seriesList, total)
    if len(total) == len(seriesList):
        pairs = zip(_by_name(seriesList), _by_name(total), strict=True)
        return merged_grids(_of_one(context, one, other) for one, other in pairs)
    if len(total) == 1:
        return _of_one(context, seriesList, total)
    raise QueryError(
        f"cannot call asPercent: {len(seriesList)} series and {len(total)} totals; "
        "expected no total, a number, one series or as many as in the first argument"
    )


def _sum(context: Context, series: SeriesList) -> SeriesList:
    grid = aligned(series, context.x_files_factor)
    return single(f"sumSeries({paths_of(grid.rows)})", total_of(grid.values, 0), grid)


def _of_one(context: Context, series: SeriesList, total: SeriesList) -> SeriesList:
    """All of `series` by the one series `total`."""
    both = aligned(SeriesList.joined([series, total]), context.x_files_factor)
    shares = ratio(both.values[:-1], both.values[-1]) * 100.0
    names = [f"asPercent({row.name},{both.rows[-1].name})" for row in both.rows[:-1]]
    rows = [Row(name, name, {"name": name}) for name in names]
    return SeriesList.of(Series(row, line, both.start_s, both.step_s) for row, line in zip(rows, shares, strict=True))


def _of_number(series: SeriesList, total: float) -> SeriesList:
    return SeriesList.of(
        Series(
            Row(name := f"asPercent({one.row.name},{total})", name, {"name": name}),
            ratio(one.values, total) * 100.0,
            one.start_s,
            one.step_s,
        )
        for one in series
    )


def _by_name(series: SeriesList) -> list[SeriesList]:
    rows = series.rows
    return [series.pick([i]) for i in sorted(range(len(rows)), key=lambda i: rows[i].name)]


def _by_nodes(
    context: Context, series: SeriesList, total: SeriesList | None, nodes: tuple[int | str, ...]
) -> Iterator[SeriesList]:
    def key(row: Row) -> str:
        return node_key(row, nodes)

    groups = grouped(series, key)
    wanted = groups if total is None else grouped(total, key)
    totals = {name: one if len(one) == 1 else _sum(context, one) for name, one in wanted.items()}
    for name in dict.fromkeys([*groups, *totals]):
        if name not in groups:
            yield _missing(totals[name], lambda known: f"asPercent(MISSING,{known})")
        elif name not in totals:
            yield _missing(groups[name], lambda known: f"asPercent({known},MISSING)")
        else:
            members = groups[name]
            yield merged_grids(_of_one(context, members.pick([i]), totals[name]) for i in range(len(members)))


def _missing(series: SeriesList, name: Callable[[str], str]) -> SeriesList:
    return SeriesList.of(
        Series(
            Row(new := name(one.row.name), new, {"name": new}),
            np.full_like(one.values, np.nan),
            one.start_s,
            one.step_s,
        )
        for one in series
    )
