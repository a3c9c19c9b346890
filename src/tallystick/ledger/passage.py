"""`Passage`: one batch on its way through the stages, and what it adds to the ledger at each.

Everything that becomes of a batch is counted for the window in which it arrived, however long it waits for the disk:
so each window adds up by itself.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.attributing import add_shares
from tallystick.ledger.book import Book, Shares
from tallystick.ledger.terms import BYTES, COLUMNS, LATE, MADE, PARSED, RECEIVED, REJECTED, ROUTED, STORED
from tallystick.model.reason import Reason


class Passage:
    """Counts for one batch; each method is for one stage, in their order.

    Parameters
    ----------
    source
        Number of the source of all of it.
    window
        Number of the window in which it arrived.
    """

    __slots__ = ("_book", "_parsed", "_source", "_window", "terms")

    def __init__(self, book: Book, source: int, window: int) -> None:
        self._book = book
        self._source = source
        self._window = window
        self._parsed: tuple[Shares, int] | None = None  # not counted yet: mostly all of them are routed, too
        self.terms: NDArray[np.int64] = np.zeros(COLUMNS, np.int64)
        """What became of the batch so far, by term: int64[COLUMNS]."""

    def unnamed(self, account: int, lines: int, size_bytes: int, rejected: NDArray[np.int64] | None = None) -> None:
        """Bytes of an account, and lines in them that were no samples with a name.

        Parameters
        ----------
        lines
            Those that were rejected, and samples that are told later by `Account.stored` and the like.
        rejected : int64[reasons]
            What the parser rejected, by reason.
        """
        book = self._book
        with book.lock:
            row = book.windows.counting(self._window)[book.place[account, 0]]
            passed = book.passed(self._source)
            for counts in (row, passed, self.terms):
                counts[BYTES] += size_bytes
                if lines:
                    counts[RECEIVED] += lines
                if rejected is not None:
                    counts[REJECTED:] += rejected

    def unnamed_of_several(
        self,
        accounts: NDArray[np.int32],
        lines: NDArray[np.int64],
        size_bytes: NDArray[np.int64],
        rejected: NDArray[np.int64],
    ) -> None:
        """The same of several accounts of the source, each once; `rejected` is int64[accounts, reasons]."""
        book = self._book
        with book.lock:
            counts = book.windows.counting(self._window)
            cells, passed = book.place[accounts, 0], book.passed(self._source)
            counts[cells, BYTES] += size_bytes
            for terms in (passed, self.terms):
                terms[BYTES] += size_bytes.sum()
            if lines.any():
                counts[cells, RECEIVED] += lines
                counts[cells, REJECTED:] += rejected
                for terms in (passed, self.terms):
                    terms[RECEIVED] += lines.sum()
                    terms[REJECTED:] += rejected.sum(axis=0)

    def parsed(self, shares: Shares, samples: int) -> None:
        """Samples that have a name; `routed` is to follow, or `gone_astray`."""
        self._parsed = shares, samples

    def made(self, shares: Shares, samples: int) -> None:
        """Samples that rules made of others."""
        self._count_parsed()
        self._add(shares, samples, MADE, MADE + 1)

    def routed(self, shares: Shares, samples: int) -> None:
        """Samples that go on to the store."""
        if self._parsed is not None and self._parsed[0] is shares:
            self._parsed = None
            self._add(shares, samples, RECEIVED, ROUTED + 1)
            return
        self._count_parsed()
        self._add(shares, samples, ROUTED, ROUTED + 1)

    def gone_astray(self) -> None:
        """Something failed on the route: what was parsed stays in flight, where it is seen."""
        self._count_parsed()

    def refused(self, reason: Reason, cells: NDArray[np.int32]) -> None:
        """Samples that a stage refused for one reason: the cell of each."""
        self._count_parsed()
        column = REJECTED + int(reason)
        self._add(Shares.of_rows(cells), len(cells), column, column + 1)

    def stored(self, shares: Shares, samples: int, late: Shares | None = None) -> None:
        """Samples that the store took; `late` are those of them that were late."""
        self._add(shares, samples, STORED, STORED + 1)
        if late is not None:
            self._add(late, late.total, LATE, LATE + 1)

    def _count_parsed(self) -> None:
        parsed, self._parsed = self._parsed, None
        if parsed is not None:
            self._add(*parsed, RECEIVED, PARSED + 1)

    def _add(self, shares: Shares, samples: int, first: int, stop: int) -> None:
        book = self._book
        with book.lock:
            counts, passed = book.windows.counting(self._window), book.passed(self._source)
            add_shares(counts, shares.cells, shares.counts, first, stop, passed, self.terms, samples)
