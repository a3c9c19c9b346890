"""Histograms as senders report them: what came between two reports, and that in buckets of ours.

A report has buckets of its own, between explicit bounds or exponential ones of some scale, and counts either since the
report before or since the sender began. `take_differences` turns the second sort into the first; `spread_buckets`
puts what is counted into the buckets of `tallystick.kernels.histogram`:

- Exponential buckets that are finer than ours lie whole in one of them: nothing is lost, and whoever writes reports
  joins them at once (`Reports.scale` is never above 5).
- Of a wider bucket it is not known where in it the samples were. They are put at even distances, by value between
  explicit bounds as Prometheus interpolates, by bucket in exponential ones: as whole samples, at `PLACES_MAX` places at
  most. A percentile is then right to the width of the sender's bucket.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, multiply_fold, scanner
from tallystick.kernels.histogram import SHIFT, bucket_of, middle_of

SCALE_MAX = 5
"""Of exponential buckets, which is ours."""
SCALE_MIN = -11
"""At which two buckets hold all positive numbers."""
EXPLICIT = 100
"""The scale of a report whose buckets lie between explicit bounds."""
PLACES_MAX = 8
"""At which the samples of one bucket are put."""

TAKEN, BEGUN, PASSED, FULL, IDLE = 0, 1, 2, 3, 4
"""What became of a report: it counts; it is a first one, of before we looked; it says nothing that a later one did not;
there is no room to remember it; nothing was counted since the last one."""

_LOWEST, _HIGHEST = -34_400, 32_767  # buckets of doubles
_GREATEST = np.finfo(np.float64).max
_KEY = np.uint64(0x9E3779B97F4A7C15)

LEAST_EXACT, GREATEST_EXACT = 1, 2
"""Bits: whether `Reports.min` and `Reports.max` are those of the samples that are counted, or only limits of them."""


class Reports(NamedTuple):
    """Histograms as senders report them, one a row.

    Parameters
    ----------
    ids : int32[n]
        Entries of the name table.
    timestamp : int64[n]
        Milliseconds since the epoch of the report.
    start : int64[n]
        Milliseconds since the epoch of when the counting began; 0 where that is not told.
    writer : uint64[n]
        Who reports: the cumulative reports of two senders are told apart by it, whatever their series are called.
    cumulative : uint8[n]
        1 where it counts since `start`, 0 where it counts since the report before.
    scale : int8[n]
        Of exponential buckets, `SCALE_MIN` to `SCALE_MAX`, or `EXPLICIT`.
    sum, min, max : float64[n]
        Finite, or NaN where they are not told.
    bounds_offset : int64[n + 1]
    bounds : float64[b]
        The explicit bounds of each row, finite and ascending.
    offset : int64[n + 1]
    bucket : int32[m]
        The buckets of each row, ascending, each once. Between explicit bounds: how many bounds are at or below it, so
        that 0 lies below the first one. Exponential ones as ours are numbered: index + `SHIFT`, negative for negative
        values, 0 for zero.
    weight : float64[m]
        Samples in the bucket, more than none.
    """

    ids: NDArray[np.int32]
    timestamp: NDArray[np.int64]
    start: NDArray[np.int64]
    writer: NDArray[np.uint64]
    cumulative: NDArray[np.uint8]
    scale: NDArray[np.int8]
    sum: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    bounds_offset: NDArray[np.int64]
    bounds: NDArray[np.float64]
    offset: NDArray[np.int64]
    bucket: NDArray[np.int32]
    weight: NDArray[np.float64]


class Remembered(NamedTuple):
    """The last cumulative report of each series and writer; `begin` is -1 where there was none.

    Parameters
    ----------
    start, timestamp : int64[n]
    scale : int8[n]
    layout : uint64[n]
        A hash of the explicit bounds.
    sum, min, max : float64[n]
    begin, length, room : int64[n]
        Where its buckets are, how many, and for how many there is room.
    bucket : int32[m]
    weight : float64[m]
    used : int64[1]
        Buckets given away.
    """

    start: NDArray[np.int64]
    timestamp: NDArray[np.int64]
    scale: NDArray[np.int8]
    layout: NDArray[np.uint64]
    sum: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    begin: NDArray[np.int64]
    length: NDArray[np.int64]
    room: NDArray[np.int64]
    bucket: NDArray[np.int32]
    weight: NDArray[np.float64]
    used: NDArray[np.int64]


class Spreads(NamedTuple):
    """Output of `spread_buckets`, one row for each row that is kept; as in `tallystick.model.tally`.

    Parameters
    ----------
    count, sum, m2, min, max : float64[n]
    offset : int64[n + 1]
    bucket : int32[m]
    weight : float64[m]
    """

    count: NDArray[np.float64]
    sum: NDArray[np.float64]
    m2: NDArray[np.float64]
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    offset: NDArray[np.int64]
    bucket: NDArray[np.int32]
    weight: NDArray[np.float64]


@inlined
def coarser(bucket: int, by: int) -> int:
    """The exponential bucket that holds `bucket` at a scale that is less by `by`."""
    if bucket > 0:
        return ((bucket - SHIFT) >> by) + SHIFT
    if bucket < 0:
        return -(((-bucket - SHIFT) >> by) + SHIFT)
    return 0


@scanner
def take_differences(
    reports: Reports,
    entries: np.ndarray,
    kept: Remembered,
    whole_since: int,
    verdict: np.ndarray,
    exact: np.ndarray,
) -> None:
    """Turn cumulative reports into what came since the last one of the same series and writer, in place.

    Parameters
    ----------
    entries : int64[n]
        Row of `kept` for each report; -1 where there is no room for it.
    kept
        What is remembered; with room for the buckets of all reports.
    whole_since
        Milliseconds: what began later was never counted before.
    verdict : uint8[n]
        Output: what became of each report. Of those that are not `TAKEN` the buckets mean nothing.
    exact : uint8[n]
        Output: `LEAST_EXACT` and `GREATEST_EXACT`.

    Notes
    -----
    A bucket that fell, or one that vanished, says that the sender began anew: all that it reports is new. The layout of
    a report's buckets does not change between its bounds; weights that become 0 stay.
    """
    for i in range(len(entries)):
        exact[i] = LEAST_EXACT | GREATEST_EXACT
        verdict[i] = _difference(reports, i, entries[i], kept, whole_since, exact)
        if verdict[i] == TAKEN:
            total = 0.0
            for k in range(reports.offset[i], reports.offset[i + 1]):
                total += reports.weight[k]
            if total <= 0.0:
                verdict[i] = IDLE


@scanner
def _difference(reports: Reports, i: int, entry: int, kept: Remembered, whole_since: int, exact: np.ndarray) -> int:
    if reports.cumulative[i] == 0:
        return TAKEN
    if entry < 0:
        return FULL
    start, at = reports.start[i], reports.timestamp[i]
    layout = _layout(reports, i)
    if kept.begin[entry] < 0:
        known = start > 0 and start >= whole_since
        _remember(reports, i, entry, kept, layout)
        return TAKEN if known else BEGUN
    begun_again = start > kept.start[entry] and start > 0 and kept.start[entry] > 0
    if at <= kept.timestamp[entry] or (start > 0 and start < kept.start[entry]):
        return PASSED
    same = reports.scale[i] == kept.scale[entry] or (reports.scale[i] != EXPLICIT and kept.scale[entry] != EXPLICIT)
    if not begun_again and (not same or layout != kept.layout[entry]):
        _remember(reports, i, entry, kept, layout)
        return BEGUN
    if begun_again or not _has_grown(reports, i, entry, kept):
        _remember(reports, i, entry, kept, layout)
        return TAKEN
    # An extreme that moved was met since; one that stayed is only a limit.
    exact[i] = (LEAST_EXACT if reports.min[i] < kept.min[entry] else 0) | (
        GREATEST_EXACT if reports.max[i] > kept.max[entry] else 0
    )
    _subtract(reports, i, entry, kept, layout)
    return TAKEN


@inlined
def _layout(reports: Reports, i: int) -> int:
    """A hash of the explicit bounds."""
    begin, end = reports.bounds_offset[i], reports.bounds_offset[i + 1]
    state = np.uint64(end - begin)
    bits = reports.bounds.view(np.uint64)
    for k in range(begin, end):
        state = multiply_fold(bits[k] ^ _KEY, state ^ _KEY) + bits[k]
    return state


@inlined
def _steps(reports: Reports, i: int, entry: int, kept: Remembered) -> tuple[int, int]:
    """By how much the new and the old scale are above the one at which both can be compared."""
    scale, before = np.int64(reports.scale[i]), np.int64(kept.scale[entry])
    common = min(scale, before)
    return scale - common, before - common


@inlined
def _has_grown(reports: Reports, i: int, entry: int, kept: Remembered) -> bool:
    """Whether no bucket holds less than before."""
    new_by, old_by = _steps(reports, i, entry, kept)
    k, stop = reports.offset[i], reports.offset[i + 1]
    old, old_stop = kept.begin[entry], kept.begin[entry] + kept.length[entry]
    while old < old_stop:
        place = coarser(np.int64(kept.bucket[old]), old_by)
        before = 0.0
        while old < old_stop and coarser(np.int64(kept.bucket[old]), old_by) == place:
            before += kept.weight[old]
            old += 1
        while k < stop and coarser(np.int64(reports.bucket[k]), new_by) < place:
            k += 1
        now = 0.0
        while k < stop and coarser(np.int64(reports.bucket[k]), new_by) == place:
            now += reports.weight[k]
            k += 1
        if now < before:
            return False
    return True


@inlined
def _remember(reports: Reports, i: int, entry: int, kept: Remembered, layout: int) -> None:
    begin, length = reports.offset[i], reports.offset[i + 1] - reports.offset[i]
    if kept.begin[entry] < 0 or kept.room[entry] < length:
        kept.begin[entry] = kept.used[0]
        kept.room[entry] = length
        kept.used[0] += length
    at = kept.begin[entry]
    for k in range(length):
        kept.bucket[at + k] = reports.bucket[begin + k]
        kept.weight[at + k] = reports.weight[begin + k]
    _describe(reports, i, entry, kept, length, layout)


@inlined
def _describe(reports: Reports, i: int, entry: int, kept: Remembered, length: int, layout: int) -> None:
    """Remember what a report says beside its buckets."""
    kept.length[entry] = length
    kept.start[entry] = reports.start[i] if reports.start[i] > 0 else kept.start[entry]
    kept.timestamp[entry] = reports.timestamp[i]
    kept.scale[entry] = reports.scale[i]
    kept.layout[entry] = layout
    kept.sum[entry] = reports.sum[i]
    kept.min[entry] = reports.min[i]
    kept.max[entry] = reports.max[i]


@scanner
def _subtract(reports: Reports, i: int, entry: int, kept: Remembered, layout: int) -> None:
    """Leave of a report what is new in it, at the scale that both have, and remember it as it was."""
    new_by, old_by = _steps(reports, i, entry, kept)
    begin, length = reports.offset[i], reports.offset[i + 1] - reports.offset[i]
    old, old_stop = kept.begin[entry], kept.begin[entry] + kept.length[entry]
    old_sum = kept.sum[entry]
    waiting = kept.used[0]  # the report as it came waits behind what is given away: there is room for all reports
    for k in range(length):
        kept.bucket[waiting + k] = reports.bucket[begin + k]
        kept.weight[waiting + k] = reports.weight[begin + k]
    for k in range(begin, begin + length):
        place = coarser(np.int64(reports.bucket[k]), new_by)
        if k > begin and reports.bucket[k - 1] == place:  # the one before is of the same coarse bucket
            reports.weight[k] += reports.weight[k - 1]
            reports.weight[k - 1] = 0.0
        reports.bucket[k] = place
        if k + 1 < begin + length and coarser(np.int64(reports.bucket[k + 1]), new_by) == place:
            continue
        while old < old_stop and coarser(np.int64(kept.bucket[old]), old_by) == place:
            reports.weight[k] -= kept.weight[old]
            old += 1
    if kept.room[entry] < length:
        kept.begin[entry] = waiting
        kept.room[entry] = length
        kept.used[0] += length
    else:
        at = kept.begin[entry]
        for k in range(length):
            kept.bucket[at + k] = kept.bucket[waiting + k]
            kept.weight[at + k] = kept.weight[waiting + k]
    _describe(reports, i, entry, kept, length, layout)
    reports.scale[i] -= new_by
    reports.sum[i] -= old_sum


@scanner
def compact(kept: Remembered, bucket: np.ndarray, weight: np.ndarray) -> int:
    """Copy the buckets that are remembered into other arrays, back to back; returns how many they are."""
    used = 0
    for entry in range(len(kept.begin)):
        if kept.begin[entry] >= 0:
            begin = kept.begin[entry]
            for k in range(kept.length[entry]):
                bucket[used + k] = kept.bucket[begin + k]
                weight[used + k] = kept.weight[begin + k]
            kept.begin[entry] = used
            kept.room[entry] = kept.length[entry]
            used += kept.length[entry]
    return used


@scanner
def cells_needed(reports: Reports, verdict: np.ndarray) -> int:
    """The most buckets of ours that the reports that are taken can fill."""
    total = 0
    for i in range(len(verdict)):
        if verdict[i] == TAKEN:
            for k in range(reports.offset[i], reports.offset[i + 1]):
                total += np.int64(min(math.ceil(reports.weight[k]), float(PLACES_MAX)))
    return total


@inlined
def _put(out: Spreads, begin: int, at: int, cell: int, weight: float) -> int:
    """Add to the last bucket of a row, or begin the next one; returns the position behind."""
    if weight <= 0.0:
        return at
    if at > begin and out.bucket[at - 1] >= cell:
        out.weight[at - 1] += weight
        return at
    out.bucket[at] = cell
    out.weight[at] = weight
    return at + 1


@inlined
def _share(weight: float, place: int, places: int) -> float:
    """What of a bucket's samples is put at one of its places: whole ones if they are whole."""
    if weight != math.floor(weight):
        return weight / places
    return math.floor(weight * (place + 1) / places) - math.floor(weight * place / places)


