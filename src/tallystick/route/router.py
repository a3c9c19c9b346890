"""`Router`: from entries of the name table to series, decided once for each new name."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.firsts import first_places
from tallystick.kernels.names import NameArrays, NameTable
from tallystick.kernels.packed import Names, pieces
from tallystick.kernels.routing import TAGS_MAX, look_up, write_normal
from tallystick.kernels.words import PADDING
from tallystick.ledger.attribution import Attribution
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.route.rules import Naming, Rule

EXAMPLES_MAX = 64
"""So many rejected names of one batch are given as examples."""

USELESS_ENTRIES_MIN = 4096
"""Fewer names that lead nowhere are not worth the work of being rid of them."""

_UNSEEN = -1000
_ANEW = -1001  # was decided, and is to be once more: its sender is no stranger
_LEVELS_ALIKE = Kind.GAUGE ^ Kind.CUMULATIVE

Rows = TypeVar("Rows", SampleBatch, TallyBatch)
"""What is routed: samples, and slots that senders tallied."""
Create = Callable[[Names, NDArray[np.uint8]], NDArray[np.int32]]
"""Makes series, as `tallystick.store.contract.Store.create`."""
Refuse = Callable[[Names], NDArray[np.uint8]]
"""A `Reason` for each name of a series that is not to be made; 0 for those that may be."""


@dataclass(frozen=True, slots=True)
class RouteRejects:
    """Samples that found no series.

    Parameters
    ----------
    counts : int64[len(Reason)]
        How many, by reason.
    examples
        Reason and name of the first of them, each pair once.
    rows : int64[k]
        Which rows of the batch they were, ascending.
    reasons : int64[k]
        The `Reason` of each.
    """

    counts: NDArray[np.int64]
    examples: list[tuple[Reason, bytes]]
    rows: NDArray[np.int64]
    reasons: NDArray[np.int64]

    @classmethod
    def none(cls) -> "RouteRejects":
        """Nothing was refused: always the same one."""
        return _NO_REJECTS

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.rows)


_NO_REJECTS = RouteRejects(np.zeros(len(Reason), np.int64), [], np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Routed(Generic[Rows]):
    """What became of a batch; its rows and the rejects together are the rows that came.

    Parameters
    ----------
    batch
        The rows that found a series, in their order, with series ids.
    entries : int32[n]
        The entry of each, by which it came.
    rejects
        The others.
    """

    batch: Rows
    entries: NDArray[np.int32]
    rejects: RouteRejects


class Router:
    """Routes batches by one array look-up a row.

    A name that is new is brought into its normal form (empty components dropped, tags sorted), goes through the rules,
    and becomes a series; what was decided holds until that series is forgotten.

    A level that is sent as a gauge by one and as cumulative by another is one series of the kind that was first:
    senders of Prometheus' and OpenTelemetry's sort learn the type of what they send later than its name, or never.

    Parameters
    ----------
    names
        The table that the batches' ids are entries of.
    create
        Makes series of canonical names; gives -1 for a name that has another kind.
    rules
        Applied to each new name, in order.

    Notes
    -----
    Threads: the caller holds ``names.lock`` during every call but `rebuild`.
    """

    def __init__(self, names: NameTable, create: Create, rules: Sequence[Rule] = ()) -> None:
        self._names = names
        self._create = create
        self._naming = Naming(rules)
        self._plain = not rules
        self._target = np.full(64, _UNSEEN, np.int32)  # series id, or the negative Reason why there is none
        self._kind = np.zeros(64, np.uint8)
        self.useless_min = USELESS_ENTRIES_MIN
        self._looked_at = 0  # size of the table when its worth was last looked at
        self._rebuilding = threading.Lock()
        self.attribution: Attribution | None = None  # told of names that rules rename, and of entries that move
        self.refuse: Refuse | None = None
        """Asked about each new name, as the rules leave it; who changes what it says calls `reopen`."""
        self._clashed = np.zeros(64, np.uint8)  # a bit for each kind that the name was sent with but does not have

    def route(self, batch: Rows) -> Routed[Rows]:
        """Give each row its series id, and take out those that have none."""
        self._grow()
        ids = np.empty(len(batch), np.int32)
        missing, other = self._look_up(batch, ids)
        while missing and self._decide(batch, ids):
            missing, other = self._look_up(batch, ids)
        if other:
            batch = replace(batch, kind=np.where(batch.kind >= GAUGE_DELTA, batch.kind, self._kind[batch.ids]))
        if not missing:
            return Routed(batch.with_ids(ids), batch.ids, RouteRejects.none())
        found = batch.take(ids >= 0)
        return Routed(found.with_ids(ids[ids >= 0]), found.ids, self._rejects(batch.ids, np.flatnonzero(ids < 0)))

    def know(self, entries: NDArray[np.int32], series: NDArray[np.int32], kinds: NDArray[np.uint8]) -> None:
        """Decide about names that are those of series as they stand, unless there are rules to ask first."""
        if self._plain:
            self._grow()
            self._target[entries], self._kind[entries] = series, kinds

    def forget(self, series: NDArray[np.int32]) -> None:
        """Decide anew about all names that led to these series, and about those whose kind a series had taken."""
        self._grow()
        gone = np.zeros(int(series.max(initial=-1)) + 1, np.bool_)
        gone[series] = True
        led = np.flatnonzero((self._target >= 0) & (self._target < len(gone)))
        open_ = np.concatenate([led[gone[self._target[led]]], np.flatnonzero(self._target == -int(Reason.KIND))])
        self._target[open_], self._clashed[open_] = _UNSEEN, 0
        self._looked_at = 0

    def redecide(self) -> None:
        """Decide anew about all names when they come again: what says what becomes of them has changed.

        Costs nothing now, and then what a new name costs; names stay known, so that nobody is throttled for them.
        """
        self._grow()
        count = len(self._names)
        self._target[:count][self._target[:count] != _UNSEEN] = _ANEW
        self._clashed[:count] = 0

    def reopen(self, reason: Reason) -> None:
        """Decide anew about names that were refused for a reason, when they come again."""
        self._target[self._target == -int(reason)] = _UNSEEN

    @property
    def wasteful(self) -> bool:
        """Whether most entries of the table lead to no series, and many: `rebuild` would be worth its while.

        Looked at when names were forgotten, and when the table has doubled or is full.
        """
        count, full = len(self._names), len(self._names) >= self._names.entries_max
        if count <= self._looked_at or (count < 2 * self._looked_at and not full):
            return False
        self._grow()
        useful = int(np.count_nonzero(_worth_keeping(self._target[:count])))
        self._looked_at = count
        return count - useful > max(useful, self.useless_min)

    def rebuild(self) -> None:
        """Make the table of names anew with those only that lead to series; entries of before mean nothing then.

        What takes long is done before the lock is taken: senders do not notice.
        """
        with self._rebuilding:
            self._rebuild(self._names)

    def _rebuild(self, names: NameTable) -> None:
        with names.lock:
            self._grow()
            kept = np.flatnonzero(_worth_keeping(self._target[: len(names)]))
        fresh = NameTable(names.entries_max)
        fresh.intern_packed(names.packed(kept))
        with names.lock:
            self._grow()
            count = len(names)
            place = np.full(count, -1, np.intp)
            place[kept] = np.arange(len(kept))
            leading = _worth_keeping(self._target[:count])
            late = np.flatnonzero(leading & (place < 0))
            place[late] = fresh.intern_packed(names.packed(late))
            moved = np.flatnonzero(place >= 0)
            columns = self._target, self._kind, self._clashed
            self._target, self._kind, self._clashed = (_moved(column, moved, place, len(fresh)) for column in columns)
            if self.attribution is not None:
                self.attribution.moved(moved, place[moved], len(fresh))
            names.become(fresh)
            self._looked_at = len(fresh)

    def _look_up(self, batch: Rows, out: NDArray[np.int32]) -> tuple[int, int]:
        return look_up(batch.ids, batch.kind, self._target, self._kind, GAUGE_DELTA, _LEVELS_ALIKE, out)

    def _decide(self, batch: Rows, ids: NDArray[np.int32]) -> bool:
        """Decide about names that are new, or new with their kind; returns whether there were any."""
        rows = np.flatnonzero(ids < 0)
        entries, kinds = batch.ids[rows], batch.kind[rows] & np.uint8(~GAUGE_DELTA & 0xFF)
        target = self._target[entries]
        untried = (self._clashed[entries] >> kinds) & 1 == 0
        open_ = (target <= _UNSEEN) | ((target == -Reason.KIND) & untried)
        if not open_.any():
            return False
        # In the order of arrival, so that series that are sent together lie together.
        first = first_places(entries, open_, len(self._names))
        self._make(entries[first], kinds[first])
        return True

    def _make(self, entries: NDArray[np.int32], kinds: NDArray[np.uint8]) -> None:
        names, usable = self._normal(entries)
        self._kind[entries] = kinds
        if not usable.all():
            entries, kinds = entries[usable], kinds[usable]
        if len(entries) == 0:
            return
        if self.attribution is not None and not self._plain:
            self.attribution.rename(entries, names)
        series = self._create(names, kinds)
        clash = series < 0
        levels = np.flatnonzero(clash & ((kinds & ~np.uint8(_LEVELS_ALIKE)) == Kind.GAUGE))
        if len(levels):
            others = kinds[levels] ^ np.uint8(_LEVELS_ALIKE)
            series[levels] = self._create(Names.of([names[k] for k in levels.tolist()]), others)
            self._kind[entries[levels]] = others
            clash = series < 0
        self._target[entries] = np.where(clash, -int(Reason.KIND), series)
        self._clashed[entries[clash]] |= np.uint8(1) << kinds[clash]

    def _normal(self, entries: NDArray[np.int32]) -> tuple[Names, NDArray[np.bool_]]:
        """The series' names of the entries that have one, and which those are; the others' reasons are noted."""
        if self._plain:
            names, faults = in_normal_form(self._names.arrays, entries)
        else:
            named = [self._naming.name(sent) for sent in self._names.packed(entries)]
            names = Names.of([name for name in named if isinstance(name, str)])
            faults = np.array([name if isinstance(name, Reason) else Reason.NONE for name in named], np.uint8)
        usable = faults == Reason.NONE
        if self.refuse is not None and len(names):
            refused = self.refuse(names)
            if refused.any():
                faults[np.flatnonzero(usable)] = refused
                free = np.flatnonzero(refused == 0)
                names = pieces(names.arena, names.offsets[free], names.offsets[free + 1])
                usable = faults == Reason.NONE
        self._target[entries[~usable]] = -faults[~usable].astype(np.int32)
        return names, usable

    def _rejects(self, ids: NDArray[np.int32], rows: NDArray[np.int64]) -> RouteRejects:
        entries = ids[rows]
        target = self._target[entries]
        reasons = np.where(target < 0, -target, int(Reason.KIND))
        counts = np.bincount(reasons, minlength=len(Reason)).astype(np.int64)
        pairs = np.unique(np.stack([entries, reasons]), axis=1)[:, :EXAMPLES_MAX]
        examples = [(Reason(reason), self._names.name(entry)) for entry, reason in pairs.T.tolist()]
        return RouteRejects(counts, examples, rows, reasons.astype(np.int64))

    def _grow(self) -> None:
        room, needed = len(self._target), len(self._names)
        if needed <= room:
            return
        more = max(2 * room, needed) - room
        self._target = np.concatenate([self._target, np.full(more, _UNSEEN, np.int32)])
        self._kind = np.concatenate([self._kind, np.zeros(more, np.uint8)])
        self._clashed = np.concatenate([self._clashed, np.zeros(more, np.uint8)])


def _worth_keeping(target: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which entries lead to a series, or may when they are decided about anew."""
    worth: NDArray[np.bool_] = (target >= 0) | (target == _ANEW)
    return worth


def _moved(column: NDArray[Any], entries: NDArray[np.intp], place: NDArray[np.intp], count: int) -> NDArray[Any]:
    moved = np.zeros(count, column.dtype)
    moved[place[entries]] = column[entries]
    return moved


def in_normal_form(table: NameArrays, entries: NDArray[np.int32]) -> tuple[Names, NDArray[np.uint8]]:
    """The normal forms of those entries that have one, and a `Reason` for each entry."""
    room = int((table.offsets[entries + 1] - table.offsets[entries]).sum()) + PADDING
    out, ends = np.zeros(room, np.uint8), np.empty(len(entries) + 1, np.int64)
    tags, faults = np.empty((TAGS_MAX, 3), np.int64), np.empty(len(entries), np.uint8)
    written = write_normal(table.arena, table.offsets, entries, tags, out, ends, faults)
    return Names(out[: ends[written] + PADDING], ends[: written + 1]), faults
