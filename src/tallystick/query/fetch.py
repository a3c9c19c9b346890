"""Reading series from the store: ranges, resolutions, and which statistic is a series' value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Grid, Row
from tallystick.model.kind import Kind
from tallystick.model.name import tags_of
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.query.context import Context, Wanted
from tallystick.query.series import Series, SeriesList

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


def fetch_path(context: Context, pattern: str) -> SeriesList:
    """The series that a glob matches, by name.

    Raises
    ------
    QueryError
        If the glob cannot be read.
    LimitError
        If the request has then read more than a limit allows.
    """
    return _fetch(context, pattern, lambda: context.store.catalog.find(pattern))


def fetch_tagged(context: Context, expressions: Sequence[str], text: str) -> SeriesList:
    """The series that tag expressions select, by name; `text` is the call that stands for them in names.

    Raises
    ------
    QueryError
        If an expression cannot be read.
    LimitError
        If the request has then read more than a limit allows.
    """
    return _fetch(context, text, lambda: context.store.catalog.tagged(expressions))


def _fetch(context: Context, path: str, find: Callable[[], NDArray[np.int32]]) -> SeriesList:
    if context.from_s > context.request.now_s:
        return SeriesList()
    session = context.session
    wanted: Wanted = Statistic.DEFAULT if context.wanted is None else context.wanted
    lines = (context.from_s, context.until_s, context.slots_max, context.step_s, context.reach_s)
    key = (path, *lines, context.consolidation)
    if (*key, wanted) not in session.fetched:
        every = session.statistics if wanted in session.statistics else (wanted,)
        session.ids[path] = find()
        for one, found in _read(context, path, session.ids[path], every).items():
            session.fetched[(*key, one)] = found
    return session.fetched[(*key, wanted)]


def _read(context: Context, path: str, ids: NDArray[np.int32], wanted: Sequence[Wanted]) -> dict[Wanted, SeriesList]:
    """The series `ids` in the range of `context`, once for each of `wanted`."""
    if not len(ids):
        return {one: SeriesList() for one in wanted}
    kinds = context.store.catalog.kinds(ids).astype(np.int64)
    steps = context.store.steps(ids, context.from_s - context.reach_s, min(context.until_s, context.request.now_s))
    joined = context.store.defaults(ids, 2 * int(steps.max()))  # what a slot is that holds several
    alike = np.stack([steps, kinds, joined], axis=1)
    if (alike == alike[0]).all():
        grids = _read_alike(context, path, ids, _Alike.of(alike[0]), wanted)
        return {one: SeriesList((grid,)) for one, grid in grids.items()}
    parts: list[tuple[NDArray[np.intp], dict[Wanted, Grid]]] = []
    for some in np.unique(alike, axis=0):
        members = np.flatnonzero((alike == some).all(axis=1))
        parts.append((members, _read_alike(context, path, ids[members], _Alike.of(some), wanted)))
    return {one: _in_order([(members, grids[one]) for members, grids in parts], len(ids)) for one in wanted}


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


def _read_alike(
    context: Context, path: str, ids: NDArray[np.int32], alike: _Alike, wanted: Sequence[Wanted]
) -> dict[Wanted, Grid]:
    """Series that have all that in common."""
    step_s, kind = alike.step_s, alike.kind
    until_s = min(context.until_s, context.request.now_s)
    coarser = context.slots_max is not None or context.step_s is not None
    merged = _MERGED.get((kind, context.consolidation or "")) if coarser else None
    if coarser and _may_merge(context, alike, wanted):
        step_s = _merged_step(context, until_s, step_s)
    start_s, end_s = _slots(context.from_s, until_s, step_s)
    context.session.charge(len(ids), len(ids) * ((end_s - start_s) // step_s) * len(wanted))
    statistics = {
        one: merged if one is Statistic.DEFAULT and merged else one for one in wanted if isinstance(one, Statistic)
    }
    ranks = [one for one in wanted if not isinstance(one, Statistic)]
    read = context.store.read(ids, start_s, end_s, step_s, tuple(set(statistics.values()))) if statistics else {}
    percentiles = context.store.percentiles(ids, start_s, end_s, step_s, ranks) if ranks else {}
    names = context.store.catalog.names(ids)
    return {
        one: Grid(
            read[statistics[one]] if isinstance(one, Statistic) else percentiles[one],
            _rows(names, path, context.consolidation or alike.consolidation(one)),
            start_s,
            step_s,
        )
        for one in wanted
    }


def _merged_step(context: Context, until_s: int, step_s: int) -> int:
    """The step to read at where slots of `step_s` are too short or too many: a multiple of it."""
    step_s *= -(-(context.step_s or 1) // step_s)
    if context.slots_max is None:
        return step_s
    start_s, end_s = _slots(context.from_s, until_s, step_s)
    return step_s * max(1, -(-((end_s - start_s) // step_s) // context.slots_max))


def _may_merge(context: Context, alike: _Alike, wanted: Sequence[Wanted]) -> bool:
    """Whether merged tallies give what joining the slots as asked would give."""
    if context.consolidation is None:
        return True
    if context.wanted is None:
        return (alike.kind, context.consolidation) in _MERGED
    return all(alike.consolidation(one) == context.consolidation for one in wanted)


def _slots(from_s: int, until_s: int, step_s: int) -> tuple[int, int]:
    """Start of the first slot and end of the last: from exclusive, until inclusive, at least one, as whisper has it."""
    start_s = from_s - from_s % step_s + step_s
    return start_s, max(until_s - until_s % step_s + step_s, start_s + step_s)


def _rows(names: Sequence[str], path: str, consolidation: str) -> tuple[Row, ...]:
    return tuple(Row(name, path, tags_of(name), consolidation) for name in names)


def _in_order(parts: Sequence[tuple[NDArray[np.intp], Grid]], count: int) -> SeriesList:
    """Grids of some positions each, put back into the order of the positions."""
    every: list[Series | None] = [None] * count
    for members, grid in parts:
        for position, one in zip(members.tolist(), SeriesList((grid,)), strict=True):
            every[position] = one
    return SeriesList.of(one for one in every if one is not None)
