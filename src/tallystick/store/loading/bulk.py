"""`BulkLoader`: gathers many small pieces of history into few large ones.

A tree of files comes as a piece for each of them; a store, or a server, takes a million rows at once far more cheaply.
"""

from collections.abc import Callable, Sequence
from types import TracebackType

import numpy as np

from tallystick.model.kind import Kind
from tallystick.store.blocks.arranging import concatenated
from tallystick.store.history import History, Loaded

ROWS_MAX = 1 << 21


class BulkLoader:
    """Takes pieces of any size and hands on large ones; the last of them when its ``with`` block ends.

    Parameters
    ----------
    take
        Loads a piece: ``store.load``, or ``add`` of a `Loading`.
    rows_max
        So many rows are gathered: it bounds memory, at about 60 bytes a row.

    Attributes
    ----------
    loaded : Loaded
        What became of what was handed on.
    """

    def __init__(self, take: Callable[[History], Loaded], rows_max: int = ROWS_MAX) -> None:
        self._take = take
        self._rows_max = rows_max
        self._pieces: dict[tuple[int, bool, bool, bool], list[History]] = {}
        self._rows = 0
        self.loaded = Loaded()

    def __enter__(self) -> "BulkLoader":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.flush()

    def add(self, history: History) -> None:
        """Take a piece."""
        tally = history.tally
        if not len(tally):
            return
        key = (tally.step_s, tally.spread is None, tally.histograms is None, tally.sketches is None)
        self._pieces.setdefault(key, []).append(history)
        self._rows += len(history)
        if self._rows >= self._rows_max:
            self.flush()

    def flush(self) -> None:
        """Hand on what was gathered."""
        gathered, self._pieces, self._rows = self._pieces, {}, 0
        for pieces in gathered.values():
            self.loaded += self._take(joined(pieces))


def joined(pieces: Sequence[History]) -> History:
    """One history of several with the same step and the same columns."""
    if len(pieces) == 1:
        return pieces[0]
    names = [name for piece in pieces for name in piece.names]
    kinds: list[Kind] = [kind for piece in pieces for kind in piece.kinds]
    base = np.cumsum([0, *(len(piece.names) for piece in pieces)])
    tallies = [piece.tally for piece in pieces]
    series = np.concatenate([t.series + np.int32(b) for t, b in zip(tallies, base[:-1], strict=True)])
    return History(names, kinds, concatenated(tallies, series.astype(np.int32)))
