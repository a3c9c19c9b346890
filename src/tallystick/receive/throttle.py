"""`Throttle`: how many new names each host may bring, so that a flood from one costs the others nothing.

Each has a bucket of tokens, whatever it sends by: `burst` at first, and `names_per_s` more every second. Senders
without an address, and those that a source does not tell apart, share a bucket of their source. A name that the table
does not know costs a token. Who has none left is parsed with a table that takes no further name: the kernel finds that
out by the one look-up that it makes anyway, so a name too many costs less than a good one, nothing of it is kept, and
the same name is taken later. A stream stops at its last token; a batch of datagrams from several senders may overdraw
once.

The default burst is larger than the first sight of a large fleet: half a million series from one host pass at once,
and once more after a restart where names are rewritten by rules (else what the store knows is no new name). It is less
than a third of the room for names that there is by default, so that one host at its worst leaves room for others.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType

from tallystick.kernels.names import NameTable
from tallystick.ledger import Account
from tallystick.model.reason import Reason
from tallystick.parse import Parsed

NAMES_PER_S = 20_000
NAMES_BURST = 600_000
_BUCKETS_KEPT = 1024
_LASTS_S = 30.0
"""So long after the last sample that was throttled it is still a problem."""


class Grant:
    """While it is entered, the table takes only so many new names more; `added` says how many they were.

    Whoever enters it holds the lock of the table.
    """

    def __init__(self, names: NameTable, new_max: float) -> None:
        self._state = names.arrays.state  # the same array however the table grows
        self._before, self._most = int(self._state[0]), int(self._state[1])
        self._new_max = new_max
        self.limited = self._before + new_max < self._most
        """Whether a name that finds no place is one too many of its sender's, and not of all."""

    def __enter__(self) -> "Grant":
        if self.limited:
            self._state[1] = self._before + max(int(self._new_max), 0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._state[1] = self._most

    @property
    def added(self) -> int:
        """Names that came into the table."""
        return int(self._state[0]) - self._before

    @property
    def first_added(self) -> int:
        """The first entry that is new."""
        return self._before

    @property
    def reason(self) -> Reason:
        """Why a name found no place."""
        return Reason.THROTTLED if self.limited else Reason.SERIES_LIMIT

    def explained(self, parsed: Parsed) -> Parsed:
        """The same result, with the right reason for names that found no place."""
        counts, reasons = parsed.rejects.counts, parsed.rejects.reason
        if not self.limited or not counts[Reason.SERIES_LIMIT]:
            return parsed
        counts, reasons = counts.copy(), reasons.copy()
        counts[Reason.THROTTLED] += counts[Reason.SERIES_LIMIT]
        counts[Reason.SERIES_LIMIT] = 0
        reasons[reasons == Reason.SERIES_LIMIT] = int(Reason.THROTTLED)
        return replace(parsed, rejects=replace(parsed.rejects, counts=counts, reason=reasons))


def nobody(account: int) -> str:
    """Accounts whose hosts are not known."""
    return ""


class Throttle:
    """Tokens by host; the caller holds the lock of the table of names.

    Parameters
    ----------
    host_of
        The host that an account, by its number, is of; empty where it is of none or several.
    names_per_s
        New names a second that a peer may go on bringing; 0 for no limit.
    burst
        New names that it may bring at once.
    """

    def __init__(
        self, names_per_s: int = NAMES_PER_S, burst: int = NAMES_BURST, host_of: Callable[[int], str] = nobody
    ) -> None:
        self._rate = names_per_s
        self._burst = float(burst)
        self._host_of = host_of
        self._tokens: dict[str | int, tuple[float, float]] = {}  # tokens, and when they were counted
        self._forget_at = _BUCKETS_KEPT
        self._refused: dict[int, tuple[Account, float]] = {}

    def tokens(self, account: int, now_s: float) -> float:
        """What an account may add now; at most 0 if nothing. `now_s` is of a clock that never runs backwards."""
        if not self._rate:
            return float("inf")
        bucket = self._bucket(account)
        if bucket not in self._tokens and len(self._tokens) >= self._forget_at:
            self._forget_full(now_s)
        tokens, at_s = self._tokens.get(bucket, (self._burst, now_s))
        tokens = min(tokens + self._rate * (now_s - at_s), self._burst)
        self._tokens[bucket] = tokens, now_s
        return tokens

    def grant(self, names: NameTable, accounts: Iterable[int], now_s: float) -> Grant:
        """What accounts may add together."""
        return Grant(names, sum(max(self.tokens(account, now_s), 0.0) for account in accounts))

    def spend(self, account: int, names: int) -> None:
        """Take tokens for names that were new."""
        if self._rate:
            bucket = self._bucket(account)
            tokens, at_s = self._tokens[bucket]
            self._tokens[bucket] = tokens - names, at_s

    def _bucket(self, account: int) -> str | int:
        return self._host_of(account) or account

    def _forget_full(self, now_s: float) -> None:
        """Forget buckets that are full again: they are as if they had never been used."""
        waiting = self._tokens.items()
        self._tokens = {one: (t, at_s) for one, (t, at_s) in waiting if t + self._rate * (now_s - at_s) < self._burst}
        self._forget_at = max(_BUCKETS_KEPT, 2 * len(self._tokens))

    def note(self, account: Account, now_s: float) -> None:
        """Samples of this account were throttled."""
        self._refused[account.number] = account, now_s

    def problems(self, now_s: float) -> list[str]:
        """Whom it throttles now, a sentence each."""
        recent = [account for account, at_s in list(self._refused.values()) if now_s - at_s < _LASTS_S]
        return [
            f"{account.source} sends too many new names{f' from {account.peer}' if account.peer else ''}: what is "
            f"beyond {self._rate} a second is not taken (ledger, reason throttled)"
            for account in recent
        ]
