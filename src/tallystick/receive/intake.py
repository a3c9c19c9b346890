"""`Intake`: the way of a parsed batch through the route into the store, with the account of what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameArrays
from tallystick.ledger import Account, Ledger
from tallystick.model.clock import Clock
from tallystick.model.errors import ForgottenSeriesError, StoreError
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.parse import NameTable, Parsed, Parser, Rejects
from tallystick.route import Router
from tallystick.store.contract import Store

_TRIES_MAX = 10  # to store a batch while its series are forgotten again and again
_OFFENDERS_NOTED_MAX = 8  # of one buffer: a flood of bad lines must not become work


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What times are taken.

    Parameters
    ----------
    future_s
        Samples further ahead of the clock are rejected.
    past_s
        Older samples are rejected: no resolution is kept that long.
    """

    future_s: int
    past_s: int


@dataclass(frozen=True, slots=True)
class _Routed:
    """Samples on their way into the store.

    Parameters
    ----------
    batch
        Their ids are series.
    entries : int32[n]
        The names that they came by.
    arrays
        What these are entries of: the table may be another one by the time that they are asked for.
    wasteful
        Whether the table is worth being made anew.
    """

    batch: SampleBatch
    entries: NDArray[np.int32]
    arrays: NameArrays
    wasteful: bool