@inlined
def _put_between(
    out: Spreads,
    begin: int,
    at: int,
    bounds: np.ndarray,
    b: tuple[int, int, int],
    weight: float,
    told: tuple[float, float, float],
) -> int:
    """Spread what lies between explicit bounds; `told` are least, greatest and average value, NaN where not known."""
    first, stop, number = b
    low = bounds[first + number - 1] if number > 0 else -math.inf
    high = bounds[first + number] if first + number < stop else math.inf
    if not np.isnan(told[0]):
        low = max(low, told[0])
    if not np.isnan(told[1]):
        high = min(high, told[1])
    if low == -math.inf and high == math.inf:
        low = high = 0.0 if np.isnan(told[2]) else told[2]
    elif low == -math.inf:
        low = min(0.0, high)
    elif high == math.inf or high < low:
        high = low
    places = np.int64(min(math.ceil(weight), float(PLACES_MAX)))
    for place in range(places):
        share = (place + 0.5) / places
        at = _put(out, begin, at, bucket_of(low * (1.0 - share) + high * share), _share(weight, place, places))
    return at


@inlined
def _put_exponential(
    out: Spreads, begin: int, at: int, bucket: int, scale: int, weight: float, told: tuple[float, float, float]
) -> int:
    """Spread an exponential bucket over those of ours that it covers, within what is told of the extremes."""
    if bucket == 0:
        return _put(out, begin, at, 0, weight)
    width = np.int64(1) << np.int64(SCALE_MAX - scale)
    index = (abs(bucket) - SHIFT) * width
    first, last = max(index, _LOWEST), min(index + width - 1, _HIGHEST)
    first, last = min(first, _HIGHEST) + SHIFT, max(last, _LOWEST) + SHIFT
    if bucket < 0:
        first, last = -last, -first
    if not np.isnan(told[0]):
        first = max(first, min(bucket_of(told[0]), last))
    if not np.isnan(told[1]):
        last = min(last, max(bucket_of(told[1]), first))
    if first < 0 < last or last - first < 1:
        return _put(out, begin, at, first, weight)
    places = np.int64(min(math.ceil(weight), float(PLACES_MAX), float(last - first + 1)))
    for place in range(places):
        cell = first + (2 * place + 1) * (last - first + 1) // (2 * places)
        at = _put(out, begin, at, cell, _share(weight, place, places))
    return at


