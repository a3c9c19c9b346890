"""`Ledger`: the accounts of all sources and peers, what became of everything, and the last offenders."""

import threading
from collections.abc import Iterator

import numpy as np

from tallystick.ledger.account import Account, Balance
from tallystick.ledger.book import Book, summed
from tallystick.ledger.offenders import Offender, Offenders
from tallystick.ledger.prefixes import PREFIX_DEPTH, PREFIXES_MAX, Prefixes
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
        self.prefixes = Prefixes(prefix_depth, prefixes_max)
        self.book = Book(self.prefixes, windows_max)
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
            if (source, peer) not in self._accounts:
                number = self.book.open_account(source, peer)
                self._accounts[source, peer] = Account(self.book, number, source, peer, self.window)
                self._numbered.append(self._accounts[source, peer])
            return self._accounts[source, peer]

    def numbered(self, number: int) -> Account:
        """The account of a number."""
        return self._numbered[number]

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
            number = book.sources.index(source) if source in book.sources else -1
        if source:
            total, prefix_of = total[source_of == number], prefix_of[source_of == number]
        rows = summed(total, prefix_of, len(self.prefixes))
        found = np.flatnonzero(rows.any(axis=1)).tolist()
        return [Balance.of(rows[k], source, prefix=self.prefixes.text(k)) for k in found]

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
        return summed(counts, source_of, sources), summed(counts, prefix_of, len(self.prefixes))

    def note_offender(self, source: str, reason: Reason, text: bytes, peer: str = "") -> None:
        """Keep a rejected input to be read; see `Offenders.note`."""
        self.rejected_inputs.note(source, peer, reason, text)

    def offenders(self) -> Iterator[Offender]:
        """Rejected inputs, newest first."""
        return iter(self.rejected_inputs.found())
