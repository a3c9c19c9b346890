"""`Accumulator`: a matrix series x slots that tallies are merged into.

Reading, sealing, compaction and rolling up all merge through it, so there is one meaning of "merge" in the store.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.histogram import bucket_column, merge_cells
from tallystick.fold.sketch import merge_sketches, pack_sketches
from tallystick.kernels.accumulate import merge_last, merge_singles, merge_spread
from tallystick.kernels.histogram import percentile_of_cells
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Histograms, Spread, Tally

_BEFORE_ALL = np.iinfo(np.int64).min


class Accumulator:
    """Cells of some series over a range of slots.

    Parameters
    ----------
    n_rows
        Series.
    first, width
        First slot and number of slots, of `step_s` seconds.
    spreads
        Keep count, sum, M2, min and max; without it only the last values are kept, at a quarter of the cost.
    histograms
        Keep the histograms of timings.
    """

    def __init__(
        self, n_rows: int, first: int, width: int, step_s: int, *, spreads: bool = True, histograms: bool = False
    ) -> None:
        self.first = first
        self.step_s = step_s
        self.last = np.full((n_rows, width), np.nan)
        self._last_slot: NDArray[np.int64] = np.full((n_rows, width), _BEFORE_ALL, np.int64)
        self.cells = np.zeros((n_rows, width, 5)) if spreads else np.zeros((0, 0, 5))
        self._spreads = spreads
        self._histograms: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]] | None = (
            [] if histograms else None
        )
        self._sketches: dict[int, list[bytes]] = {}

    def add(self, tally: Tally, row: NDArray[np.int32], timing_rows: NDArray[np.bool_] | None = None) -> None:
        """Merge a tally; `row` is the matrix row of each of its rows, tallies come in the order of their arrival.

        Parameters
        ----------
        tally
            Its step divides the accumulator's.
        timing_rows : bool[n_rows], optional
            Which matrix rows are timings: a timing of one sample has no stored histogram, it follows from the value.
        """
        slot = np.ascontiguousarray(tally.slot)
        steps = (tally.step_s, self.step_s, self.first)
        merge_last(row, slot, tally.last, *steps, self.last, self._last_slot)
        if self._spreads:
            if tally.spread is None:
                merge_singles(row, slot, tally.last, *steps, self.cells)
            else:
                s = tally.spread
                merge_spread(row, slot, s.count, s.sum, s.m2, s.min, s.max, *steps, self.cells)
        if tally.sketches is not None:
            self._add_sketches(tally, row)
        if self._histograms is not None and timing_rows is not None:
            self._add_histograms(tally, row, timing_rows)

    def statistic(self, statistic: Statistic) -> NDArray[np.float64]:
        """float64[n_rows, width] of one statistic; NaN in empty cells."""
        self._settle_sketches()
        if statistic is Statistic.LAST:
            return self.last
        count, total, m2, low, high = (self.cells[:, :, k] for k in range(5))
        empty = count == 0.0
        with np.errstate(invalid="ignore", divide="ignore"):
            match statistic:
                case Statistic.AVG:
                    values = total / count
                case Statistic.SDEV:
                    values = np.sqrt(np.maximum(m2, 0.0) / count)
                case Statistic.MIN:
                    values = low
                case Statistic.MAX:
                    values = high
                case Statistic.COUNT:
                    values = count
                case _:
                    values = total
        return np.where(empty, np.nan, values)

    def percentiles(self, ranks: list[float]) -> dict[float, NDArray[np.float64]]:
        """float64[n_rows, width] for each rank of 0 to 100, from the histograms.

        A bucket stands for its middle; that of the least and the greatest sample may lie beyond them, which no sample
        does.
        """
        histograms = self.merged_histograms()
        least, greatest = self.cells[:, :, 3], self.cells[:, :, 4]
        found = {}
        for rank in ranks:
            out = np.empty(self.last.size)
            percentile_of_cells(histograms.offset, histograms.bucket, histograms.weight, rank / 100.0, out)
            found[rank] = np.clip(out.reshape(self.last.shape), least, greatest)
        return found

    def merged_histograms(self) -> Histograms:
        """The histogram of each cell, cells in row-major order."""
        parts = self._histograms or [(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0))]
        merged = merge_cells(
            self.last.size,
            np.concatenate([cell for cell, _, _ in parts]),
            np.concatenate([bucket for _, bucket, _ in parts]),
            np.concatenate([weight for _, _, weight in parts]),
        )
        if self._histograms is not None:
            cell = np.repeat(np.arange(self.last.size), np.diff(merged.offset))
            self._histograms = [(cell, merged.bucket, merged.weight)]
        return merged

    def sketches(self) -> dict[int, bytes]:
        """The sketch of each cell that has one, by its number in row-major order."""
        self._settle_sketches()
        return {cell: parts[0] for cell, parts in self._sketches.items()}

    def tally(self) -> Tally:
        """All that is in the cells; ``series`` of the result are rows of the matrix."""
        sketches = self.sketches()
        row, column = np.nonzero(self.cells[:, :, 0])
        cell = row * self.last.shape[1] + column
        packed = pack_sketches([sketches.get(int(k), b"") for k in cell]) if sketches else None
        return Tally(
            self.step_s,
            row.astype(np.int32),
            column.astype(np.int64) + self.first,
            self.last[row, column],
            Spread(*(self.cells[row, column, k] for k in range(5))),
            self.merged_histograms().take(cell) if self._histograms is not None else None,
            packed,
        )

    def _cells_of(self, tally: Tally, row: NDArray[np.int32]) -> NDArray[np.int64]:
        """Number of the cell that each row falls in, -1 outside."""
        column = tally.slot * tally.step_s // self.step_s - self.first
        width = self.last.shape[1]
        cell = row.astype(np.int64) * width + column
        return np.where((column >= 0) & (column < width), cell, -1)

    def _add_histograms(self, tally: Tally, row: NDArray[np.int32], timing_rows: NDArray[np.bool_]) -> None:
        assert self._histograms is not None
        cell = self._cells_of(tally, row)
        if tally.spread is None:
            mine = (cell >= 0) & timing_rows[row]
            if mine.any():
                self._histograms.append((cell[mine], bucket_column(tally.last[mine]), np.ones(int(mine.sum()))))
        elif tally.histograms is not None:
            h = tally.histograms
            of_bucket = np.repeat(cell, np.diff(h.offset))
            mine = of_bucket >= 0
            self._histograms.append((of_bucket[mine], h.bucket[mine], h.weight[mine]))

    def _add_sketches(self, tally: Tally, row: NDArray[np.int32]) -> None:
        assert tally.sketches is not None
        data, offset = tally.sketches.data.tobytes(), tally.sketches.offset.tolist()
        for k, cell in enumerate(self._cells_of(tally, row).tolist()):
            if cell >= 0 and offset[k] < offset[k + 1]:
                self._sketches.setdefault(cell, []).append(data[offset[k] : offset[k + 1]])

    def _settle_sketches(self) -> None:
        """Make one sketch of several in a cell, and their number of members its value."""
        for cell, parts in self._sketches.items():
            if len(parts) > 1:
                merged, members = merge_sketches(parts)
                self._sketches[cell] = [merged]
                self.last.flat[cell] = members
