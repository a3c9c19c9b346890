"""Folding samples into the statistics of one slot.

An open slot keeps a row for each series seen in it. A row is only a value and the moment of its sample; the second
sample of a row gives it a *spread* (count, sum, M2, min, max), one cache line that it then shares with no other.
Sparse slots cost what their samples cost, dense ones are written in order.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel

COUNT, SUM, M2, MIN, MAX = 0, 1, 2, 3, 4
"""Columns of a spread."""
SPREAD_COLUMNS = 8
"""Width of a spread row: five statistics, padded to a cache line."""

ROWS, SPREADS = 0, 1
"""Positions in the `used` counters of an open slot."""


@inlined
def add_weighted(spread: NDArray[np.float64], value: float, weight: float) -> None:
    """Add a sample to a spread (West's weighted form of Welford's update, 1979)."""
    count = spread[COUNT] + weight
    delta = value - spread[SUM] / spread[COUNT]
    total = spread[SUM] + weight * value
    spread[M2] += weight * delta * (value - total / count)
    spread[COUNT] = count
    spread[SUM] = total
    spread[MIN] = min(spread[MIN], value)
    spread[MAX] = max(spread[MAX], value)


@inlined
def start_spread(spread: NDArray[np.float64], value: float, weight: float) -> None:
    """Make a spread of one sample."""
    spread[COUNT] = weight
    spread[SUM] = weight * value
    spread[M2] = 0.0
    spread[MIN] = value
    spread[MAX] = value


@kernel
def fold_slot(
    series: NDArray[np.int32],
    timestamp: NDArray[np.int64],
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    slot_start: int,
    slot_end: int,
    row_of: NDArray[np.int32],
    row_series: NDArray[np.int32],
    last: NDArray[np.float64],
    at: NDArray[np.int32],
    spread_of: NDArray[np.int32],
    spreads: NDArray[np.float64],
    used: NDArray[np.int64],
) -> int:
    """Fold the samples whose timestamp (ms) lies in ``[slot_start, slot_end)``; return how many those were.

    The caller provides room for ``len(series)`` more rows and spreads, and ``row_of`` for every series id: one
    more than its row, 0 if it has none.
    """
    rows = used[ROWS]
    n_spreads = used[SPREADS]
    folded = 0
    for i in range(len(series)):
        t = timestamp[i]
        if t < slot_start or t >= slot_end:
            continue
        folded += 1
        s = series[i]
        v = value[i]
        w = weight[i]
        moment = np.int32(t - slot_start)
        row = row_of[s] - 1
        if row < 0:
            row_of[s] = rows + 1
            row_series[rows] = s
            last[rows] = v
            at[rows] = moment
            if w == 1.0:
                spread_of[rows] = -1
            else:
                spread_of[rows] = n_spreads
                start_spread(spreads[n_spreads], v, w)
                n_spreads += 1
            rows += 1
            continue
        k = spread_of[row]
        if k < 0:
            k = n_spreads
            n_spreads += 1
            spread_of[row] = k
            start_spread(spreads[k], last[row], 1.0)
        add_weighted(spreads[k], v, w)
        if moment >= at[row]:
            at[row] = moment
            last[row] = v
    used[ROWS] = rows
    used[SPREADS] = n_spreads
    return folded


@kernel
def slot_ranges(
    timestamp: NDArray[np.int64],
    step_ms: int,
    first_slot: int,
    samples: NDArray[np.int64],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
) -> None:
    """For each slot from `first_slot` on: how many samples (ms) it has, where the first is and where the last ends.

    `samples` comes in as zeros; `begin` and `end` are left alone where there are none.
    """
    slot = 0
    start, stop = 0, 0  # of the slot of the sample before: most are followed by another of it
    for i in range(len(timestamp)):
        t = timestamp[i]
        if t < start or t >= stop:
            slot = t // step_ms - first_slot
            start = (slot + first_slot) * step_ms
            stop = start + step_ms
        if samples[slot] == 0:
            begin[slot] = i
        samples[slot] += 1
        end[slot] = i + 1


@kernel
def rows_in_order(
    row_of: NDArray[np.int32],
    spread_of: NDArray[np.int32],
    n_series: int,
    singles: NDArray[np.int32],
    fulls: NDArray[np.int32],
) -> tuple[int, int]:
    """Rows of a slot by ascending series, those without a spread into `singles`, the others into `fulls`."""
    n_singles = 0
    n_fulls = 0
    for s in range(n_series):
        row = row_of[s] - 1
        if row < 0:
            continue
        if spread_of[row] < 0:
            singles[n_singles] = row
            n_singles += 1
        else:
            fulls[n_fulls] = row
            n_fulls += 1
    return n_singles, n_fulls


@kernel
def fold_sorted(
    order: NDArray[np.int64],
    series: NDArray[np.int32],
    slot: NDArray[np.int64],
    timestamp: NDArray[np.int64],
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    out_series: NDArray[np.int32],
    out_slot: NDArray[np.int64],
    out_last: NDArray[np.float64],
    out_spread: NDArray[np.float64],
) -> int:
    """Fold samples of any slots, visited in an `order` that is sorted by series and slot; return the number of rows."""
    n = -1
    latest = np.int64(0)
    for i in order:
        s = series[i]
        if n < 0 or out_series[n] != s or out_slot[n] != slot[i]:
            n += 1
            out_series[n] = s
            out_slot[n] = slot[i]
            out_last[n] = value[i]
            latest = timestamp[i]
            start_spread(out_spread[n], value[i], weight[i])
            continue
        add_weighted(out_spread[n], value[i], weight[i])
        if timestamp[i] >= latest:
            latest = timestamp[i]
            out_last[n] = value[i]
    return n + 1


@kernel
def resolve_deltas(
    series: NDArray[np.int32],
    kind: NDArray[np.uint8],
    value: NDArray[np.float64],
    delta_flag: int,
    gauge_kind: int,
    current: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Turn changes of gauges (StatsD's ``+3|g``) into their new values, in order of arrival.

    `current` holds the last value of each gauge, NaN where none is known: a change then starts from zero.
    """
    for i in range(len(series)):
        v = value[i]
        k = kind[i]
        if k & delta_flag:
            before = current[series[i]]
            if not np.isnan(before):
                v += before
            if not np.isfinite(v):
                v = before  # a change that leaves the range of numbers is none
        if (k & 127) == gauge_kind:
            current[series[i]] = v
        out[i] = v


@kernel
def remember_gauges(
    series: NDArray[np.int32],
    kind: NDArray[np.uint8],
    value: NDArray[np.float64],
    gauge_kind: int,
    current: NDArray[np.float64],
) -> None:
    """Keep the last value of each gauge, for changes to build on."""
    for i in range(len(series)):
        if kind[i] == gauge_kind:
            current[series[i]] = value[i]


@kernel
def kinds_present(kind: NDArray[np.uint8]) -> tuple[int, bool]:
    """Bit mask of the kinds in a column, and whether any row is a change of a gauge."""
    mask = 0
    delta = False
    for k in kind:
        mask |= 1 << (k & 127)
        delta |= k > 127
    return mask, delta
