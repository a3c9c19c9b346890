"""Decoded columns of compressed pages, kept while there is room: dashboards ask for the same pages every ten
seconds."""

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

DECODED_BYTES_MAX = 256 << 20
"""Memory for decoded columns, over all blocks."""


class DecodedPages:
    """The last values of those pages of one block that were read; thread-safe."""

    def __init__(self, pages: int) -> None:
        self._lock = threading.Lock()
        self._at = np.full(pages, -1, np.int64)
        self._values = np.empty(0)
        self._used = 0

    @property
    def size_bytes(self) -> int:
        """Memory taken."""
        return self._at.nbytes + self._values.nbytes

    def of(
        self, pages: NDArray[np.int64], decode: Callable[[int], NDArray[np.float64]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Where the values of each page begin, and all values; pages that were not read before are decoded.

        Parameters
        ----------
        pages : int64[n]
            Numbers of pages.
        decode
            Gives the values of one page.
        """
        with self._lock:
            missing = pages[self._at[pages] < 0].tolist()
            if missing:
                self._add(missing, [decode(page) for page in missing])
            return self._at[pages], self._values

    def _add(self, pages: list[int], columns: list[NDArray[np.float64]]) -> None:
        lengths = np.array([len(column) for column in columns])
        end = self._used + int(lengths.sum())
        if end > len(self._values):
            # Replaced, never written again: whoever reads the old array meanwhile is not disturbed.
            wider = np.empty(max(end, 2 * len(self._values)))
            wider[: self._used] = self._values[: self._used]
            self._values = wider
        np.concatenate(columns, out=self._values[self._used : end])
        self._at[pages] = self._used + np.cumsum(lengths) - lengths
        self._used = end


class DecodedCache:
    """`DecodedPages` of the blocks that were read last, up to a number of bytes; thread-safe."""

    def __init__(self, bytes_max: int = DECODED_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._blocks: OrderedDict[str, DecodedPages] = OrderedDict()

    def of_block(self, name: str, pages: int) -> DecodedPages:
        """What is kept of a block; makes room by forgetting the blocks that were not read for longest."""
        with self._lock:
            kept = self._blocks.get(name)
            if kept is None:
                kept = self._blocks[name] = DecodedPages(pages)
            self._blocks.move_to_end(name)
            while len(self._blocks) > 1 and sum(b.size_bytes for b in self._blocks.values()) > self._bytes_max:
                self._blocks.popitem(last=False)
            if kept.size_bytes > self._bytes_max:  # one block alone can hold gigabytes: it begins anew
                kept = self._blocks[name] = DecodedPages(pages)
            return kept
