"""`Intake`: the way of received bytes through parser and route into the store, with the account of what became of them.

`Throttle` says how many new names a sender may bring, `Routing` finds the series, `Storing` appends to the store.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.blocks import BlockList
from tallystick.census import Census
from tallystick.ledger import Account, Ledger
from tallystick.ledger.attribution import Senders
from tallystick.ledger.passage import Passage
from tallystick.ledger.terms import WINDOW_S
from tallystick.model.clock import Clock
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.parse import NameTable, Parsed, Parser
from tallystick.parse.ready import make_ready
from tallystick.receive.arrival import Arrival, Load
from tallystick.receive.meanings import Meanings
from tallystick.receive.offenders import note_unread
from tallystick.receive.pace import Pace
from tallystick.receive.routing import IntakeLimits, Routing
from tallystick.receive.spans import Datagrams, brought, distinct, senders_of, tally_senders_of, unnamed_of
from tallystick.receive.storing import Storing
from tallystick.receive.throttle import Grant, Throttle
from tallystick.relay import Relaying
from tallystick.route import Router
from tallystick.store.contract import Store


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
        blocks: BlockList | None = None,
        pace: Pace | None = None,
        census: Census | None = None,
        relaying: Relaying | None = None,
    ) -> None:
        self.names = names
        self.ledger = ledger
        self.clock = clock
        self._router = router
        self._store = store
        self._throttle = throttle or Throttle(host_of=ledger.host_of)
        self._pace = pace or Pace(0, ledger, clock.monotonic)
        self._census = census
        self._routing = Routing(
            names,
            router,
            store,
            ledger,
            clock,
            limits,
            blocks or BlockList(None, clock),
            self._pace,
            census,
            relaying,
        )
        self._storing = Storing(store, self._routing, names, clock)
        self.taps = self._storing.taps
        self.meanings = Meanings(clock)

    def when_by_statsd(self, call: Callable[[NDArray[np.int32]], None]) -> None:
        """Have `call` called, by the threads that receive, with the series of what was stored and came by StatsD, also
        through an agent; any of them several times."""
        self._storing.when_by_statsd(call)

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
            who, place = distinct(peers)
            spent = np.array([self._throttle.tokens(peer, now_s) <= 0 for peer in who.tolist()])
        if not spent.any():
            self._parse_several(parser, buffer, offsets, lengths, account, peers)
            return
        # Who has no tokens left is parsed apart, so that it takes none of the others' and they none of its limit.
        for some in (~spent[place], spent[place]):
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
            load = self._routing.of_samples(batch, arrival, own=own)
        return self._storing.append(load, arrival)

    def forget(self, series: NDArray[np.int32]) -> None:
        """Route names that led to these series anew; called by the store, see `Store.when_forgotten`."""
        with self.names.lock:
            self._router.forget(series)
            self._routing.blocking.forget(series)
            if self._census is not None:
                self._census.forget(series)
            wasteful = self._router.wasteful
        if wasteful:
            self._router.rebuild()

    def count_series(self) -> list[tuple[str, str, int]]:
        """Have the census count, and names tried again that were too many; what it tells. Called now and then."""
        if self._census is None:
            return []
        with self.names.lock:
            if self._census.count():
                self._router.reopen(Reason.PREFIX_LIMIT)
        return list(self._census.told())

    def make_room(self) -> None:
        """Have those who fell silent give way in the ledger, if others need their places; called now and then."""
        with self.names.lock:
            self._routing.make_room()

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        """See `Store.when_durable`."""
        self._store.when_durable(ticket, call)

    def reject(self, account: Account, reason: Reason, text: bytes) -> None:
        """Account for an input that a receiver refuses before any parser sees it."""
        account.refused(reason, 1, len(text))
        self.ledger.note_offender(account.source, reason, text, account.peer)

    def problems(self) -> list[str]:
        """What is wrong with what comes in now, a sentence each."""
        crowded = self._census.problems() if self._census is not None else []
        return [*self._throttle.problems(self.clock.monotonic()), *self._pace.problems(), *crowded]

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
            load = self._routing.of_parsed(parsed, arrival)
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
            with self._throttle.grant(self.names, distinct(peers)[0].tolist(), now_s) as grant:
                parsed = parser.parse_datagrams(buffer, offsets, lengths, self.names, int(self.clock.now() * 1000))
            parsed = grant.explained(parsed)
            unnamed = unnamed_of(parsed, peers, offsets, lengths)
            passage.unnamed_of_several(unnamed.accounts, unnamed.lines, unnamed.size_bytes, unnamed.rejected)
            for peer in unnamed.accounts[unnamed.rejected[:, Reason.THROTTLED] > 0].tolist():
                self._throttle.note(self.ledger.numbered(peer), now_s)
            arrival = Arrival(account, passage, senders_of(parsed, peers), tally_senders_of(parsed, peers))
            for peer, added in brought(parsed, arrival.samples, arrival.tallies, grant.first_added):
                self._throttle.spend(peer, added)
            load = self._routing.of_parsed(parsed, arrival)
        self._take(parsed, load, arrival, buffer, Datagrams(offsets, peers))

    def _take(
        self,
        parsed: Parsed,
        load: Load,
        arrival: Arrival,
        buffer: NDArray[np.uint8],
        datagrams: Datagrams | None = None,
    ) -> int | None:
        if parsed.rejects.total:
            note_unread(self.ledger, parsed.rejects, buffer, arrival.account, datagrams)
        ticket = self._storing.append(load, arrival)
        if load.wasteful:
            self._router.rebuild()
        self.meanings.tell(parsed.meant)
        return ticket

    def _refuse_unnamed(self, account: Account, passage: Passage, reason: Reason, samples: int) -> None:
        counts = np.zeros(len(Reason), np.int64)
        counts[reason] = samples
        passage.unnamed(account.number, samples, 0, counts)
        if reason is Reason.THROTTLED:
            self._throttle.note(account, self.clock.monotonic())

    def _window(self) -> int:
        return int(self.clock.now() // WINDOW_S)
