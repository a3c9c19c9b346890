"""`Intake`: the way of a parsed batch through the route into the store, with the account of what became of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.ledger import Account, Ledger
from tallystick.model.clock import Clock
from tallystick.model.errors import StoreError
from tallystick.model.reason import Reason
from tallystick.model.sample import SampleBatch
from tallystick.parse import NameTable, Parsed, Parser, Rejects
from tallystick.route import Router
from tallystick.store.contract import Store

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
        return parsed, self._take(parsed, buffer, account)

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
        self._take(parsed, buffer, account)

    def reject(self, account: Account, reason: Reason, text: bytes) -> None:
        """Account for an input that a receiver refuses before any parser sees it."""
        account.received(1, len(text))
        account.rejected_for(reason, 1)
        self.ledger.note_offender(account.source, reason, text)

    def _take(self, parsed: Parsed, buffer: NDArray[np.uint8], account: Account) -> int | None:
        account.received(parsed.lines, parsed.consumed)
        if parsed.rejects.total:
            account.rejected(parsed.rejects.counts)
            self._note(parsed.rejects, buffer, account)
        return self.take(parsed.batch, account) if len(parsed.batch) else None

    def take(self, batch: SampleBatch, account: Account) -> int | None:
        """Route samples whose ids are entries of the name table, and store them; return the store's ticket, if any."""
        batch = self._in_time(batch, account)  # first: a sender whose clock is wrong must not make series
        if not len(batch):
            return None
        with self.names.lock:
            routed = self._router.route(batch)
        if routed.rejects.total:
            account.rejected(routed.rejects.counts)
            for reason, name in routed.rejects.examples[:_OFFENDERS_NOTED_MAX]:
                self.ledger.note_offender(account.source, reason, name)
        return self._append(routed.batch, account) if len(routed.batch) else None

    def _append(self, batch: SampleBatch, account: Account) -> int | None:
        try:
            ticket = self._store.append(batch)
        except StoreError:
            account.rejected_for(Reason.STORE_FULL, len(batch))
            return None
        account.stored(len(batch))
        return ticket

    def _in_time(self, batch: SampleBatch, account: Account) -> SampleBatch:
        """The samples that are neither too far ahead nor older than anything is kept."""
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
