"""`Ledger`: the accounts of all sources and peers, what became of everything, and the last offenders."""

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import NAMED
from tallystick.ledger.account import Account, Balance
from tallystick.ledger.book import Book, summed
from tallystick.ledger.offenders import Offender, Offenders
from tallystick.ledger.prefixes import PREFIX_DEPTH, PREFIXES_MAX, Prefixes
from tallystick.ledger.silent import latest, least_recent
from tallystick.ledger.terms import WINDOW_S
from tallystick.ledger.windows import WINDOWS_MAX, Counts
from tallystick.model.clock import Clock
from tallystick.model.reason import Reason

PEERS_MAX = 100
OTHER_PEER = "other"
"""Whose account those peers share that came after as many as are told apart."""


class Ledger:
    """All accounts, and the last offenders; thread-safe.

    Parameters
    ----------
    clock
        Tells the windows.
    prefix_depth, prefixes_max
        See `tallystick.ledger.prefixes.Prefixes`.
    peers_max
        So many peers of a source have an account of their own.
    windows_max
        So many windows are kept in memory.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        prefix_depth: int = PREFIX_DEPTH,
        prefixes_max: int = PREFIXES_MAX,
        peers_max: int = PEERS_MAX,
        windows_max: int = WINDOWS_MAX,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, str], Account] = {}
        self._numbered: list[Account] = []
        self._peers: dict[str, int] = {}
        self.peers_max = peers_max
        self.turns = 0
        """How often peers gave way: numbers of accounts that somebody keeps mean others since then."""
        self.book = Book(Prefixes(prefix_depth, prefixes_max), windows_max)
        self.rejected_inputs = Offenders(clock)

    def account(self, source: str, peer: str = "") -> Account:
        """The account of a peer of a source (a listener, a route of HTTP), opened on first use.

        Where the source has as many peers as are told apart, it is the one that all further ones share.
        """
        with self._lock:
            if (source, peer) not in self._accounts and peer:
                if self._peers.get(source, 0) >= self.peers_max:
                    peer = OTHER_PEER
                else:
                    self._peers[source] = self._peers.get(source, 0) + 1
            return self._opened(source, peer)

    def make_room(self) -> NDArray[np.uint16] | None:
        """Have those who fell silent give way where no place is left; see `tallystick.ledger.silent`.

        To be called now and then, with the lock of the table of names held.

        Returns
        -------
        uint16[prefixes] or None
            The new number of each prefix, where some gave way.
        """
        present, book = self.window(), self.book
        with self._lock:
            full = [source for source, peers in self._peers.items() if peers >= self.peers_max]
            others = {source: self._opened(source, OTHER_PEER) for source in full}
            with book.lock:
                book.settle(present)
                prefixes_full = len(book.prefixes) == book.prefixes.columns
                if not (full or prefixes_full or book.is_full):
                    return None
                last = book.windows.last_counted(book.cells)
                for source in full:
                    self._let_peers_go(others[source], last, present)
                if book.is_full:
                    named = np.flatnonzero(book.in_use & (book.prefix_of >= NAMED))
                    book.retire_cells(named[least_recent(last[named], present, len(named))], present)
                if not prefixes_full:
                    return None
                heard = latest(last, book.prefix_of, len(book.prefixes))[NAMED:]
                gone = least_recent(heard, present, len(heard)) + NAMED
                return book.retire_prefixes(gone, present) if len(gone) else None

    def _let_peers_go(self, other: Account, last: NDArray[np.int64], present: int) -> None:
        """Have silent peers of a source counted as `other`."""
        peers = [one for (source, peer), one in self._accounts.items() if source == other.source and peer]
        told = [one for one in peers if one is not other]
        heard = latest(last, self.book.account_of, len(self._numbered))[[one.number for one in told]]
        gone = [told[k] for k in least_recent(heard, present, len(told)).tolist()]
        if not gone:
            return
        self.book.retire_accounts(np.array([one.number for one in gone]), other.number, present)
        for one in gone:
            del self._accounts[one.source, one.peer]
            one.number = other.number  # a connection may have it still
        self._peers[other.source] -= len(gone)
        self.turns += 1

    def _opened(self, source: str, peer: str) -> Account:
        if (source, peer) not in self._accounts:
            number = self.book.open_account(source, peer)
            account = self._accounts[source, peer] = Account(self.book, number, source, peer, self.window)
            self._numbered[number : number + 1] = [account]  # behind the last one, or in the place of one that left
        return self._accounts[source, peer]

    @property
    def prefixes(self) -> Prefixes:
        """What the ledger counts by; numbers are of this object."""
        return self.book.prefixes

    def numbered(self, number: int) -> Account:
        """The account of a number."""
        return self._numbered[number]

    def host_of(self, number: int) -> str:
        """The host that the account of a number is of; empty if that is no single one."""
        peer = self.book.peer(number)
        return "" if peer == OTHER_PEER else peer

    def window(self) -> int:
        """The number of the present window."""
        return int(self._clock.now() // WINDOW_S)

    def balances(self) -> list[Balance]:
        """The balance of each source, of all peers together, in the order of opening."""
        book = self.book
        with book.lock:
            total, source_of, sources = book.windows.total(book.cells), book.source_of, list(book.sources)
        rows = summed(total, source_of, len(sources))
        return [Balance.of(row, source) for row, source in zip(rows, sources, strict=True)]

    def peers(self, source: str) -> list[Balance]:
        """The balance of each peer of a source, in the order of opening."""
        return self.by_peer().get(source, [])

    def by_peer(self) -> dict[str, list[Balance]]:
        """The balance of each peer of each source, in the order of opening."""
        book = self.book
        with book.lock:
            total, account_of = book.windows.total(book.cells), book.account_of.copy()
        with self._lock:
            accounts = list(self._accounts.values())
        rows = summed(total, account_of, int(account_of.max(initial=0)) + 1)
        found: dict[str, list[Balance]] = {}
        for account in accounts:
            if account.number < len(rows):
                balance = Balance.of(rows[account.number], account.source, account.peer)
                found.setdefault(account.source, []).append(balance)
        return found

    def by_prefix(self, source: str = "") -> list[Balance]:
        """The balance of each prefix, of one source or of all; what had no name has the empty one."""
        book = self.book
        with book.lock:
            total, prefix_of, source_of = book.windows.total(book.cells), book.prefix_of.copy(), book.source_of
            prefixes = book.prefixes
            number = book.sources.index(source) if source in book.sources else -1
        if source:
            total, prefix_of = total[source_of == number], prefix_of[source_of == number]
        rows = summed(total, prefix_of, len(prefixes))
        found = np.flatnonzero(rows.any(axis=1)).tolist()
        return [Balance.of(rows[k], source, prefix=prefixes.text(k)) for k in found]

    def windows(self) -> list[int]:
        """Numbers of the windows in memory, ascending."""
        with self.book.lock:
            return self.book.windows.numbers()

    def in_window(self, number: int) -> tuple[Counts, Counts]:
        """What was counted in a window: by source (int64[sources, COLUMNS]) and by prefix."""
        book = self.book
        with book.lock:
            counts = book.windows.window(number, book.cells)
            source_of, prefix_of, sources = book.source_of, book.prefix_of.copy(), len(book.sources)
            prefixes = len(book.prefixes)
        return summed(counts, source_of, sources), summed(counts, prefix_of, prefixes)

    def note_offender(self, source: str, reason: Reason, text: bytes, peer: str = "") -> None:
        """Keep a rejected input to be read; see `Offenders.note`."""
        self.rejected_inputs.note(source, peer, reason, text)

    def offenders(self) -> Iterator[Offender]:
        """Rejected inputs, newest first."""
        return iter(self.rejected_inputs.found())
