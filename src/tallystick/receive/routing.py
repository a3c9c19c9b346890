"""`Routing`: from what a parser read to the series that it belongs to, with the account of what is not taken.

Whoever calls it holds the lock of the table of names, from the parser on: entries mean nothing after a rebuild.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tallystick.blocks import BlockList
from tallystick.census import Census
from tallystick.fold.usable import usable_statistics
from tallystick.kernels.extent import extent
from tallystick.kernels.packed import Names
from tallystick.ledger import Ledger
from tallystick.ledger.attribution import Attribution, Senders
from tallystick.ledger.book import Shares
from tallystick.model.clock import Clock
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.parse import NameTable, Parsed
from tallystick.receive.arrival import Arrival, Attributed, Load
from tallystick.receive.blocking import Blocking
from tallystick.receive.multiplying import multiply
from tallystick.receive.offenders import note_rows, note_unrouted
from tallystick.receive.pace import Pace
from tallystick.relay import Relaying
from tallystick.route import Router, Rows
from tallystick.store.contract import Store

_NO_TALLIES = TallyBatch.empty()
_NOBODY = Shares(np.empty(0, np.int32), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What times are taken.

    Parameters
    ----------
    future_s
        Samples further ahead of the clock are rejected.
    past_s
        Older samples are rejected: no resolution is kept that long.
    step_s
        Of the finest slots: samples from before the slot that precedes the present one are late.
    """

    future_s: int
    past_s: int
    step_s: int = 10


