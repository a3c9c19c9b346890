"""`Intake`: the way of a parsed batch through the route into the store, with the account of what became of it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.usable import usable_statistics
from tallystick.kernels.names import NameArrays
from tallystick.ledger import Account, Ledger
from tallystick.ledger.attribution import Attribution, Senders
from tallystick.ledger.book import Shares
from tallystick.ledger.passage import Passage
from tallystick.ledger.terms import WINDOW_S
from tallystick.model.clock import Clock
from tallystick.model.errors import ForgottenSeriesError, StoreError
from tallystick.model.numbered import Numbered
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import TallyBatch
from tallystick.parse import NameTable, Parsed, Parser, Rejects
from tallystick.parse.ready import make_ready
from tallystick.receive.spans import Datagrams, brought, senders_of, tally_senders_of, unnamed_of
from tallystick.receive.taps import Taps
from tallystick.receive.throttle import Grant, Throttle
from tallystick.route import Router, Rows
from tallystick.store.contract import Store

_TRIES_MAX = 10  # to store a batch while its series are forgotten again and again
_OFFENDER_BYTES_MAX = 512
_OFFENDERS_NOTED_MAX = 8  # of one buffer: a flood of bad lines must not become work
_NO_TALLIES = TallyBatch.empty()


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


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who sent a batch, and when.

    Parameters
    ----------
    account
        Of the whole batch; where it is of several peers that of the source.
    passage
        Its way through the ledger.
    samples, tallies
        Whose each sample and each tallied slot is.
    """

    account: Account
    passage: Passage
    samples: Senders
    tallies: Senders


@dataclass(frozen=True, slots=True)
class _Routed(Generic[Rows]):
    """Samples, or tallied slots, on their way into the store.

    Parameters
    ----------
    batch
        Their ids are series.
    entries : int32[n]
        The names that they came by.
    cells : int32[n]
        Where the ledger counts each of them.
    shares
        How many each cell has.
    late : bool[n] or None
        Which of them are late; None where none is.
    arrays
        What `entries` are entries of: the table may be another one by the time that they are asked for.
    """

    batch: Rows
    entries: NDArray[np.int32]
    cells: NDArray[np.int32]
    shares: Shares
    late: NDArray[np.bool_] | None
    arrays: NameArrays

    def __len__(self) -> int:
        return len(self.batch)

    def take(self, rows: NDArray[np.bool_]) -> "_Routed[Rows]":
        """The rows that a mask selects."""
        cells = self.cells[rows]
        late = None if self.late is None else self.late[rows]
        batch, entries = self.batch.take(rows), self.entries[rows]
        return replace(self, batch=batch, entries=entries, cells=cells, shares=Shares.of_rows(cells), late=late)


@dataclass(frozen=True, slots=True)
class _Load:
    """All of a batch on its way into the store.

    Parameters
    ----------
    wasteful
        Whether the table of names is worth being made anew.
    numbered
        Up to which of its numbered batches this is all of a sender's.
    generated
        So many slots the sender made for those that are new.
    """

    samples: _Routed[SampleBatch]
    tallies: _Routed[TallyBatch]
    wasteful: bool
    numbered: Numbered | None = None
    generated: int = 0

    def __len__(self) -> int:
        return len(self.samples) + len(self.tallies)


