"""istatd's sub-counters: ``app.requests.max`` is a statistic of ``app.requests``, where no series has that name."""

from dataclasses import replace

from tallystick.model.grid import Row
from tallystick.model.statistic import Statistic
from tallystick.query.context import Context
from tallystick.query.fetch import fetch_path
from tallystick.query.series import SeriesList

_SUFFIXES = {
    "avg": Statistic.AVG,
    "count": Statistic.COUNT,
    "max": Statistic.MAX,
    "min": Statistic.MIN,
    "sdev": Statistic.SDEV,
    "sum": Statistic.SUM,
}


def fetch_named(context: Context, pattern: str) -> SeriesList:
    """The series that a glob matches; if there is none and it ends in a statistic, that of those it matches without.

    Raises
    ------
    QueryError, LimitError, GoneError
        As `fetch_path`.
    """
    found = fetch_path(context, pattern)
    stem, _, word = pattern.rpartition(".")
    if len(found) or not stem or word not in _SUFFIXES:
        return found
    whole = replace(context.wanting(_SUFFIXES[word]), alike=())

    def named(row: Row) -> Row:
        name = f"{row.name}.{word}"
        return replace(row, name=name, path=pattern, tags=row.tags | {"name": name})

    return fetch_path(whole, stem).with_rows(named)
