"""`Pace`: how many samples a second each host may send, so that a flood from one costs the others nothing.

Each host has a bucket of tokens, whatever it sends by: a few seconds' worth at first, and `samples_per_s` more every
second. Of a batch that has more samples than its host has tokens, as many as it has are taken, evenly spread over the
batch from a place drawn by lot: each of a host's names has the same chance, however it orders them. Nothing is done
for a single sample: the ledger's shares say how many a batch has of each host.
"""

import logging
import random
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.ledger import Ledger
from tallystick.ledger.book import Shares

logger = logging.getLogger(__name__)

BURST_S = 20
"""So many seconds' worth may come at once: who sends every ten seconds sends all of it then."""
_BUCKETS_KEPT = 1024
_LASTS_S = 30.0
"""So long after the last sample that was refused it is still a problem."""
_WARN_S = 60.0


class Pace:
    """Tokens by host; the caller holds the lock of the table of names.

    Parameters
    ----------
    samples_per_s
        What a host may go on sending; 0 for no limit.
    monotonic
        Seconds of a clock that never runs backwards.
    draw
        Where in a batch to begin, a number below the one given.
    """

    def __init__(
        self,
        samples_per_s: int,
        ledger: Ledger,
        monotonic: Callable[[], float],
        draw: Callable[[int], int] = random.randrange,
    ) -> None:
        self._rate = samples_per_s
        self._burst = float(samples_per_s * BURST_S)
        self._ledger = ledger
        self._monotonic = monotonic
        self._draw = draw
        self._tokens: dict[str, tuple[float, float]] = {}  # by host: tokens, and when they were counted
        self._forget_at = _BUCKETS_KEPT
        self._refused: dict[str, float] = {}  # by host: when
        self._warned_s: dict[str, float] = {}

    def refused(self, shares: Shares, cells: NDArray[np.int32]) -> NDArray[np.bool_] | None:
        """Which rows of a batch are too many; None if none is.

        Parameters
        ----------
        shares
            How many rows each cell of the ledger has.
        cells : int32[n]
            The cell of each row.
        """
        if not self._rate:
            return None
        now_s = self._monotonic()
        book = self._ledger.book
        accounts = book.account_of[shares.cells]
        rows_of: dict[str, int] = {}
        for account, rows in zip(accounts.tolist(), shares.counts.tolist(), strict=True):
            host = self._host(account)
            rows_of[host] = rows_of.get(host, 0) + rows
        over = {host: allowed for host, rows in rows_of.items() if (allowed := self._spend(host, rows, now_s)) < rows}
        if not over:
            return None
        refused = np.zeros(len(cells), np.bool_)
        hosts = {account: self._host(account) for account in np.unique(accounts).tolist()}
        account_of = book.account_of[cells]
        for host, allowed in over.items():
            self._note(host, now_s)
            own = [account for account, other in hosts.items() if other == host]
            rows_of_host = np.flatnonzero(np.isin(account_of, own))
            refused[rows_of_host[self._left_out(len(rows_of_host), allowed)]] = True
        return refused

    def problems(self) -> list[str]:
        """Whom it holds back now, a sentence each."""
        now_s = self._monotonic()
        recent = [host for host, at_s in list(self._refused.items()) if now_s - at_s < _LASTS_S]
        return [
            f"{host} sends more than limits.samples_per_s = {self._rate}: what is beyond it is not taken (ledger, "
            "reason samples_limit)"
            for host in recent
        ]

    def _left_out(self, rows: int, allowed: int) -> NDArray[np.bool_]:
        """Which of so many rows are not among those that are allowed."""
        begin = self._draw(rows)
        return ((np.arange(rows, dtype=np.int64) + begin) * allowed) % rows >= allowed

    def _host(self, account: int) -> str:
        """The host of an account; who has none, or shares an account, is known by that."""
        return self._ledger.host_of(account) or self._ledger.numbered(account).source

    def _spend(self, host: str, rows: int, now_s: float) -> int:
        """How many of so many rows a host may send; they are taken from its tokens."""
        if host not in self._tokens and len(self._tokens) >= self._forget_at:
            self._forget_full(now_s)
        tokens, at_s = self._tokens.get(host, (self._burst, now_s))
        tokens = min(tokens + self._rate * (now_s - at_s), self._burst)
        allowed = min(rows, int(tokens))
        self._tokens[host] = tokens - allowed, now_s
        return allowed

    def _forget_full(self, now_s: float) -> None:
        """Forget buckets that are full again: they are as if they had never been used."""
        waiting = self._tokens.items()
        self._tokens = {one: (t, at_s) for one, (t, at_s) in waiting if t + self._rate * (now_s - at_s) < self._burst}
        self._refused = {host: at_s for host, at_s in self._refused.items() if now_s - at_s < _LASTS_S}
        self._warned_s = {host: at_s for host, at_s in self._warned_s.items() if now_s - at_s < _WARN_S}
        self._forget_at = max(_BUCKETS_KEPT, 2 * len(self._tokens))

    def _note(self, host: str, now_s: float) -> None:
        self._refused[host] = now_s
        if now_s - self._warned_s.get(host, -_WARN_S) >= _WARN_S:
            self._warned_s[host] = now_s
            logger.warning("%s sends more than %d samples a second: some are not taken", host, self._rate)