class Intake:
    """Where all receivers meet; thread-safe."""

    def __init__(
        self, names: NameTable, router: Router, store: Store, ledger: Ledger, clock: Clock, limits: IntakeLimits
    ) -> None:
        self.names = names
        self.ledger = ledger
        self.clock = clock
        self._router = router
        self._store = store
        self._limits = limits

    def parse_stream(
        self, parser: Parser, buffer: NDArray[np.uint8], length: int, account: Account, *, skipping: bool, final: bool
    ) -> tuple[Parsed, int | None]:
        """Parse a stream's bytes and take what they hold; return what was parsed and the ticket of what was stored."""
        with self.names.lock:
            now_ms = int(self.clock.now() * 1000)
            parsed = parser.parse(buffer, length, self.names, now_ms, final=final, skipping=skipping)
            routed = self._route_parsed(parsed, account)
        return parsed, self._take(parsed, routed, buffer, account)

    def parse_datagrams(
        self,
        parser: Parser,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        lengths: NDArray[np.int32],
        account: Account,
    ) -> None:
        """Parse datagrams and take what they hold."""
        with self.names.lock:
            now_ms = int(self.clock.now() * 1000)
            parsed = parser.parse_datagrams(buffer, offsets, lengths, self.names, now_ms)
            routed = self._route_parsed(parsed, account)
        self._take(parsed, routed, buffer, account)

    def take(self, names: Sequence[bytes], samples: SampleBatch, account: Account) -> int | None:
        """Take samples whose ids are positions in `names`; return the store's ticket, if any was taken."""
        with self.names.lock:
            routed = self._route_named(names, samples, account)
        return self._append(routed, account)

    def forget(self, series: NDArray[np.int32]) -> None:
        """Route names that led to these series anew; called by the store, see `Store.when_forgotten`."""
        with self.names.lock:
            self._router.forget(series)
            wasteful = self._router.wasteful
        if wasteful:
            self._router.rebuild()

    def reject(self, account: Account, reason: Reason, text: bytes) -> None:
        """Account for an input that a receiver refuses before any parser sees it."""
        account.received(1, len(text))
        account.rejected_for(reason, 1)
        self.ledger.note_offender(account.source, reason, text)

    def _take(self, parsed: Parsed, routed: _Routed, buffer: NDArray[np.uint8], account: Account) -> int | None:
        if parsed.rejects.total:
            self._note(parsed.rejects, buffer, account)
        ticket = self._append(routed, account)
        if routed.wasteful:
            self._router.rebuild()
        return ticket

    # The lock is held from the parser to the end of routing: entries of the table mean nothing after a rebuild.

    def _route_parsed(self, parsed: Parsed, account: Account) -> _Routed:
        account.received(parsed.lines, parsed.consumed)
        if parsed.rejects.total:
            account.rejected(parsed.rejects.counts)
        # First: a sender whose clock is wrong must not make series.
        return self._route(self._in_time(parsed.batch, account), account)

    def _route_named(self, names: Sequence[bytes], samples: SampleBatch, account: Account) -> _Routed:
        """Route samples whose ids are positions in `names`."""
        entries = self.names.intern_many(names)
        # What has no place in the table must not reach the route, where -1 would be somebody else's name.
        known = entries[samples.ids] >= 0
        if not known.all():
            account.rejected_for(Reason.SERIES_LIMIT, int((~known).sum()))
            samples = samples.take(known)
        return self._route(self._in_time(samples.with_ids(entries[samples.ids]), account), account)

    def _route(self, batch: SampleBatch, account: Account) -> _Routed:
        arrays = self.names.arrays
        if not len(batch):
            return _Routed(batch, batch.ids, arrays, self._router.wasteful)
        routed = self._router.route(batch)
        if routed.rejects.total:
            account.rejected(routed.rejects.counts)
            for reason, name in routed.rejects.examples[:_OFFENDERS_NOTED_MAX]:
                self.ledger.note_offender(account.source, reason, name)
        return _Routed(routed.batch, routed.entries, arrays, self._router.wasteful)

    def _append(self, routed: _Routed, account: Account) -> int | None:
        for _ in range(_TRIES_MAX):
            if not len(routed.batch):
                return None
            try:
                ticket = self._store.append(routed.batch)
            except ForgottenSeriesError as error:
                routed = self._route_again(routed, error.ids, account)
            except StoreError:
                break
            else:
                account.stored(len(routed.batch))
                return ticket
        account.rejected_for(Reason.STORE_FULL, len(routed.batch))
        return None

    def _route_again(self, routed: _Routed, forgotten: Sequence[int], account: Account) -> _Routed:
        """Route samples once more: some of their series were forgotten on the way, and nothing was stored."""
        entries, ids = np.unique(routed.entries, return_inverse=True)
        names = routed.arrays.packed(entries).encoded()
        with self.names.lock:
            self._router.forget(np.array(forgotten, np.int32))
            return self._route_named(names, routed.batch.with_ids(ids.astype(np.int32)), account)

    def _in_time(self, batch: SampleBatch, account: Account) -> SampleBatch:
        """The samples that are neither too far ahead nor older than anything is kept."""
        if not len(batch):
            return batch
        now_ms = int(self.clock.now() * 1000)
        latest, oldest = now_ms + 1000 * self._limits.future_s, now_ms - 1000 * self._limits.past_s
        if int(batch.timestamp.max()) <= latest and int(batch.timestamp.min()) >= oldest:
            return batch
        future, past = batch.timestamp > latest, batch.timestamp < oldest
        account.rejected_for(Reason.FUTURE, int(future.sum()))
        account.rejected_for(Reason.PAST, int(past.sum()))
        for reason, mask in ((Reason.FUTURE, future), (Reason.PAST, past)):
            rows = np.flatnonzero(mask)[:_OFFENDERS_NOTED_MAX]
            for name, at_ms in zip(self.names.names(batch.ids[rows]), batch.timestamp[rows].tolist(), strict=True):
                self.ledger.note_offender(account.source, reason, name + f" at {at_ms / 1000:.0f}".encode())
        return batch.take(~(future | past))

    def _note(self, rejects: Rejects, buffer: NDArray[np.uint8], account: Account) -> None:
        noted = zip(rejects.offset.tolist(), rejects.length.tolist(), rejects.reason.tolist(), strict=True)
        for k, (offset, length, reason) in enumerate(noted):
            if k == _OFFENDERS_NOTED_MAX:
                return
            text = buffer[offset : offset + min(length, 512)].tobytes()
            self.ledger.note_offender(account.source, Reason(reason), text)
