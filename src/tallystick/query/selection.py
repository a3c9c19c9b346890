"""`Selection`: the series of several paths, read together: at which step, from which statistic, in how many reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Found, Grid
from tallystick.model.kind import Kind
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.query.context import Context
from tallystick.query.plan import Wish
from tallystick.query.series import Series, SeriesList
from tallystick.query.session import Wanted

Values = NDArray[np.float64]
_PIECE_VALUES = 1 << 22
"""So many values are read at once: between pieces, some tens of milliseconds, it is asked whether to go on."""

_STATISTIC_CONSOLIDATIONS = {
    Statistic.SUM: "sum",
    Statistic.COUNT: "sum",
    Statistic.MIN: "min",
    Statistic.MAX: "max",
    Statistic.LAST: "last",
}
# Where joining the slots of a kind in this way is the same as asking the merged tally for a statistic, only better.
_MERGED = {
    (Kind.GAUGE, "average"): Statistic.AVG,
    (Kind.GAUGE, "min"): Statistic.MIN,
    (Kind.GAUGE, "max"): Statistic.MAX,
    (Kind.GAUGE, "last"): Statistic.LAST,
    (Kind.TIMING, "average"): Statistic.AVG,
    (Kind.TIMING, "min"): Statistic.MIN,
    (Kind.TIMING, "max"): Statistic.MAX,
    (Kind.COUNTER, "sum"): Statistic.SUM,
    (Kind.CUMULATIVE, "min"): Statistic.MIN,
    (Kind.CUMULATIVE, "max"): Statistic.MAX,
    (Kind.CUMULATIVE, "last"): Statistic.LAST,
}


class Selection:
    """The series of several paths in the range of a context.

    Parameters
    ----------
    wanted
        What is read of each series.
    paths
        Each with its series, by name.

    Attributes
    ----------
    sizes
        Of each path, how many series and values it has.

    Notes
    -----
    Series that are alike in step, kind and meaning of a joined slot are read at once, whichever path they belong to,
    each once. What a path gives is the same as if it were read alone.
    """

    def __init__(
        self, context: Context, wanted: Sequence[Wanted], paths: Sequence[tuple[Wish, NDArray[np.int32]]]
    ) -> None:
        self._context = context
        self._wanted = wanted
        self.paths = list(paths)
        self._ids = np.concatenate([np.empty(0, np.int32), *(ids for _, ids in self.paths)])
        self._begins = np.cumsum([0, *(len(ids) for _, ids in self.paths)])
        alike = self._alike()
        if len(alike) and (alike == alike[0]).all():
            distinct, self._which = alike[:1], np.zeros(len(alike), np.intp)
        else:
            distinct, which = np.unique(alike, axis=0, return_inverse=True)
            self._which = which.reshape(-1)
        self._lines = [_Line.of(context, _Alike.of(one), wanted) for one in distinct]
        self.sizes = self._sizes()

    def _sizes(self) -> list[tuple[int, int]]:
        """Of each path, how many series and values it has."""
        slots = np.array([line.slots for line in self._lines], np.int64)
        points = np.append(0, np.cumsum(slots[self._which])) * len(self._wanted)
        ends = points[self._begins]
        return [(len(ids), int(ends[k + 1] - ends[k])) for k, (_, ids) in enumerate(self.paths)]

    def read(self) -> Iterator[dict[Wanted, SeriesList]]:
        """What each path gives, once for each statistic.

        Raises
        ------
        LimitError, GoneError
            If it takes too long, or nobody waits for it.
        """
        self._context.session.hold(8 * sum(points for _, points in self.sizes))
        blocks = [self._read_line(k, line) for k, line in enumerate(self._lines)]
        for k, (wish, ids) in enumerate(self.paths):
            rows = slice(int(self._begins[k]), int(self._begins[k + 1]))
            yield self._of_path(wish, ids, self._which[rows], blocks)

    def _alike(self) -> NDArray[np.int64]:
        """Step, kind, and the statistic that a joined slot is, of each series of each path: int64[n, 3]."""
        context, ids = self._context, self._ids
        until_s = min(context.until_s, context.request.now_s)
        kinds = context.store.catalog.kinds(ids).astype(np.int64)
        steps = context.store.steps(ids, context.from_s - context.reach_s, until_s)
        coarsest = np.zeros(len(ids), np.int64)  # of the path that each belongs to
        for begin, end in zip(self._begins[:-1].tolist(), self._begins[1:].tolist(), strict=True):
            coarsest[begin:end] = steps[begin:end].max(initial=0)
        joined = np.empty(len(ids), np.int64)
        for step_s in set(coarsest.tolist()):
            mine = coarsest == step_s
            joined[mine] = context.store.defaults(ids[mine], 2 * step_s)  # what a slot is that holds several
        return np.stack([steps, kinds, joined], axis=1)

    def _read_line(self, k: int, line: "_Line") -> "_Block":
        ids = np.unique(self._ids[self._which == k])
        values: dict[Wanted, Values] = {}
        rows = max(1, _PIECE_VALUES // (line.slots * len(self._wanted)))
        for begin in range(0, len(ids), rows):
            self._context.session.check_time()
            piece = line.read(self._context, ids[begin : begin + rows], self._wanted)
            if len(ids) <= rows:
                values = piece
                break
            for one, read in piece.items():
                if one not in values:
                    values[one] = np.empty((len(ids), line.slots))
                values[one][begin : begin + rows] = read
        return _Block(ids, values)

    def _of_path(
        self, wish: Wish, ids: NDArray[np.int32], which: NDArray[np.intp], blocks: Sequence["_Block"]
    ) -> dict[Wanted, SeriesList]:
        """The series of one path."""
        if not len(ids):
            return {one: SeriesList() for one in self._wanted}
        if (which == which[0]).all():
            grids = self._grids(int(which[0]), wish, ids, blocks)
            return {one: SeriesList((grid,)) for one, grid in grids.items()}
        parts: list[tuple[NDArray[np.intp], dict[Wanted, Grid]]] = []
        for k in np.unique(which).tolist():
            members = np.flatnonzero(which == k)
            parts.append((members, self._grids(k, wish, ids[members], blocks)))
        return {one: _in_order([(members, grids[one]) for members, grids in parts], len(ids)) for one in self._wanted}

    def _grids(self, k: int, wish: Wish, ids: NDArray[np.int32], blocks: Sequence["_Block"]) -> dict[Wanted, Grid]:
        """Series of one time line."""
        line, context = self._lines[k], self._context
        names = context.store.catalog.names(ids)
        rows = blocks[k].rows(ids)
        return {
            one: Grid(
                values[rows],
                Found(names, wish.text, context.consolidation or line.alike.consolidation(one)),
                line.start_s,
                line.step_s,
            )
            for one, values in blocks[k].values.items()
        }


@dataclass(frozen=True, slots=True)
class _Block:
    """Series of one time line, of all paths.

    Parameters
    ----------
    ids : int32[n]
        Ascending, each once.
    values : dict of float64[n, m]
    """

    ids: NDArray[np.int32]
    values: dict[Wanted, Values]

    def rows(self, ids: NDArray[np.int32]) -> NDArray[np.intp] | slice:
        """Where some of the series are; as a slice, which copies nothing, if they follow each other."""
        rows = np.searchsorted(self.ids, ids)
        first = int(rows[0])
        return slice(first, first + len(rows)) if (np.diff(rows) == 1).all() else rows


@dataclass(frozen=True, slots=True)
class _Alike:
    """What series have in common that are read together: step, kind, and the statistic that a joined slot is."""

    step_s: int
    kind: Kind
    joined: Statistic

    @classmethod
    def of(cls, columns: NDArray[np.int64]) -> "_Alike":
        step_s, kind, joined = columns.tolist()
        return cls(step_s, Kind(kind), STATISTICS[joined])

    def consolidation(self, wanted: Wanted) -> str:
        """How slots of a statistic are joined."""
        if wanted is Statistic.DEFAULT:
            # Members that were there in several slots count once: of joined numbers the largest is nearest.
            wanted = Statistic.MAX if self.kind is Kind.SET else self.joined
        return _STATISTIC_CONSOLIDATIONS.get(wanted, "average") if isinstance(wanted, Statistic) else "average"


@dataclass(frozen=True, slots=True)
class _Line:
    """The slots at which series that are alike are read, and the statistic that stands for their own."""

    alike: _Alike
    start_s: int
    end_s: int
    step_s: int
    merged: Statistic | None

    @classmethod
    def of(cls, context: Context, alike: _Alike, wanted: Sequence[Wanted]) -> "_Line":
        step_s = alike.step_s
        until_s = min(context.until_s, context.request.now_s)
        coarser = context.slots_max is not None or context.step_s is not None
        merged = _MERGED.get((alike.kind, context.consolidation or "")) if coarser else None
        if coarser and _may_merge(context, alike, wanted):
            step_s = merged_step(context, until_s, step_s)
        return cls(alike, *slots_of(context.from_s, until_s, step_s), step_s, merged)

    @property
    def slots(self) -> int:
        return (self.end_s - self.start_s) // self.step_s

    def read(self, context: Context, ids: NDArray[np.int32], wanted: Sequence[Wanted]) -> dict[Wanted, Values]:
        """float64[n, slots] of each of `wanted` for series (ids ascending)."""
        statistics = {
            one: self.merged if one is Statistic.DEFAULT and self.merged else one
            for one in wanted
            if isinstance(one, Statistic)
        }
        ranks = [one for one in wanted if not isinstance(one, Statistic)]
        line = self.start_s, self.end_s, self.step_s
        read = context.store.read(ids, *line, tuple(set(statistics.values()))) if statistics else {}
        percentiles = context.store.percentiles(ids, *line, ranks) if ranks else {}
        return {one: read[statistics[one]] if isinstance(one, Statistic) else percentiles[one] for one in wanted}


def merged_step(context: Context, until_s: int, step_s: int) -> int:
    """The step to read at where slots of `step_s` are too short or too many: a multiple of it."""
    step_s *= -(-(context.step_s or 1) // step_s)
    if context.slots_max is None:
        return step_s
    start_s, end_s = slots_of(context.from_s, until_s, step_s)
    return step_s * max(1, -(-((end_s - start_s) // step_s) // context.slots_max))


def _may_merge(context: Context, alike: _Alike, wanted: Sequence[Wanted]) -> bool:
    """Whether merged tallies give what joining the slots as asked would give."""
    if context.consolidation is None:
        return True
    if context.wanted is None:
        return (alike.kind, context.consolidation) in _MERGED
    return all(alike.consolidation(one) == context.consolidation for one in wanted)


def slots_of(from_s: int, until_s: int, step_s: int) -> tuple[int, int]:
    """Start of the first slot and end of the last: from exclusive, until inclusive, at least one, as whisper has it."""
    start_s = from_s - from_s % step_s + step_s
    return start_s, max(until_s - until_s % step_s + step_s, start_s + step_s)


def _in_order(parts: Sequence[tuple[NDArray[np.intp], Grid]], count: int) -> SeriesList:
    """Grids of some positions each, put back into the order of the positions."""
    every: list[Series | None] = [None] * count
    for members, grid in parts:
        for position, one in zip(members.tolist(), SeriesList((grid,)), strict=True):
            every[position] = one
    return SeriesList.of(one for one in every if one is not None)
