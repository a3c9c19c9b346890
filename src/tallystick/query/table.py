"""`Table`: several statistics of the same series on one time line; what programs are given, as columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import lcm

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic
from tallystick.query.align import aligned
from tallystick.query.context import Request
from tallystick.query.evaluate import Evaluator
from tallystick.query.grammar import Call, Node, Path, parse
from tallystick.query.series import SeriesList
from tallystick.query.session import Session, Wanted
from tallystick.store.contract import StoreReader

Values = NDArray[np.float64]
_NO_SERIES = -1


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a row that is a series of the store.

    Parameters
    ----------
    kind
        Of the series.
    kept_s
        So many seconds after its time a slot of the resolution that was read is forgotten.
    """

    kind: Kind
    kept_s: int


@dataclass(frozen=True, slots=True)
class Table:
    """Several statistics of the same series on one time line.

    Parameters
    ----------
    rows : length n
        Name and tags of each series.
    start_s, step_s
        Epoch seconds of the first slot, and seconds between slots.
    columns : dict of float64[n, m]
        By statistic or percentile, as they are written: ``max``, ``p99``. NaN where there is no value.
    origins : length n
        Where rows come from; None where functions made them.
    """

    rows: Sequence[Row]
    start_s: int
    step_s: int
    columns: dict[str, Values]
    origins: tuple[Origin | None, ...] = field(default=())

    @property
    def slots(self) -> int:
        """Slots of each series."""
        return int(next(iter(self.columns.values())).shape[1])

    @classmethod
    def of_grids(cls, grids: Sequence[Grid], word: str = Statistic.DEFAULT.value) -> "Table":
        """Grids of one statistic, brought onto one time line if they have several."""
        if not grids:
            return cls((), 0, 1, {word: np.empty((0, 0))})
        grid = aligned(SeriesList(tuple(grids)))
        return cls(grid.rows, grid.start_s, grid.step_s, {word: grid.values}, (None,) * len(grid))


def parse_wanted(words: Sequence[str]) -> dict[str, Wanted]:
    """Statistics and percentiles by the words for them, each once: ``max``, ``average``, ``p99``, ``p99.9``.

    Raises
    ------
    QueryError
        If a word is neither.
    """
    found: dict[str, Wanted] = {}
    for word in words:
        rank = _rank(word)
        if rank is not None:
            found[f"p{rank:g}"] = rank
            continue
        try:
            statistic = Statistic.parse(word)
        except ValueError as error:
            raise QueryError(f"{error}, or a percentile such as p99") from error
        found[statistic.value] = statistic
    return found or {Statistic.DEFAULT.value: Statistic.DEFAULT}


def _rank(word: str) -> float | None:
    """The 99.9 of ``p99.9``; None if the word is no percentile."""
    digits = word[1:]
    if not (word[:1] in ("p", "P") and digits.isascii() and digits.replace(".", "", 1).isdigit()):
        return None
    rank = float(digits)
    return rank if rank <= 100 else None


def read_table(
    evaluator: Evaluator,
    targets: Sequence[str],
    asked: Request,
    wanted: dict[str, Wanted],
    is_gone: Callable[[], bool] | None = None,
) -> Table:
    """What targets give, each of `wanted` read for the paths in them.

    Series whose steps differ are read again at the least common multiple of their steps, so that their slots are
    merged from tallies. Where a target chooses series by their values, a statistic that did not choose one has NaN.

    Raises
    ------
    QueryError
        If a target cannot be read or evaluated.
    LimitError
        If the request is larger than the limits allow.
    GoneError
        If `is_gone` says that who asked has gone.
    """
    nodes = [parse(target) for target in targets]
    session, found = _evaluated(evaluator, nodes, asked, wanted, is_gone)
    steps = {grid.step_s for lists in found.values() for grid in SeriesList.joined(lists).grids}
    if len(steps) > 1:
        asked = replace(asked, step_s=lcm(*steps))
        session, found = _evaluated(evaluator, nodes, asked, wanted, is_gone)
    series = {word: SeriesList.joined(lists) for word, lists in found.items()}
    if not any(len(one) for one in series.values()):
        return Table((), 0, 1, {word: np.empty((0, 0)) for word in wanted})
    origins = _origins(evaluator.store, nodes, next(iter(found.values())), session, asked)
    return _joined(series, origins)


