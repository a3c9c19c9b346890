"""`SeriesList`: the value that query functions take and give, an ordered list of series held as grids.

Series with the same time line that follow each other share one `Grid`, so functions compute on matrices. A list in
which time lines alternate simply has more grids: the order, which queries can see, is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Found, Grid, Row

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One series: a row of a grid, for the functions that must look at each by itself.

    Parameters
    ----------
    row
        Name, tags and options.
    values : float64[m]
        NaN where there is no value.
    start_s, step_s
        Epoch seconds of the first slot, seconds between slots.
    """

    row: Row
    values: Values
    start_s: int
    step_s: int

    @property
    def end_s(self) -> int:
        """Epoch seconds after the last slot."""
        return self.start_s + len(self.values) * self.step_s


@dataclass(frozen=True, slots=True)
class SeriesList:
    """Series in the order that a query gave them.

    Parameters
    ----------
    grids
        None of them empty of rows.
    """

    grids: tuple[Grid, ...] = ()

    def __len__(self) -> int:
        return sum(len(grid) for grid in self.grids)

    def __iter__(self) -> Iterator[Series]:
        for grid in self.grids:
            for row, values in zip(grid.rows, grid.values, strict=True):
                yield Series(row, values, grid.start_s, grid.step_s)

    @property
    def points(self) -> int:
        """Values of all series, known or not."""
        return sum(grid.values.size for grid in self.grids)

    @property
    def rows(self) -> Sequence[Row]:
        """What is known of each series."""
        if len(self.grids) == 1:
            return self.grids[0].rows
        return [row for grid in self.grids for row in grid.rows]

    @classmethod
    def of(cls, series: Iterable[Series]) -> "SeriesList":
        """Series put together again; neighbours with the same time line share a grid."""
        runs: list[list[Series]] = []
        for one in series:
            if runs and _same_line(runs[-1][0], one):
                runs[-1].append(one)
            else:
                runs.append([one])
        return cls(
            tuple(
                Grid(np.stack([s.values for s in run]), tuple(s.row for s in run), run[0].start_s, run[0].step_s)
                for run in runs
            )
        )

    @classmethod
    def joined(cls, lists: Iterable["SeriesList"]) -> "SeriesList":
        """Several lists one after the other."""
        return cls(tuple(grid for one in lists for grid in one.grids))

    def pick(self, positions: Sequence[int] | NDArray[np.intp]) -> "SeriesList":
        """The series at `positions`, in that order."""
        if len(self.grids) == 1:
            grid = self.grids[0]
            rows = tuple(grid.rows[i] for i in positions)
            index = np.asarray(positions, np.intp)
            return SeriesList((replace(grid, values=grid.values[index], rows=rows),)) if rows else SeriesList()
        every = list(self)
        return SeriesList.of(every[i] for i in positions)

    def keep(self, wanted: Iterable[bool]) -> "SeriesList":
        """The series for which `wanted` is true."""
        return self.pick([i for i, keep in enumerate(wanted) if keep])

    def with_rows(self, change: Callable[[Row], Row]) -> "SeriesList":
        """The same values; each row changed."""
        return SeriesList(tuple(replace(grid, rows=tuple(change(row) for row in grid.rows)) for grid in self.grids))

    def each(self, change: Callable[[Grid], Grid]) -> "SeriesList":
        """Each grid changed."""
        return SeriesList(tuple(change(grid) for grid in self.grids))

    def statistic(self, reduce: Callable[[Values, int], Values]) -> Values:
        """One number for each series: its values reduced, float64[len(self)]."""
        if not self.grids:
            return np.empty(0)
        return np.concatenate([np.asarray(reduce(grid.values, 1), np.float64) for grid in self.grids])


def _same_line(one: Series, other: Series) -> bool:
    return one.start_s == other.start_s and one.step_s == other.step_s and len(one.values) == len(other.values)


def transformed(
    series: SeriesList,
    compute: Callable[[Grid], Values],
    name: Callable[[str], str],
    tags: Mapping[str, object] = {},
) -> SeriesList:
    """The series with new values and new names; what most functions do.

    Parameters
    ----------
    compute
        New values of a grid, in the same shape.
    name
        The new name made of the old one; it becomes the path too, as in Graphite.
    tags
        Marks that Graphite leaves in the tags, ``{"scale": 2.0}``.
    """
    return series.each(lambda grid: Grid(compute(grid), marked_rows(grid.rows, name, tags), grid.start_s, grid.step_s))


def marked_rows(rows: Iterable[Row], name: Callable[[str], str], tags: Mapping[str, object]) -> tuple[Row, ...]:
    """Rows under a new name and path, with marks among their tags."""
    marks = {key: str(value) for key, value in tags.items()}
    return tuple(row.marked(name(row.name), marks) for row in rows)


def paths_of(rows: Iterable[Row]) -> str:
    """The different path expressions of rows, in their order, as names of aggregates show them."""
    if isinstance(rows, Found):
        return rows.path if len(rows) else ""
    return ",".join(dict.fromkeys(row.path for row in rows))


def common_tags(rows: Sequence[Row]) -> dict[str, str]:
    """The tags that all rows share with the same value."""
    if isinstance(rows, Found) and len(rows) > 1 and rows.names[0] != rows.names[-1] and not rows.tagged:
        return {}
    shared = dict(rows[0].tags)
    for row in rows[1:]:
        if not shared:
            break
        shared = {key: value for key, value in shared.items() if row.tags.get(key) == value}
    return shared


def consolidations_of(rows: Sequence[Row]) -> set[str]:
    """The different ways in which slots of rows are joined."""
    return {rows.consolidation} if isinstance(rows, Found) else {row.consolidation for row in rows}


def first_share(rows: Sequence[Row]) -> float | None:
    """The xFilesFactor that setXFilesFactor() left on the first row that has one."""
    if isinstance(rows, Found):
        return None
    return next((row.x_files_factor for row in rows if row.x_files_factor is not None), None)