class Routing:
    """Finds series.

    Parameters
    ----------
    store
        Is asked which numbered batches it has.
    blocks
        What is not taken.
    pace
        How fast hosts may send.
    census
        Says which new names are too many, and is told who sends what.
    relaying
        Hands samples on to other servers.
    """

    def __init__(
        self,
        names: NameTable,
        router: Router,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        limits: IntakeLimits,
        blocks: BlockList,
        pace: Pace,
        census: Census | None = None,
        relaying: Relaying | None = None,
    ) -> None:
        self._names = names
        self._router = router
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._limits = limits
        self.blocking = Blocking(blocks, ledger.book, store, lambda: router.reopen(Reason.BLOCKED))
        self._pace = pace
        self._census = census
        self._relaying = relaying
        if relaying is not None:
            relaying.hold = router.hold
        self._own = False  # whether what is on its way is made by this process
        router.refuse = self._refuse_new
        self._attribution = router.attribution = Attribution(ledger.book, names)
        router.told_by(self._describe)
        self._turns = ledger.turns

    def make_room(self) -> None:
        """Have those who fell silent give way in the ledger; called now and then."""
        place = self._ledger.make_room()
        if place is not None:
            self._attribution.renumber(place)
        if self._turns != self._ledger.turns:
            self._turns = self._ledger.turns
            self._router.forget_senders()

    def of_parsed(self, parsed: Parsed, arrival: Arrival) -> Load:
        """Find the series of what a parser read, but for tallied slots that are unusable or here already."""
        samples = self._route(parsed.batch, arrival.samples, arrival)
        tallies = parsed.tallies if parsed.tallies is not None else _NO_TALLIES
        refused = np.zeros(len(tallies), np.uint8)
        if len(tallies):
            refused[~usable_statistics(tallies, tallies.kind)] = Reason.VALUE
        numbered, generated, blocked = parsed.numbered, 0, 0
        if numbered is not None:
            taken = self._store.last_number(numbered.sender)  # who numbers batches sends them to one thread
            refused[: numbered.rows_up_to(taken, len(tallies))] = Reason.DUPLICATE
            generated, blocked = numbered.generated_after(taken), numbered.blocked_after(taken)
        routed = self._route(tallies, arrival.tallies, arrival, refused)
        last = numbered.last if numbered is not None else None
        return Load(samples, routed, self._router.wasteful, last, generated, blocked)

    def of_samples(self, samples: SampleBatch, arrival: Arrival, *, own: bool = False) -> Load:
        """Find the series of samples whose ids are entries of the table; our `own` are never too many."""
        routed = self._route(samples, arrival.samples, arrival, own=own)
        return Load(routed, self._route(_NO_TALLIES, arrival.tallies, arrival), wasteful=False)

    def again(self, load: Load, forgotten: Sequence[int], arrival: Arrival) -> Load:
        """Find all series once more: some of them were forgotten on the way, and nothing was stored."""
        self._router.forget(np.array(forgotten, np.int32))
        samples, tallies = self._anew(load.samples, arrival), self._anew(load.tallies, arrival)
        return replace(load, samples=samples, tallies=tallies)

    def _route(
        self,
        batch: Rows,
        senders: Senders,
        arrival: Arrival,
        refused: NDArray[np.uint8] | None = None,
        *,
        own: bool = False,
    ) -> Attributed[Rows]:
        """Tell whose rows are, which of them are in time, and their series; with why some are not taken."""
        if not len(batch):
            return Attributed(batch, batch.ids, _NOBODY.cells, _NOBODY, None, self._names.arrays)
        self._own = own
        if self._router.watchful:
            ids, unfit = self._router.discern(batch.ids, batch.kind, senders)
            batch = batch.with_ids(ids)
            if unfit is not None:
                refused = unfit if refused is None else np.where(refused > 0, refused, unfit)
        arrays = self._names.arrays
        cells, shares = self._attribution.attribute(batch.ids, senders)
        arrival.passage.parsed(shares, len(batch))
        on_way = Attributed(batch, batch.ids, cells, shares, None, arrays)
        if refused is not None:
            on_way = self._refuse_each(on_way, refused, arrival)
        if not own:
            on_way = self._but(on_way, self._pace.refused(on_way.shares, on_way.cells), Reason.SAMPLES_LIMIT, arrival)
        # First: who is blocked or whose clock is wrong must not make series.
        try:
            blocked = self.blocking.of_entries(on_way.entries, on_way.cells, arrays)
            in_time = self._in_time(self._but(on_way, blocked, Reason.BLOCKED, arrival), arrival)
            if self._relaying is not None and not own:
                handed_on = self._relaying.take(in_time.batch, arrays)
                in_time = self._but(in_time, handed_on, Reason.RELAYED, arrival)
            if self._router.multiplies:
                in_time = self._multiply(in_time, arrival)
            routed = self._find_series(in_time, arrival)
        except Exception:
            arrival.passage.gone_astray()
            raise
        arrival.passage.routed(routed.shares, len(routed))
        return routed

    def _in_time(self, on_way: Attributed[Rows], arrival: Arrival) -> Attributed[Rows]:
        """The rows that are neither too far ahead nor older than anything is kept."""
        if not len(on_way):
            return on_way
        time_ms, step_s = on_way.batch.timestamp, self._limits.step_s
        now_s = self._clock.now()
        latest, oldest = int((now_s + self._limits.future_s) * 1000), int((now_s - self._limits.past_s) * 1000)
        late_ms = int(now_s // step_s - 1) * step_s * 1000
        first_ms, last_ms = extent(time_ms)
        if first_ms < late_ms:
            on_way = replace(on_way, late=time_ms < late_ms)
        if last_ms > latest:
            on_way = self._refuse(on_way, on_way.batch.timestamp > latest, Reason.FUTURE, arrival)
        if first_ms < oldest:
            on_way = self._refuse(on_way, on_way.batch.timestamp < oldest, Reason.PAST, arrival)
        return on_way

    def _find_series(self, on_way: Attributed[Rows], arrival: Arrival) -> Attributed[Rows]:
        if not len(on_way):
            return on_way
        routed = self._router.route(on_way.batch)
        rejects = routed.rejects
        if not rejects.total:
            return self._but_blocked_series(on_way.routed(routed.batch), arrival)
        for reason in np.unique(rejects.reasons).tolist():
            arrival.passage.refused(Reason(reason), on_way.cells[rejects.rows[rejects.reasons == reason]])
        note_unrouted(self._ledger, rejects, arrival.account)
        kept = np.ones(len(on_way), np.bool_)
        kept[rejects.rows] = False
        return self._but_blocked_series(on_way.take(kept).routed(routed.batch), arrival)

    def _but_blocked_series(self, routed: Attributed[Rows], arrival: Arrival) -> Attributed[Rows]:
        series = routed.batch.ids
        routed = self._but(routed, self.blocking.of_series(series, routed.cells), Reason.BLOCKED, arrival)
        if self._census is not None and len(routed):
            account_of = self._ledger.book.account_of
            self._census.note_sent(routed.batch.ids, lambda rows: account_of[routed.cells[rows]])
        return routed

    def _refuse_new(self, names: Names) -> NDArray[np.uint8]:
        """Why names are not to become series."""
        reasons = np.where(self.blocking.of_new(names), np.uint8(Reason.BLOCKED), np.uint8(0))
        if self._census is not None and not self._own:
            reasons = np.maximum(reasons, self._census.refuse(names))
        return reasons

    def _but(
        self, on_way: Attributed[Rows], refused: NDArray[np.bool_] | None, reason: Reason, arrival: Arrival
    ) -> Attributed[Rows]:
        return on_way if refused is None else self._refuse(on_way, refused, reason, arrival)

    def _multiply(self, on_way: Attributed[Rows], arrival: Arrival) -> Attributed[Rows]:
        """The rows, and what rules make of them: whatever becomes of these themselves."""
        self._router.settle(on_way.batch)
        found = self._router.multiplied(on_way.entries)
        if not len(found.rows):
            return on_way
        more, unfit = multiply(on_way, found, self._attribution, self._ledger.book, self._names.arrays)
        arrival.passage.made(Shares.of_rows(more.cells[len(on_way) :]), len(found.rows))
        return self._refuse_each(more, unfit, arrival)

    def _describe(self, account: int) -> tuple[str, str]:
        found = self._ledger.numbered(account)
        return found.source, found.peer

    def _anew(self, routed: Attributed[Rows], arrival: Arrival) -> Attributed[Rows]:
        if not len(routed):
            return routed
        entries, ids = np.unique(routed.entries, return_inverse=True)
        found = self._router.recall(routed.arrays.packed(entries).encoded())[ids]
        again = replace(routed, batch=routed.batch.with_ids(found), entries=found, arrays=self._names.arrays)
        if (found < 0).any():
            again = self._refuse(again, found < 0, Reason.SERIES_LIMIT, arrival)
        return self._find_series(again, arrival)

    def _refuse_each(self, on_way: Attributed[Rows], refused: NDArray[np.uint8], arrival: Arrival) -> Attributed[Rows]:
        """Take out the rows that have a `Reason`."""
        for reason in np.unique(refused[refused > 0]).tolist():
            on_way = self._refuse(on_way, refused == reason, Reason(reason), arrival)
            refused = refused[refused != reason]
        return on_way

    def _refuse(
        self, on_way: Attributed[Rows], refused: NDArray[np.bool_], reason: Reason, arrival: Arrival
    ) -> Attributed[Rows]:
        """Take rows out: for their time, since their name has no place any more, for what a sender says of them."""
        arrival.passage.refused(reason, on_way.cells[refused])
        timestamp_ms = on_way.batch.timestamp[refused]
        note_rows(self._ledger, self._names, on_way.entries[refused], timestamp_ms, reason, arrival.account)
        return on_way.take(~refused)
