"""`Router`: from entries of the name table to series, decided once for each new name."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tallystick.config.rules import Rule
from tallystick.kernels.firsts import first_places
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import Names, pieces
from tallystick.ledger.attribution import Attribution, Senders
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA
from tallystick.native.names import Place
from tallystick.route.decisions import LEVELS_ALIKE, Decisions
from tallystick.route.facts import Facts
from tallystick.route.further import AS_SENT, Further, Multiplied
from tallystick.route.naming import Naming
from tallystick.route.normal import in_normal_form
from tallystick.route.own import MADE, is_own, made_name, shown, sort_of
from tallystick.route.routed import Routed, RouteRejects, Rows
from tallystick.route.variants import Describe, Variants

EXAMPLES_MAX = 64
"""So many rejected names of one batch are given as examples."""

USELESS_ENTRIES_MIN = 4096
"""Fewer names that lead nowhere are not worth the work of being rid of them."""

_NOBODY = Facts()

Create = Callable[[Names, NDArray[np.uint8]], NDArray[np.int32]]
"""Makes series, as `tallystick.store.contract.Store.create`."""
Refuse = Callable[[Names], NDArray[np.uint8]]
"""A `Reason` for each name of a series that is not to be made; 0 for those that may be."""


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
        Applied to each new name, in order; see `Naming`.
    place
        Where this process is, for the rules.

    Notes
    -----
    Threads: the caller holds ``names.lock`` during every call but `rebuild`.
    """

    def __init__(
        self, names: NameTable, create: Create, rules: Sequence[Rule] = (), place: Place | None = None
    ) -> None:
        self._names = names
        self._create = create
        self._place = place
        self.naming = Naming(rules, place)
        """What decides about names."""
        self._decisions = Decisions()
        self.useless_min = USELESS_ENTRIES_MIN
        self._looked_at = 0  # size of the table when its worth was last looked at
        self._rebuilding = threading.Lock()
        self.attribution: Attribution | None = None  # told of names that rules rename, and of entries that move
        self.refuse: Refuse | None = None
        """Asked about each new name, as the rules leave it; who changes what it says calls `reopen`."""
        self._variants = Variants(names, self._adopt)
        self._further = Further()

    @property
    def multiplies(self) -> bool:
        """Whether rules make several names of some: then `settle` and `multiplied` are to be asked for each batch."""
        return self.naming.multiplies

    @property
    def watchful(self) -> bool:
        """Whether `discern` has anything to do."""
        return self._decisions.has_own or self.naming.discerns

    def problems(self) -> list[str]:
        """What the rules cannot do as they are asked, a sentence each."""
        if not self.naming.asks_source:
            return []
        return [
            f"rules ask which host sends by {source}, and more do than are told apart, which are 'other' in names; "
            "expected a greater ledger.peers_max, or hosts that stand in names"
            for source in sorted(self._variants.lumped)
        ]

    def told_by(self, describe: Describe) -> None:
        """Say who knows whom accounts are of."""
        self._variants.describe = describe

    def forget_senders(self) -> None:
        """Numbers of accounts mean others from now on."""
        self._variants.forget_senders()

    def discern(
        self, ids: NDArray[np.int32], kinds: NDArray[np.uint8], senders: Senders
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8] | None]:
        """The entries by which rows are to be routed, where rules ask who sent them or of what kind they are.

        Returns
        -------
        int32[n], uint8[n] or None
            Entries; and a `Reason` for each row where some cannot be routed. Their entries are as they came.
        """
        self._grow()
        refused = None
        if self._decisions.has_own:
            refused = np.where(self._decisions.are_own(ids), np.uint8(Reason.NAME_BYTES), np.uint8(0))
        if self.naming.discerns:
            found = self._variants.find(self.naming, ids, kinds, senders)
            lost = found < 0
            if lost.any():
                refused = np.zeros(len(ids), np.uint8) if refused is None else refused
                refused[lost & (refused == 0)] = Reason.SERIES_LIMIT
            ids = np.where(lost, ids, found)
        return ids, (refused if refused is not None and refused.any() else None)

    def settle(self, batch: Rows) -> None:
        """Decide about the names of a batch that are new."""
        self._settled(batch)

    def multiplied(self, entries: NDArray[np.int32]) -> Multiplied:
        """What the rules make of rows with these entries, which are settled, beside themselves."""
        return self._further.of(entries)

    def series_names(self, sent: str, kind: Kind | None = None) -> list[str]:
        """The names of all series that a name becomes, whoever sends it; none where it is refused."""
        naming = self.naming
        if not naming.steps:
            return [sent]
        decision = naming.decide(sent, Facts(kind=kind))
        further = [name for name, _ in decision.further]
        return further if isinstance(decision.name, Reason) else [decision.name, *further]

    def recall(self, names: Sequence[bytes]) -> NDArray[np.int32]:
        """The entries of names that were routed before the table was made anew; -1 for which it has no place."""
        entries = self._names.intern_many(names)
        ours = np.array([is_own(name) for name in names], np.bool_) & (entries >= 0)
        self._own_from(entries[ours])
        return entries

    def follow(self, rules: Sequence[Rule]) -> None:
        """Have other rules from now on: every name is decided about anew when it comes again.

        Raises
        ------
        ValueError
            If a file that a rule names cannot be read; the rules stay as they were.
        """
        naming = Naming(rules, self._place)
        with self._names.lock:
            self.naming = naming
            self.redecide()

    def route(self, batch: Rows) -> Routed[Rows]:
        """Give each row its series id, and take out those that have none."""
        ids, missing, other = self._settled(batch)
        if other:
            of_series = self._decisions.kinds(batch.ids)
            batch = replace(batch, kind=np.where(batch.kind >= GAUGE_DELTA, batch.kind, of_series))
        if not missing:
            return Routed(batch.with_ids(ids), batch.ids, RouteRejects.none())
        found = batch.take(ids >= 0)
        return Routed(found.with_ids(ids[ids >= 0]), found.ids, self._rejects(batch.ids, np.flatnonzero(ids < 0)))

    def know(self, entries: NDArray[np.int32], series: NDArray[np.int32], kinds: NDArray[np.uint8]) -> None:
        """Decide about names that are those of series as they stand, unless there are rules to ask first."""
        if self._is_plain:
            self._grow()
            self._decisions.lead(entries, series, kinds)

    def forget(self, series: NDArray[np.int32]) -> None:
        """Decide anew about all names that led to these series, and about those whose kind a series had taken."""
        self._grow()
        self._decisions.forget(series)
        self._looked_at = 0

    def redecide(self) -> None:
        """Decide anew about all names when they come again: what says what becomes of them has changed.

        Costs nothing now, and then what a new name costs; names stay known, so that nobody is throttled for them.
        """
        self._grow()
        self._decisions.reopen_all(self._worth_keeping(len(self._names)))
        self._further.clear()
        self._variants.forget()

    def hold(self, entries: NDArray[np.integer]) -> None:
        """Keep names that lead to no series when the table is made anew: they come again, and go elsewhere."""
        self._grow()
        self._decisions.hold(entries)

    def reopen(self, reason: Reason) -> None:
        """Decide anew about names that were refused for a reason, when they come again."""
        self._decisions.reopen(reason)

    @property
    def wasteful(self) -> bool:
        """Whether most entries of the table lead to no series, and many: `rebuild` would be worth its while.

        Looked at when names were forgotten, and when the table has doubled or is full.
        """
        count, full = len(self._names), len(self._names) >= self._names.entries_max
        if count <= self._looked_at or (count < 2 * self._looked_at and not full):
            return False
        self._grow()
        useful = int(np.count_nonzero(self._worth_keeping(count)))
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
            kept = np.flatnonzero(self._worth_keeping(len(names)))
        fresh = NameTable(names.entries_max)
        fresh.intern_packed(names.packed(kept))
        with names.lock:
            self._grow()
            count = len(names)
            place = np.full(count, -1, np.intp)
            place[kept] = np.arange(len(kept))
            leading = self._worth_keeping(count)
            late = np.flatnonzero(leading & (place < 0))
            place[late] = fresh.intern_packed(names.packed(late))
            moved = np.flatnonzero(place >= 0)
            self._decisions.moved(moved, place, len(fresh))
            self._further.moved(moved, place, len(fresh))
            self._decisions.reopen_known(self._further.lacking(len(fresh)))
            self._variants.forget_entries()
            if self.attribution is not None:
                self.attribution.moved(moved, place[moved], len(fresh))
            names.become(fresh)
            self._looked_at = len(fresh)

    def _settled(self, batch: Rows) -> tuple[NDArray[np.int32], int, int]:
        """The series of each row, -1 where there is none; how many these are, and how many have their series' kind."""
        self._grow()
        ids = np.empty(len(batch), np.int32)
        missing, other = self._decisions.look_up(batch, ids)
        while missing and self._decide(batch, ids):
            missing, other = self._decisions.look_up(batch, ids)
        return ids, missing, other

    def _decide(self, batch: Rows, ids: NDArray[np.int32]) -> bool:
        """Decide about names that are new, or new with their kind; returns whether there were any."""
        rows = np.flatnonzero(ids < 0)
        entries, kinds = batch.ids[rows], batch.kind[rows] & np.uint8(~GAUGE_DELTA & 0xFF)
        open_ = self._decisions.are_open(entries, kinds)
        if not open_.any():
            return False
        # In the order of arrival, so that series that are sent together lie together.
        first = first_places(entries, open_, len(self._names))
        self._make(entries[first], kinds[first])
        return True

    def _make(self, entries: NDArray[np.int32], kinds: NDArray[np.uint8]) -> None:
        names, usable = self._normal(entries)
        if not usable.all():
            entries, kinds = entries[usable], kinds[usable]
        if len(entries) == 0:
            return
        if self.attribution is not None and not self._is_plain:
            self.attribution.rename(entries, names)
        series = self._create(names, kinds)
        of_series, lost = kinds.copy(), series < 0
        levels = np.flatnonzero(lost & ((kinds & ~np.uint8(LEVELS_ALIKE)) == Kind.GAUGE))
        if len(levels):
            of_series[levels] ^= np.uint8(LEVELS_ALIKE)
            series[levels] = self._create(Names.of([names[k] for k in levels.tolist()]), of_series[levels])
            lost = series < 0
        self._decisions.lead(entries, series, of_series)
        self._decisions.clash(entries[lost], kinds[lost])

    def _normal(self, entries: NDArray[np.int32]) -> tuple[Names, NDArray[np.bool_]]:
        """The series' names of the entries that have one, and which those are; the others' reasons are noted."""
        if self._is_plain:
            names, faults = in_normal_form(self._names.arrays, entries)
        else:
            names, faults = self._named_by_rules(entries)
        usable = faults == Reason.NONE
        if self.refuse is not None and len(names):
            refused = self.refuse(names)
            if refused.any():
                faults[np.flatnonzero(usable)] = refused
                free = np.flatnonzero(refused == 0)
                names = pieces(names.arena, names.offsets[free], names.offsets[free + 1])
                usable = faults == Reason.NONE
        self._decisions.refuse(entries[~usable], faults[~usable])
        return names, usable

    @property
    def _is_plain(self) -> bool:
        """Whether names are those of series as they stand."""
        return not self.naming.steps and not self._decisions.has_own

    def _named_by_rules(self, entries: NDArray[np.int32]) -> tuple[Names, NDArray[np.uint8]]:
        """As `in_normal_form`, by the rules; what they multiply is noted."""
        names: list[str] = []
        faults = np.zeros(len(entries), np.uint8)
        further: dict[int, tuple[tuple[str, bool], ...]] = {}
        sent = self._names.names(entries)
        for k, (entry, own) in enumerate(zip(sent, self._decisions.are_own(entries).tolist(), strict=True)):
            text = shown(entry).decode() if own else entry.decode()
            if own and entry.startswith(MADE):
                names.append(text)
                continue
            decision = self.naming.decide(text, self._variants.facts(sort_of(entry)) if own else _NOBODY)
            if isinstance(decision.name, Reason):
                faults[k] = decision.name
            else:
                names.append(decision.name)
            if decision.further:
                further[int(entries[k])] = decision.further
        if further:
            self._multiply(further)
        return Names.of(names), faults

    def _multiply(self, further: dict[int, tuple[tuple[str, bool], ...]]) -> None:
        """Note the names that samples of some entries get as well."""
        made = [one for several in further.values() for one in several]
        texts = [name for name, _ in made]
        entries = self._adopted([made_name(name) for name in texts])
        if self.attribution is not None:
            placed = np.flatnonzero(entries >= 0)
            self.attribution.rename(entries[placed], Names.of([texts[k] for k in placed.tolist()]))
        kinds = np.array([Kind.TIMING if ranked else AS_SENT for _, ranked in made], np.uint8)
        at = 0
        for entry, several in further.items():
            end = at + len(several)
            self._further.set(entry, entries[at:end], kinds[at:end])
            at = end

    def _adopt(self, bases: NDArray[np.int32], names: list[bytes]) -> NDArray[np.int32]:
        """Entries of ours for names that were sent; the ledger counts them where it counts those."""
        entries = self._adopted(names)
        if self.attribution is not None:
            placed = np.flatnonzero(entries >= 0)
            self.attribution.rename(entries[placed], self._names.packed(bases[placed]))
        return entries

    def _adopted(self, names: list[bytes]) -> NDArray[np.int32]:
        entries = self._names.intern_many(names)
        self._own_from(entries[entries >= 0])
        return entries

    def _own_from(self, entries: NDArray[np.int32]) -> None:
        """Call entries ours; what was decided about them while they were not is forgotten."""
        self._grow()
        self._decisions.make_own(entries)

    def _worth_keeping(self, count: int) -> NDArray[np.bool_]:
        """Which of the first entries lead to a series, or will when they are decided about; bool[count]."""
        worth = self._decisions.worth_keeping(count)
        if self._decisions.has_own:
            worth |= self._further.having(count)
            bases, variants = self._variants.bases()
            worth[bases[worth[variants]]] = True
            made = self._further.of(np.flatnonzero(worth)).entries
            worth[made[made >= 0]] = True
        return worth

    def _rejects(self, ids: NDArray[np.int32], rows: NDArray[np.int64]) -> RouteRejects:
        entries = ids[rows]
        reasons = self._decisions.reasons(entries)
        counts = np.bincount(reasons, minlength=len(Reason)).astype(np.int64)
        pairs = np.unique(np.stack([entries, reasons]), axis=1)[:, :EXAMPLES_MAX]
        examples = [(Reason(reason), shown(self._names.name(entry))) for entry, reason in pairs.T.tolist()]
        return RouteRejects(counts, examples, rows, reasons.astype(np.int64))

    def _grow(self) -> None:
        self._decisions.grow(len(self._names))
        self._further.grow(self._decisions.room)
