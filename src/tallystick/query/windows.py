"""Reductions over moving windows."""

from collections.abc import Callable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tallystick.kernels.moving import moving_sums
from tallystick.query.reduce import Values, enough, known_count, reduction, short_name

_CELLS_MAX = 4_000_000
_CACHED_VALUES = 1 << 16


def window_fold(ufunc: np.ufunc, values: Values, width: int) -> Values:
    """`ufunc` folded over each window of `width` neighbours along axis 1: float64[n, m - width + 1].

    Notes
    -----
    Three passes whatever the width; see `tallystick.kernels.moving`.
    """
    rows, slots = values.shape
    if slots < width:
        return np.empty((rows, 0))
    blocks = -(-slots // width)
    padded = np.zeros((rows, blocks * width))
    padded[:, :slots] = values
    shaped = padded.reshape(rows, blocks, width)
    heads = ufunc.accumulate(shaped, axis=2).reshape(rows, -1)
    tails = ufunc.accumulate(shaped[:, :, ::-1], axis=2)[:, :, ::-1].reshape(rows, -1)
    starts = np.arange(slots - width + 1)
    result = ufunc(tails[:, starts], heads[:, starts + width - 1])
    whole = starts[starts % width == 0]
    result[:, whole] = tails[:, whole]
    return np.asarray(result)


def moving(
    values: Values,
    width: int,
    word: str,
    x_files_factor: float | NDArray[np.float64],
    check_time: Callable[[], None] = lambda: None,
) -> Values:
    """The reduction `word` of the known values of each window, float64[n, m - width + 1].

    Parameters
    ----------
    x_files_factor
        Share of a window that must be known; one for all, or one for each row.
    check_time
        Called now and then; raises to stop.

    Notes
    -----
    A few rows at a time: what is worked out between stays in the cache, which saves a third of the time.
    """
    rows, slots = values.shape
    share = np.reshape(np.asarray(x_files_factor, np.float64), (-1, 1))
    wanted = (np.broadcast_to(share, (rows, 1)) - 1e-12) * width
    result = np.empty((rows, max(0, slots - width + 1)))
    at_once = max(1, _CACHED_VALUES // max(slots, 1))
    for begin in range(0, rows, at_once):
        check_time()
        part = slice(begin, begin + at_once)
        sums, counts = _sums(values[part], width)
        reduced = _reduced(values[part], sums, counts, width, short_name(word), check_time)
        result[part] = np.where((counts > 0) & (counts >= wanted[part]), reduced, np.nan)
    return result


def _reduced(
    values: Values,
    sums: Values,
    counts: NDArray[np.int64],
    width: int,
    word: str,
    check_time: Callable[[], None],
) -> Values:
    match word:
        case "sum" | "total":
            return sums
        case "average" | "avg" | "avg_zero":
            return sums / np.maximum(counts, 1)
        case "count":
            return counts.astype(np.float64)
        case "min":
            return window_fold(np.fmin, values, width)
        case "max":
            return window_fold(np.fmax, values, width)
        case "range" | "rangeOf":
            return window_fold(np.fmax, values, width) - window_fold(np.fmin, values, width)
        case "multiply":
            return window_fold(np.multiply, np.where(np.isnan(values), 1.0, values), width)
        case _:
            return _sliding(values, width, word, check_time)


def _sums(values: Values, width: int) -> tuple[Values, NDArray[np.int64]]:
    """The sum and the number of the known values of each window, both [n, m - width + 1]."""
    shape = len(values), max(0, values.shape[1] - width + 1)
    sums, counts = np.empty(shape), np.empty(shape, np.int64)
    moving_sums(values, width, np.empty(width), np.empty(width, np.int64), sums, counts)
    return sums, counts


def _sliding(values: Values, width: int, word: str, check_time: Callable[[], None]) -> Values:
    """Any reduction, window by window, in pieces that keep memory bounded."""
    rows, slots = values.shape
    if slots < width:
        return np.empty((rows, 0))
    result = np.empty((rows, slots - width + 1))
    piece = max(1, _CELLS_MAX // width)
    for row in range(rows):
        views = sliding_window_view(values[row], width)
        for begin in range(0, len(views), piece):
            check_time()
            result[row, begin : begin + piece] = reduction(word)(views[begin : begin + piece], 1)
    return result


def bucketed(values: Values, bucket: NDArray[np.int64], buckets: int, word: str) -> tuple[Values, NDArray[np.int64]]:
    """Values reduced within buckets, and how many of each were known.

    Parameters
    ----------
    values : float64[n, m]
    bucket : int64[m]
        The bucket of each slot, ascending; those outside of 0 to `buckets` are left out.

    Returns
    -------
    float64[n, buckets], int64[n, buckets]
    """
    edges = np.searchsorted(bucket, np.arange(buckets + 1))
    widths = np.diff(edges)
    reduced = np.full((len(values), buckets), np.nan)
    known = np.zeros((len(values), buckets), np.int64)
    for width in np.unique(widths[widths > 0]).tolist():
        chosen = np.flatnonzero(widths == width)
        cells = values[:, edges[chosen][:, np.newaxis] + np.arange(width)]
        reduced[:, chosen] = reduction(word)(cells, 2)
        known[:, chosen] = known_count(cells, 2)
    return reduced, known


def where_enough(reduced: Values, known: NDArray[np.int64], slots: float, shares: NDArray[np.float64]) -> Values:
    """`reduced` where enough values of a bucket were known, by each row's own share."""
    keep = (
        np.stack([enough(row, slots, float(share)) for row, share in zip(known, shares, strict=True)])
        if len(known)
        else known
    )
    return np.where(keep, reduced, np.nan)
