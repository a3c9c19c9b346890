"""The rows behind a catalog: names taken apart into columns, and which series each of them leads to.

A row is a name that leads or led to a series. Rows and ids of series are numbered apart: a series that is renamed
leaves its row for another, and the id of one that was forgotten goes to a new name. Rows that lead nowhere have depth
0, which no pattern has; when they are more than half, the rows are made anew without them.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.components import LEVELS_MAX, deepest, split_names
from tallystick.kernels.names import NameTable
from tallystick.store.names.tags import TagIndex

Ids = NDArray[np.int32]

_ROWS_MAX = np.iinfo(np.int32).max


class Tables:
    """The interned texts of a generation of rows, and what was found out about them.

    Attributes
    ----------
    matched
        For each glob asked of late: uint8[components], whether it matches.
    rank : int32[rows]
        Position of the first rows in the order of names; may be shorter than there are rows.
    """

    def __init__(self) -> None:
        self.names = NameTable(_ROWS_MAX)
        self.components = NameTable(_ROWS_MAX)
        self.tags = TagIndex(self.names)
        self.matched: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self.rank = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class View:
    """What readers see: the first `count` rows, and the ids below `id_end`.

    Arrays have room for more. What lies behind `count` may change; what lies before it is replaced, never changed, but
    for the columns by id, which no row of an older view leads to.

    Parameters
    ----------
    columns : int32[levels, room]
        Component of each row at each level; -1 beyond its depth.
    depth : uint8[room]
        Levels of each row; 0 where it leads to no series.
    ids : int32[room]
        The series that each row leads to, or -1.
    rows : int32[id room]
        The row that leads, or led, to each series; -1 where that row is gone.
    kinds : uint8[id room]
    living : bool[id room]
        Whether there is such a series.
    series
        How many there are.
    """

    tables: Tables
    count: int
    columns: NDArray[np.int32]
    depth: NDArray[np.uint8]
    ids: Ids
    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    living: NDArray[np.bool_]
    id_end: int
    series: int

    @classmethod
    def empty(cls) -> "View":
        """No rows and no series."""
        columns, ids, rows = np.full((4, 64), -1, np.int32), np.full(64, -1, np.int32), np.full(64, -1, np.int32)
        return cls(
            Tables(),
            0,
            columns,
            np.zeros(64, np.uint8),
            ids,
            rows,
            np.zeros(64, np.uint8),
            np.zeros(64, np.bool_),
            0,
            0,
        )

    @property
    def leading(self) -> NDArray[np.intp]:
        """The rows that lead to a series, ascending."""
        return np.flatnonzero(self.depth[: self.count])

    def with_rows(self) -> "View":
        """The view with a row for each name of its tables; new ones lead to no series yet."""
        count = len(self.tables.names)
        if count == self.count:
            return self
        levels, room = self.columns.shape
        wide = _doubled(levels, deepest(self.tables.names.arrays, self.count, count))
        long = _doubled(room, count)
        view = self
        if (wide, long) != (levels, room):
            columns = np.full((wide, long), -1, np.int32)
            columns[:levels, : self.count] = self.columns[:, : self.count]
            depth, ids = _longer(self.depth, long, 0), _longer(self.ids, long, -1)
            view = replace(self, columns=columns, depth=depth, ids=ids)
        view._split(count)
        self.tables.tags.extend(self.count, count)
        return replace(view, count=count)

    def with_ids(self, id_end: int) -> "View":
        """The view with room for ids below `id_end`."""
        room = _doubled(len(self.rows), id_end)
        if room == len(self.rows):
            return replace(self, id_end=max(id_end, self.id_end))
        return replace(
            self,
            rows=_longer(self.rows, room, -1),
            kinds=_longer(self.kinds, room, 0),
            living=_longer(self.living, room, 0),
            id_end=max(id_end, self.id_end),
        )

    def led(self, rows: NDArray[np.int32], ids: Ids, seen: int) -> "View":
        """The view where `rows`, which lead nowhere, lead to the series `ids`; readers see the rows below `seen`."""
        view = self
        if len(rows) and int(rows.min()) < seen:
            view = replace(self, depth=self.depth.copy(), ids=self.ids.copy())
            view.depth[rows] = (view.columns[:, rows] >= 0).sum(axis=0)
        view.ids[rows] = ids
        view.rows[ids] = rows
        return view.counted(ids, living=True)

    def unled(self, ids: Ids) -> "View":
        """The view where no row leads to the living series `ids`; their numbers stay theirs."""
        view = replace(self, depth=self.depth.copy(), ids=self.ids.copy())
        view.depth[view.rows[ids]] = 0
        view.ids[view.rows[ids]] = -1
        return view.counted(ids, living=False)

    def counted(self, ids: Ids, *, living: bool) -> "View":
        """The view where `ids`, each once, are living series or not."""
        change = int((self.living[ids] != living).sum())
        self.living[ids] = living
        return replace(self, series=self.series + (change if living else -change))

    def _split(self, count: int) -> None:
        """Take the names of the rows from `count` of this view on apart."""
        names, components = self.tables.names, self.tables.components
        first = self.count
        while first < count:
            first = split_names(names.arrays, first, count, components.arrays, self.columns, self.depth)
            if first < count:
                components.reserve(LEVELS_MAX, 1 << 16)


def copied(view: View, rows: NDArray[np.intp]) -> View:
    """New tables with the names of some rows, in their order; they lead to no series yet."""
    fresh = View.empty()
    fresh.tables.names.intern_packed(view.tables.names.packed(rows))
    return fresh.with_rows()


def moved(view: View, fresh: View, rows: NDArray[np.intp]) -> View:
    """The rows of `fresh` leading where those of `view` do.

    Parameters
    ----------
    rows
        What `fresh` is a copy of; rows that lead somewhere only since then are added.
    """
    place = np.full(view.count, -1, np.intp)
    place[rows] = np.arange(len(rows))
    leading = view.leading
    late = leading[place[leading] < 0]
    place[late] = fresh.tables.names.intern_packed(view.tables.names.packed(late))
    fresh = fresh.with_rows().with_ids(view.id_end)
    ids = view.ids[leading]
    fresh.ids[place[leading]] = ids
    fresh.depth[: fresh.count][fresh.ids[: fresh.count] < 0] = 0
    fresh.rows[ids] = place[leading]
    fresh.kinds[: view.id_end] = view.kinds[: view.id_end]
    fresh.living[: view.id_end] = view.living[: view.id_end]
    return replace(fresh, id_end=view.id_end, series=view.series)


def _doubled(size: int, needed: int) -> int:
    """The first doubling of `size` that is at least `needed`."""
    while size < needed:
        size *= 2
    return size


def _longer(array: NDArray[Any], room: int, fill: int) -> NDArray[Any]:
    longer = np.full(room, fill, array.dtype)
    longer[: len(array)] = array[:room]
    return longer
