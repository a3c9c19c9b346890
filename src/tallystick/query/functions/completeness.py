import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tallystick.ledger.collector import prefix_name
from tallystick.ledger.prefixes import prefix_of
from tallystick.model.grid import Grid
from tallystick.model.statistic import Statistic
from tallystick.query.align import aligned
from tallystick.query.context import Context
from tallystick.query.fetch import fetch_path
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import Series, SeriesList

_OWN = "tallystick."
_SPECIAL = re.compile(r"([*?\[\]{}\\])")


@function("completeness", group="Special")
def completeness(context: Context, seriesList: SeriesList) -> SeriesList:
    """How much of what was sent of each series is stored, 0 to 1, by the ledger's counts.

    The ledger counts by the first parts of names, so series that share them share the figure. A window is known some
    seconds after it is over.
    """
    shares: dict[str, Grid | None] = {}
    return SeriesList.of(_complete(context, one, shares) for one in seriesList)


def _complete(context: Context, one: Series, shares: dict[str, Grid | None]) -> Series:
    name = f"completeness({one.row.name})"
    row = replace(one.row, name=name, path=name, consolidation="average")
    counted = _counted(context, one.row.tags.get("name", one.row.name), shares)
    if counted is None:
        return replace(one, values=np.full(len(one.values), np.nan), row=row)
    return Series(row, counted.values[0], counted.start_s, counted.step_s)


def _counted(context: Context, name: str, shares: dict[str, Grid | None]) -> Grid | None:
    """The share of the longest beginning of a name that the ledger counts."""
    for prefix in _beginnings(name):
        if prefix not in shares:
            shares[prefix] = _share(context, prefix)
        if shares[prefix] is not None:
            return shares[prefix]
    return None


def _beginnings(name: str) -> Iterator[str]:
    """What the ledger may count a name by, longest first."""
    depths = range(name.partition(";")[0].count("."), 0, -1)
    yield from (prefix_of(name, depth) for depth in depths)
    yield prefix_of(name, 1)


def _share(context: Context, prefix: str) -> Grid | None:
    whole = replace(context, slots_max=None, step_s=None, consolidation=None).wanting(Statistic.SUM)
    name = _SPECIAL.sub(r"\\\1", f"{_OWN}{prefix_name(prefix)}")
    stored, lost = (fetch_path(whole, f"{name}.{what}") for what in ("stored", "lost"))
    if not len(stored):
        return None
    grid = aligned(SeriesList.joined([stored, lost]))
    return replace(
        grid, values=_ratio(grid.values[: len(stored)].sum(axis=0), grid.values[len(stored) :]), rows=grid.rows[:1]
    )


def _ratio(stored: Values, lost: Values) -> Values:
    every = stored + np.nansum(lost, axis=0)
    return np.where(every > 0, stored / every, np.nan)[np.newaxis]
