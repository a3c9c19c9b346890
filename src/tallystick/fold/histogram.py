"""Histograms of timings: growing a slot's table, and bringing cells into compressed-row form.

The bounds of the buckets are those of `tallystick.kernels.histogram`.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.histogram import EMPTY, SHIFT, add_cells, add_samples, buckets_of, rehash
from tallystick.model.tally import Histograms, offsets

_KEY_SHIFT = 2 * SHIFT
_START_SIZE = 1 << 12


class HistogramTable:
    """The histograms of all timings of one open slot; memory follows the number of buckets in use."""

    def __init__(self) -> None:
        self._keys = np.full(_START_SIZE, EMPTY, np.int64)
        self._weights = np.zeros(_START_SIZE)
        self._used = 0

    def add(self, series: NDArray[np.int32], value: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        """Count samples (columns of equal length)."""
        # In pieces, so that many samples in few buckets do not ask for a table that they will not fill.
        for start in range(0, len(series), 8192):
            piece = slice(start, start + 8192)
            self._make_room(min(8192, len(series) - start))
            self._used += add_samples(series[piece], value[piece], weight[piece], self._keys, self._weights)

    def add_cells(self, series: NDArray[np.int32], bucket: NDArray[np.int32], weight: NDArray[np.float64]) -> None:
        """Count samples that are in buckets already (columns of equal length)."""
        for start in range(0, len(series), 8192):
            piece = slice(start, start + 8192)
            self._make_room(min(8192, len(series) - start))
            self._used += add_cells(series[piece], bucket[piece], weight[piece], self._keys, self._weights)

    def cells(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        """Columns series, bucket, weight, sorted by series and bucket."""
        filled = np.flatnonzero(self._keys != EMPTY)
        keys = self._keys[filled]
        order = np.argsort(keys)
        keys = keys[order]
        bucket = (keys & 0xFFFFFFFF) - _KEY_SHIFT
        return (keys >> 32).astype(np.int32), bucket.astype(np.int32), self._weights[filled][order]

    def _make_room(self, samples: int) -> None:
        size = len(self._keys)
        while (self._used + samples) * 2 > size:
            size *= 2
        if size == len(self._keys):
            return
        keys, weights = np.full(size, EMPTY, np.int64), np.zeros(size)
        rehash(self._keys, self._weights, keys, weights)
        self._keys, self._weights = keys, weights


def bucket_column(value: NDArray[np.float64]) -> NDArray[np.int32]:
    """The bucket number of each value."""
    out = np.empty(len(value), np.int32)
    buckets_of(value, out)
    return out


def merge_cells(
    n_rows: int, row: NDArray[np.int64], bucket: NDArray[np.int32], weight: NDArray[np.float64]
) -> Histograms:
    """Histograms of rows ``0 .. n_rows - 1`` from cells in any order; cells of one row and bucket are added up."""
    key = (row.astype(np.int64) << 32) | (bucket.astype(np.int64) + _KEY_SHIFT)
    unique, position = np.unique(key, return_inverse=True)
    summed: NDArray[np.float64] = np.bincount(position, weights=weight, minlength=len(unique)).astype(np.float64)
    lengths = np.bincount(unique >> 32, minlength=n_rows)
    return Histograms(offsets(lengths), ((unique & 0xFFFFFFFF) - _KEY_SHIFT).astype(np.int32), summed)
