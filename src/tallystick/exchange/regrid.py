"""Rows of any length on a grid of slots: each counts in the slots it lies in for the share of its time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.model.tally import Spread, Tally
from tallystick.store.accumulator import Accumulator

PIECES_MAX = 1 << 24
"""Pieces of rows in all slots; rows of an hour for two years are 17,520."""
_STEPS_S = (3600, 300, 60, 10, 1)


@dataclass(frozen=True, slots=True)
class Rows:
    """Statistics over stretches of time, those of a series ascending and apart from each other.

    Parameters
    ----------
    series : int32[n]
        Ascending.
    start_s, end_s : int64[n]
        The stretch, epoch seconds, its end excluded.
    last : float64[n]
        Its latest value.
    spread
        The other statistics.
    """

    series: NDArray[np.int32]
    start_s: NDArray[np.int64]
    end_s: NDArray[np.int64]
    last: NDArray[np.float64]
    spread: Spread

    def take(self, rows: NDArray[np.bool_]) -> "Rows":
        """The rows selected."""
        return Rows(self.series[rows], self.start_s[rows], self.end_s[rows], self.last[rows], self.spread.take(rows))


def step_for(row_s: int) -> int:
    """The step of the slots that rows of `row_s` seconds go into: theirs if it fits into an hour, else a shorter one.

    An archive of 70 or 26,350 seconds a row (collectd makes such) fits no resolution; cut to 60 or 3,600 seconds its
    rows are steps of a stair, as the program that made it draws them.
    """
    return row_s if 3600 % row_s == 0 else next(step for step in _STEPS_S if step <= row_s)


def regrid(rows: Rows, step_s: int) -> Tally:
    """The tally of the slots of `step_s` that the rows lie in.

    Raises
    ------
    ValueError
        If these are more than `PIECES_MAX`.

    Notes
    -----
    Count, sum and M2 of a row are shared out by time, so that averages over any time stay those of the rows. Minimum
    and maximum stand in every slot that the row touches: when in its time they were is not known.
    """
    first, end = rows.start_s // step_s, -(-rows.end_s // step_s)
    pieces = end - first
    if int(pieces.sum()) > PIECES_MAX:
        raise ValueError(f"its rows lie in {int(pieces.sum())} slots of {step_s} s; expected at most {PIECES_MAX}")
    row = np.repeat(np.arange(len(first)), pieces)
    slot = first[row] + np.arange(len(row)) - (np.cumsum(pieces) - pieces)[row]
    begin_s, end_s = np.maximum(rows.start_s[row], slot * step_s), np.minimum(rows.end_s[row], (slot + 1) * step_s)
    share = (end_s - begin_s) / (rows.end_s - rows.start_s)[row]
    s = rows.spread
    spread = Spread(s.count[row] * share, s.sum[row] * share, s.m2[row] * share, s.min[row], s.max[row])
    return _merged(Tally(step_s, rows.series[row], slot, rows.last[row], spread))


def _merged(pieces: Tally) -> Tally:
    """One row for each slot of a series, and no spread if each is one sample."""
    if not len(pieces):
        return pieces
    new = np.concatenate([[True], (np.diff(pieces.slot) != 0) | (np.diff(pieces.series) != 0)])
    number = np.cumsum(new) - 1
    nobody = np.zeros(len(pieces), np.int32)
    cells = Accumulator(1, 0, int(number[-1]) + 1, 1)
    cells.add(Tally(1, nobody, number, pieces.last, pieces.spread), nobody)
    count, total, m2, low, high = (np.ascontiguousarray(cells.cells[0, :, k]) for k in range(5))
    last = cells.last[0]
    single = bool(((count == 1.0) & (total == last) & (low == last) & (high == last)).all())
    spread = None if single else Spread(count, total, m2, low, high)
    return Tally(pieces.step_s, pieces.series[new], pieces.slot[new], last, spread)