class Intake:
    """Where all receivers meet; thread-safe."""

    def __init__(
        self,
        names: NameTable,
        router: Router,
        store: Store,
        ledger: Ledger,
        clock: Clock,
        limits: IntakeLimits,
        throttle: Throttle | None = None,
    ) -> None:
        self.names = names
        self.ledger = ledger
        self.clock = clock
        self.taps = Taps(clock)
        self._router = router
        self._store = store
        self._limits = limits
        self._throttle = throttle or Throttle()
        self._attribution = router.attribution = Attribution(ledger.book, names)
        self._watching: dict[str, Callable[[SampleBatch], None]] = {}

    def when_stored(self, door: str, call: Callable[[SampleBatch], None]) -> None:
        """Have `call` called, by the threads that receive, with the samples stored of the sources whose first word is
        `door`: the protocol of a listener."""
        self._watching[door] = call

    def parse_stream(
        self,
        parser: Parser,
        buffer: NDArray[np.uint8],
        length: int,
        account: Account,
        *,
        skipping: bool,
        final: bool,
        passage: Passage | None = None,
    ) -> tuple[Parsed, int | None]:
        """Parse a stream's bytes and take what they hold; return what was parsed and the ticket of what was stored.

        Parameters
        ----------
        passage
            Of the account, where the caller wants to know what became of all: its `terms` say so afterwards.
        """
        make_ready(parser)
        return self._parse_one(
            lambda now_ms: parser.parse(buffer, length, self.names, now_ms, final=final, skipping=skipping),
            buffer,
            account,
            passage,
        )

    def parse_datagrams(
        self,
        parser: Parser,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int32],
        account: Account,
        peers: NDArray[np.int32] | None = None,
    ) -> None:
        """Parse datagrams and take what they hold.

        Parameters
        ----------
        peers : int32[datagrams]
            Numbers of the accounts of each, where they are of several peers of `account`'s source.
        """
        make_ready(parser)
        if peers is None:
            self._parse_one(
                lambda now_ms: parser.parse_datagrams(buffer, offsets, lengths, self.names, now_ms), buffer, account
            )
            return
        with self.names.lock:
            now_s = self.clock.monotonic()
            who, place = np.unique(peers, return_inverse=True)
            spent = np.array([self._throttle.tokens(peer, now_s) <= 0 for peer in who.tolist()])[place]
        # Who has no tokens left is parsed apart, so that it takes none of the others' and they none of its limit.
        for some in (~spent, spent):
            if some.any():
                self._parse_several(parser, buffer, offsets[some], lengths[some], account, peers[some])

    def take(self, names: Sequence[bytes], samples: SampleBatch, account: Account, *, own: bool = False) -> int | None:
        """Take samples whose ids are positions in `names`; return the store's ticket, if any was taken.

        They count as received.

        Parameters
        ----------
        own
            Whether this process made them: their names are never too many of one sender's.
        """
        with self.names.lock:
            passage = account.passage(self._window())
            free = Grant(self.names, math.inf)
            now_s = self.clock.monotonic()
            with free if own else self._throttle.grant(self.names, (account.number,), now_s) as grant:
                entries = self.names.intern_many(names)
            if not own:
                self._throttle.spend(account.number, grant.added)
            # What has no place in the table must not reach the route, where -1 would be somebody else's name.
            known = entries[samples.ids] >= 0
            if not known.all():
                self._refuse_unnamed(account, passage, grant.reason, int((~known).sum()))
                samples = samples.take(known)
            batch = samples.with_ids(entries[samples.ids])
            whose = Senders.one(account.number, len(batch))
            arrival = Arrival(account, passage, whose, whose)
            load = _Load(self._route(batch, whose, arrival), self._route(_NO_TALLIES, whose, arrival), wasteful=False)
        return self._append(load, arrival)

    def forget(self, series: NDArray[np.int32]) -> None:
        """Route names that led to these series anew; called by the store, see `Store.when_forgotten`."""
        with self.names.lock:
            self._router.forget(series)
            wasteful = self._router.wasteful
        if wasteful:
            self._router.rebuild()

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        """See `Store.when_durable`."""
        self._store.when_durable(ticket, call)

    def reject(self, account: Account, reason: Reason, text: bytes) -> None:
        """Account for an input that a receiver refuses before any parser sees it."""
        account.refused(reason, 1, len(text))
        self.ledger.note_offender(account.source, reason, text, account.peer)

    def problems(self) -> list[str]:
        """What is wrong with what comes in now, a sentence each."""
        return self._throttle.problems(self.clock.monotonic())

    def _parse_one(
        self,
        parse: Callable[[int], Parsed],
        buffer: NDArray[np.uint8],
        account: Account,
        passage: Passage | None = None,
    ) -> tuple[Parsed, int | None]:
        """Have bytes of one account parsed, and take what they hold."""
        with self.names.lock:
            now_s = self.clock.monotonic()
            passage = passage or account.passage(self._window())
            with self._throttle.grant(self.names, (account.number,), now_s) as grant:
                parsed = parse(int(self.clock.now() * 1000))
            self._throttle.spend(account.number, grant.added)
            parsed = grant.explained(parsed)
            rejected = parsed.rejects.counts if parsed.rejects.total else None
            if rejected is not None and rejected[Reason.THROTTLED]:
                self._throttle.note(account, now_s)
            passage.unnamed(account.number, parsed.lines - parsed.taken, parsed.consumed, rejected)
            whose = (Senders.one(account.number, rows) for rows in (len(parsed.batch), parsed.tallied))
            arrival = Arrival(account, passage, *whose)
            load = self._route_parsed(parsed, arrival)
        return parsed, self._take(parsed, load, arrival, buffer)

    def _parse_several(
        self,
        parser: Parser,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int32],
        account: Account,
        peers: NDArray[np.int32],
    ) -> None:
        """Have datagrams of several accounts of one source parsed, and take what they hold."""
        with self.names.lock:
            now_s = self.clock.monotonic()
            passage = account.passage(self._window())
            with self._throttle.grant(self.names, np.unique(peers).tolist(), now_s) as grant:
                parsed = parser.parse_datagrams(buffer, offsets, lengths, self.names, int(self.clock.now() * 1000))
            parsed = grant.explained(parsed)
            unnamed = unnamed_of(parsed, peers, offsets, lengths)
            passage.unnamed_of_several(unnamed.accounts, unnamed.lines, unnamed.size_bytes, unnamed.rejected)
            for peer in unnamed.accounts[unnamed.rejected[:, Reason.THROTTLED] > 0].tolist():
                self._throttle.note(self.ledger.numbered(peer), now_s)
            arrival = Arrival(account, passage, senders_of(parsed, peers), tally_senders_of(parsed, peers))
            for peer, added in brought(parsed, arrival.samples, arrival.tallies, grant.first_added):
                self._throttle.spend(peer, added)
            load = self._route_parsed(parsed, arrival)
        self._take(parsed, load, arrival, buffer, Datagrams(offsets, peers))

    def _take(
        self,
        parsed: Parsed,
        load: _Load,
        arrival: Arrival,
        buffer: NDArray[np.uint8],
        datagrams: Datagrams | None = None,
    ) -> int | None:
        if parsed.rejects.total:
            self._note(parsed.rejects, buffer, arrival.account, datagrams)
        ticket = self._append(load, arrival)
        if load.wasteful:
            self._router.rebuild()
        return ticket

    # The lock is held from the parser to the end of routing: entries of the table mean nothing after a rebuild.

    def _route_parsed(self, parsed: Parsed, arrival: Arrival) -> _Load:
        samples = self._route(parsed.batch, arrival.samples, arrival)
        tallies = parsed.tallies if parsed.tallies is not None else _NO_TALLIES
        refused = np.zeros(len(tallies), np.uint8)
        if len(tallies):
            refused[~usable_statistics(tallies, tallies.kind)] = Reason.VALUE
        numbered, generated = parsed.numbered, 0
        if numbered is not None:
            taken = self._store.last_number(numbered.sender)  # who numbers batches sends them to one thread
            refused[: numbered.rows_up_to(taken, len(tallies))] = Reason.DUPLICATE
            generated = numbered.generated_after(taken)
        routed = self._route(tallies, arrival.tallies, arrival, refused)
        last = numbered.last if numbered is not None else None
        return _Load(samples, routed, self._router.wasteful, last, generated)

    def _route(
        self, batch: Rows, senders: Senders, arrival: Arrival, refused: NDArray[np.uint8] | None = None
    ) -> _Routed[Rows]:
        """Tell whose rows are, which of them are in time, and their series; with why some are not taken."""
        arrays = self.names.arrays
        if not len(batch):
            nobody = Shares(np.empty(0, np.int32), np.empty(0, np.int64))
            return _Routed(batch, batch.ids, nobody.cells, nobody, None, arrays)
        cells, shares = self._attribution.attribute(batch.ids, senders)
        arrival.passage.parsed(shares, len(batch))
        on_way = _Routed(batch, batch.ids, cells, shares, None, arrays)
        if refused is not None and refused.any():
            for reason in np.unique(refused[refused > 0]).tolist():
                on_way = self._refuse(on_way, refused == reason, Reason(reason), arrival)
                refused = refused[refused != reason]
        # First: a sender whose clock is wrong must not make series.
        try:
            routed = self._find_series(self._in_time(on_way, arrival), arrival)
        except Exception:
            arrival.passage.gone_astray()
            raise
        arrival.passage.routed(routed.shares, len(routed))
        return routed

    def _find_series(self, on_way: _Routed[Rows], arrival: Arrival) -> _Routed[Rows]:
        if not len(on_way):
            return on_way
        routed = self._router.route(on_way.batch)
        if not routed.rejects.total:
            return replace(on_way, batch=routed.batch)
        rejects, account = routed.rejects, arrival.account
        for reason in np.unique(rejects.reasons).tolist():
            arrival.passage.refused(Reason(reason), on_way.cells[rejects.rows[rejects.reasons == reason]])
        for reason, name in rejects.examples[:_OFFENDERS_NOTED_MAX]:
            self.ledger.note_offender(account.source, reason, name, account.peer)
        kept = np.ones(len(on_way), np.bool_)
        kept[rejects.rows] = False
        return replace(on_way.take(kept), batch=routed.batch)

    def _append(self, load: _Load, arrival: Arrival) -> int | None:
        for _ in range(_TRIES_MAX):
            if not (len(load) or load.numbered):
                return None
            try:
                ticket = self._store.append(load.samples.batch, load.tallies.batch, load.numbered)
            except ForgottenSeriesError as error:
                load = self._route_again(load, error.ids, arrival)
            except StoreError:
                break
            else:
                self._count_stored(load.samples, arrival)
                self._count_stored(load.tallies, arrival)
                if load.generated:
                    arrival.account.generated(load.generated)
                watching = self._watching.get(arrival.account.source.partition(" ")[0])
                if watching is not None:
                    watching(load.samples.batch)
                if self.taps:
                    self._show(load, arrival)
                return ticket
        for routed in (load.samples, load.tallies):
            if len(routed):
                arrival.passage.refused(Reason.STORE_FULL, routed.cells)
        return None

    @staticmethod
    def _count_stored(routed: _Routed[Rows], arrival: Arrival) -> None:
        if len(routed):
            late = None if routed.late is None else Shares.of_rows(routed.cells[routed.late])
            arrival.passage.stored(routed.shares, len(routed), late)

    def _route_again(self, load: _Load, forgotten: Sequence[int], arrival: Arrival) -> _Load:
        """Route all once more: some of the series were forgotten on the way, and nothing was stored."""
        with self.names.lock:
            self._router.forget(np.array(forgotten, np.int32))
            samples, tallies = self._anew(load.samples, arrival), self._anew(load.tallies, arrival)
        return replace(load, samples=samples, tallies=tallies)

    def _anew(self, routed: _Routed[Rows], arrival: Arrival) -> _Routed[Rows]:
        if not len(routed):
            return routed
        entries, ids = np.unique(routed.entries, return_inverse=True)
        found = self.names.intern_many(routed.arrays.packed(entries).encoded())[ids]
        again = replace(routed, batch=routed.batch.with_ids(found), entries=found, arrays=self.names.arrays)
        if (found < 0).any():
            again = self._refuse(again, found < 0, Reason.SERIES_LIMIT, arrival)
        return self._find_series(again, arrival)

    def _in_time(self, on_way: _Routed[Rows], arrival: Arrival) -> _Routed[Rows]:
        """The rows that are neither too far ahead nor older than anything is kept."""
        if not len(on_way):
            return on_way
        time_ms, step_s = on_way.batch.timestamp, self._limits.step_s
        now_s = self.clock.now()
        latest, oldest = int((now_s + self._limits.future_s) * 1000), int((now_s - self._limits.past_s) * 1000)
        late_ms = int(now_s // step_s - 1) * step_s * 1000
        first_ms, last_ms = int(time_ms.min()), int(time_ms.max())
        if first_ms < late_ms:
            on_way = replace(on_way, late=time_ms < late_ms)
        if last_ms > latest:
            on_way = self._refuse(on_way, on_way.batch.timestamp > latest, Reason.FUTURE, arrival)
        if first_ms < oldest:
            on_way = self._refuse(on_way, on_way.batch.timestamp < oldest, Reason.PAST, arrival)
        return on_way

    def _refuse(
        self, on_way: _Routed[Rows], refused: NDArray[np.bool_], reason: Reason, arrival: Arrival
    ) -> _Routed[Rows]:
        """Take rows out: for their time, since their name has no place any more, for what a sender says of them."""
        arrival.passage.refused(reason, on_way.cells[refused])
        rows = np.flatnonzero(refused)[:_OFFENDERS_NOTED_MAX]
        times = (on_way.batch.timestamp[rows] / 1000).tolist()
        for entry, at_s in zip(on_way.entries[rows].tolist(), times, strict=True):
            text = self.names.name(entry) + f" at {at_s:.0f}".encode() if entry >= 0 else b""
            self.ledger.note_offender(arrival.account.source, reason, text, arrival.account.peer)
        return on_way.take(~refused)

    def _refuse_unnamed(self, account: Account, passage: Passage, reason: Reason, samples: int) -> None:
        counts = np.zeros(len(Reason), np.int64)
        counts[reason] = samples
        passage.unnamed(account.number, samples, 0, counts)
        if reason is Reason.THROTTLED:
            self._throttle.note(account, self.clock.monotonic())

    def _note(self, rejects: Rejects, buffer: NDArray[np.uint8], account: Account, datagrams: Datagrams | None) -> None:
        noted = zip(rejects.offset.tolist(), rejects.reason.tolist(), strict=True)
        for k, (offset, reason) in enumerate(noted):
            if k == _OFFENDERS_NOTED_MAX:
                return
            text = rejects.text(k, buffer, _OFFENDER_BYTES_MAX)
            who = account if datagrams is None else self.ledger.numbered(datagrams.account_at(offset))
            self.ledger.note_offender(who.source, Reason(reason), text, who.peer)

    def _show(self, load: _Load, arrival: Arrival) -> None:
        """Let those see it who look at what arrives: of tallied slots the last value, for as many as they were."""
        samples, tallied = load.samples, load.tallies
        if len(samples):
            self.taps.offer(samples.batch, samples.arrays, samples.entries, arrival.account)
        if len(tallied):
            t = tallied.batch
            shown = SampleBatch(t.ids, t.timestamp, t.last, t.spread.count, t.kind)
            self.taps.offer(shown, tallied.arrays, tallied.entries, arrival.account)

    def _window(self) -> int:
        return int(self.clock.now() // WINDOW_S)