def _evaluated(
    evaluator: Evaluator,
    nodes: Sequence[Node],
    asked: Request,
    wanted: dict[str, Wanted],
    is_gone: Callable[[], bool] | None,
) -> tuple[Session, dict[str, list[SeriesList]]]:
    """For each statistic what each target gives; a path is read once for all of them."""
    session = evaluator.new_session(nodes, asked, is_gone)
    session.statistics = tuple(wanted.values())
    found: dict[str, list[SeriesList]] = {word: [] for word in wanted}
    for node in nodes:
        for word, one in wanted.items():
            found[word].append(evaluator.series(node, asked, session, one))
        session.show(max((lists[-1] for lists in found.values()), key=len), len(found))
    return session, found


def _origins(
    store: StoreReader, nodes: Sequence[Node], lists: Sequence[SeriesList], session: Session, asked: Request
) -> list[Origin | None]:
    """Of each row, in their order."""
    ids = [_ids(node, one, session) for node, one in zip(nodes, lists, strict=True)]
    every = np.concatenate([np.empty(0, np.int32), *ids])
    known = every[every != _NO_SERIES]
    kinds = iter(store.catalog.kinds(known).tolist())
    age_s = asked.now_s - asked.from_s
    return [
        None if one == _NO_SERIES else Origin(Kind(next(kinds)), store.retention(one).covering(age_s).keep_s)
        for one in every.tolist()
    ]


def _ids(node: Node, found: SeriesList, session: Session) -> NDArray[np.int32]:
    """The series that the rows of a target are; -1 where it is more than a path."""
    rows = found.rows
    if rows and (isinstance(node, Path) or (isinstance(node, Call) and node.name == "seriesByTag")):
        ids = session.ids.get(rows[0].path)
        if ids is not None and len(ids) == len(rows):
            return ids
    return np.full(len(rows), _NO_SERIES, np.int32)


def _joined(series: dict[str, SeriesList], origins: Sequence[Origin | None]) -> Table:
    """One row for each series, in the order in which the statistics name them."""
    grids = _on_one_line(series)
    first = next(iter(grids.values()))
    if all(_names(grid) == _names(first) for grid in grids.values()):
        columns = {word: grid.values for word, grid in grids.items()}
        return Table(first.rows, first.start_s, first.step_s, columns, tuple(origins))
    rows = {key: row for grid in grids.values() for key, row in zip(_keys(grid.rows), grid.rows, strict=True)}
    place = {key: i for i, key in enumerate(rows)}
    columns = {word: np.full((len(rows), first.values.shape[1]), np.nan) for word in grids}
    for word, grid in grids.items():
        columns[word][[place[key] for key in _keys(grid.rows)]] = grid.values
    return Table(tuple(rows.values()), first.start_s, first.step_s, columns, (None,) * len(rows))


def _names(grid: Grid) -> list[str]:
    return [row.name for row in grid.rows]


def _keys(rows: Sequence[Row]) -> list[tuple[str, int]]:
    """Names of rows, numbered where one is there several times."""
    seen: dict[str, int] = {}
    keys = []
    for row in rows:
        seen[row.name] = seen.get(row.name, -1) + 1
        keys.append((row.name, seen[row.name]))
    return keys


def _on_one_line(series: dict[str, SeriesList]) -> dict[str, Grid]:
    """One grid for each statistic, all with the same slots."""
    lines = {(g.start_s, g.step_s, g.values.shape[1]) for one in series.values() for g in one.grids}
    if len(lines) == 1 and all(len(one.grids) == 1 for one in series.values()):
        return {word: one.grids[0] for word, one in series.items()}
    every = aligned(SeriesList.joined(series.values()))
    ends = np.cumsum([len(one) for one in series.values()]).tolist()
    return {
        word: replace(every, rows=every.rows[end - len(one) : end], values=every.values[end - len(one) : end])
        for (word, one), end in zip(series.items(), ends, strict=True)
    }
