"""`FinishedSlots`: the slots of a head that are over.

A slot of many rows stays a tally of its own. Those of few rows, which is what series leave that seldom report, are
gathered into common tallies: memory and the time of a look follow the rows, not the slots.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tallystick.model.tally import Tally
from tallystick.store.blocks.arranging import concatenated, in_order

FEW_ROWS = 4096
"""A tally of its own costs a kilobyte beside its rows: nothing for so many."""
_GATHERED_ROWS_MAX = 1 << 17
"""Larger ones are gathered no further: appending waits meanwhile, some 20 ms for so many rows."""

_Columns = tuple[bool, bool, bool]


@dataclass(slots=True)
class _Gathered:
    """Tallies with the same columns, in the order of arrival; the slots of all lie in ``[low, high]``."""

    low: int
    high: int
    tallies: list[Tally] = field(default_factory=list)

    def add(self, tally: Tally, low: int, high: int) -> None:
        self.low, self.high = min(self.low, low), max(self.high, high)
        # As in a binary counter: a row is copied once for each doubling, and few tallies are left.
        while self.tallies and len(self.tallies[-1]) <= min(len(tally), _GATHERED_ROWS_MAX):
            tally = in_order(concatenated([self.tallies.pop(), tally]))
        self.tallies.append(tally)


class FinishedSlots:
    """Tallies in the order of arrival, as far as that means anything: among the rows of one slot of a series.

    Not thread-safe: the owner holds a lock around each call.
    """

    def __init__(self) -> None:
        self._tallies: list[Tally] = []
        self._gathered: dict[_Columns, _Gathered] = {}  # arrived after those
        self._rows = 0

    def __len__(self) -> int:
        """Rows."""
        return self._rows

    def tallies(self) -> list[Tally]:
        """All of them; no tally that was given is changed later."""
        return [*self._tallies, *(tally for gathered in self._gathered.values() for tally in gathered.tallies)]

    def add(self, tallies: Sequence[Tally]) -> None:
        """Take tallies of which no two have the same slot of a series."""
        tallies = [tally for tally in tallies if len(tally)]
        spans = [(int(tally.slot.min()), int(tally.slot.max())) for tally in tallies]
        if any(self._would_change_places(tally, *span) for tally, span in zip(tallies, spans, strict=True)):
            self._tallies, self._gathered = self.tallies(), {}
        for tally, (low, high) in zip(tallies, spans, strict=True):
            self._rows += len(tally)
            if len(tally) > FEW_ROWS:
                self._tallies.append(_sharing_series(tally, self._tallies))
            else:
                self._gathered.setdefault(_columns(tally), _Gathered(low, high)).add(tally, low, high)

    def _would_change_places(self, tally: Tally, low: int, high: int) -> bool:
        """Whether slots of a tally may be among those that it would come before, although it arrives after them."""
        own = _columns(tally) if len(tally) <= FEW_ROWS else None
        return any(columns != own and low <= g.high and high >= g.low for columns, g in self._gathered.items())


def _columns(tally: Tally) -> _Columns:
    return tally.spread is None, tally.histograms is None, tally.sketches is None


def _sharing_series(tally: Tally, earlier: Sequence[Tally]) -> Tally:
    """The same tally, with the series column of an earlier one where that is equal: slot after slot it usually is."""
    for other in reversed(earlier[-3:]):
        if len(other) == len(tally) and np.array_equal(other.series, tally.series):
            return Tally(
                tally.step_s, other.series, tally.slot, tally.last, tally.spread, tally.histograms, tally.sketches
            )
    return tally