@scanner
def spread_buckets(reports: Reports, verdict: np.ndarray, exact: np.ndarray, out: Spreads) -> int:
    """Put the reports that are taken into buckets of ours, and reckon what is not told; returns how many they are.

    Notes
    -----
    The count is that of the buckets. The sum, where it is not told, and the squared deviations are those of the middles
    of the buckets; so are the extremes, but for what is told.
    """
    rows = 0
    at = 0
    out.offset[0] = 0
    for i in range(len(verdict)):
        if verdict[i] != TAKEN:
            continue
        begin = at
        count = 0.0
        for k in range(reports.offset[i], reports.offset[i + 1]):
            count += reports.weight[k]
        least, greatest, total = reports.min[i], reports.max[i], reports.sum[i]
        told = (least, greatest, total / count)
        first, stop = reports.bounds_offset[i], reports.bounds_offset[i + 1]
        for k in range(reports.offset[i], reports.offset[i + 1]):
            weight = reports.weight[k]
            if weight <= 0.0:
                continue
            if reports.scale[i] == EXPLICIT:
                b = (first, stop, np.int64(reports.bucket[k]))
                at = _put_between(out, begin, at, reports.bounds, b, weight, told)
            else:
                scale = np.int64(reports.scale[i])
                at = _put_exponential(out, begin, at, np.int64(reports.bucket[k]), scale, weight, told)
        if np.isnan(total):
            total = 0.0
            for k in range(begin, at):
                total += out.weight[k] * middle_of(out.bucket[k])
            total = max(min(total, _GREATEST), -_GREATEST)
        mean = total / count
        m2 = 0.0
        for k in range(begin, at):
            away = middle_of(out.bucket[k]) - mean
            m2 += out.weight[k] * away * away
        out.count[rows] = count
        out.sum[rows] = total
        out.m2[rows] = min(m2, _GREATEST)
        lowest, highest = min(middle_of(out.bucket[begin]), mean), max(middle_of(out.bucket[at - 1]), mean)
        if not np.isnan(least):
            lowest = least if exact[i] & LEAST_EXACT else max(lowest, least)
        if not np.isnan(greatest):
            highest = greatest if exact[i] & GREATEST_EXACT else min(highest, greatest)
        out.min[rows], out.max[rows] = lowest, highest
        rows += 1
        out.offset[rows] = at
    return rows
