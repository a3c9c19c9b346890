"""The ledger's counts as series of their own, so that what became of the data can be graphed like any of it.

``ledger.listeners.<source>.``
    ``received``, ``stored``, ``made``, ``late``, ``kernel_drops``, ``queue_drops``, ``generated``,
    ``rejected.<reason>``
``ledger.peers.<source>.<peer>.``
    ``received``, ``stored``, ``rejected``
``ledger.prefixes.<prefix>.``
    ``stored``, ``lost`` (see `tallystick.ledger.completeness`)
``ledger.broken``
    laws that did not hold

All are counters, stamped with the window that they are of. What becomes of a sample after its window was written is
added to the same slot: the sums stay exact. There are no more of them than the ledger tells sources, peers and
prefixes apart.
"""

from collections.abc import Iterator

import numpy as np

from tallystick.kernels.attributing import UNDECIDED
from tallystick.ledger.account import Balance
from tallystick.ledger.book import summed
from tallystick.ledger.completeness import kept_in, window_start_s
from tallystick.ledger.ledger import Ledger
from tallystick.model.kind import Kind
from tallystick.model.point import Point
from tallystick.native.names import component

_WINDOWS_WATCHED = 12
"""So many windows are looked at again for what came late: two minutes."""


class LedgerCollector:
    """Gives what is new in windows that are over."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._given: dict[int, dict[str, float]] = {}

    def collect(self, *, final: bool = False) -> Iterator[tuple[int, list[Point]]]:
        """Epoch seconds of windows, oldest first, and counters that are to be added there.

        Parameters
        ----------
        final
            Whether nothing follows: the present window is given, too.
        """
        present = self._ledger.window()
        last = present if final else present - 1
        for number in self._ledger.windows():
            if not present - _WINDOWS_WATCHED <= number <= last:
                continue
            given = self._given.setdefault(number, {})
            counts = dict(self._counts(number))
            fresh = {name: count - given.get(name, 0.0) for name, count in counts.items() if name not in given}
            fresh |= {name: count - given[name] for name, count in counts.items() if count > given.get(name, count)}
            given |= counts
            if fresh:
                yield window_start_s(number), [Point(name, count, Kind.COUNTER) for name, count in fresh.items()]
        for number in [one for one in self._given if one < present - _WINDOWS_WATCHED or one > present]:
            del self._given[number]

    def _counts(self, number: int) -> Iterator[tuple[str, float]]:
        for balance in window_balances(self._ledger, number):
            yield from _of_listener(balance)
        for balance in window_peers(self._ledger, number):
            yield from _of_peer(balance)
        kept = kept_in(self._ledger, number)
        lost = kept.lost.sum(axis=1)
        for prefix in np.flatnonzero((kept.stored > 0) | (lost > 0)).tolist():
            if prefix == UNDECIDED:
                continue
            name = prefix_name(kept.prefixes.text(prefix))
            yield f"{name}.stored", float(kept.stored[prefix])
            yield f"{name}.lost", float(lost[prefix])


def prefix_name(prefix: str) -> str:
    """Where the series of a prefix lie, below ``tallystick.``."""
    return "ledger.prefixes." + (".".join(component(part) for part in prefix.split(".") if part) or "unnamed")


def window_balances(ledger: Ledger, number: int) -> list[Balance]:
    """The balance of each source in one window."""
    by_source, _ = ledger.in_window(number)
    return [Balance.of(row, source) for row, source in zip(by_source, ledger.book.sources, strict=False)]


def window_peers(ledger: Ledger, number: int) -> list[Balance]:
    """The balance of each peer that is known in one window, those that sent nothing left out."""
    book = ledger.book
    with book.lock:
        counts, account_of = book.windows.window(number, book.cells), book.account_of.copy()
    rows = summed(counts, account_of, int(account_of.max(initial=0)) + 1)
    accounts = [ledger.numbered(k) for k in np.flatnonzero(rows.any(axis=1)).tolist()]
    return [Balance.of(rows[a.number], a.source, a.peer) for a in accounts if a.peer]


def _of_listener(balance: Balance) -> Iterator[tuple[str, float]]:
    name = f"ledger.listeners.{component(balance.source)}"
    yield f"{name}.received", balance.received
    yield f"{name}.stored", balance.stored
    others = {
        "made": balance.made,
        "late": balance.late,
        "kernel_drops": balance.kernel_drops,
        "queue_drops": balance.queue_drops,
        "generated": balance.generated,
    }
    others |= {f"rejected.{reason}": count for reason, count in balance.rejected.items()}
    for what, count in others.items():
        if count:
            yield f"{name}.{what}", count


def _of_peer(balance: Balance) -> Iterator[tuple[str, float]]:
    name = f"ledger.peers.{component(balance.source)}.{component(balance.peer)}"
    yield f"{name}.received", balance.received
    yield f"{name}.stored", balance.stored
    if balance.rejected:
        yield f"{name}.rejected", sum(balance.rejected.values())
