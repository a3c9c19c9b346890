"""Base-2 exponential histograms: the buckets of samples, kept in one open-addressing table for a whole slot.

Scale 5, as in OpenTelemetry's exponential and Prometheus' native histograms: bucket ``i`` holds values in
``(2**(i/32), 2**((i+1)/32)]``, so a value read from its middle is off by 1.1 % at most. Bucket numbers are shifted so
that their order is the order of values: negative values below 0, zero at 0, positive values above.
"""

import math

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, kernel, multiply_fold

BUCKETS_PER_DOUBLING = 32
SHIFT = 40_000
"""Added to a bucket index; larger than any index of a double (the range is about -34,400 to 32,768)."""
EMPTY = -1
_MIDDLE = 2.0 / (1.0 + 2.0 ** (-1.0 / BUCKETS_PER_DOUBLING))


@inlined
def bucket_of(value: float) -> int:
    """Number of the bucket that holds `value`."""
    if value == 0.0:
        return 0
    index = math.ceil(math.log2(abs(value)) * BUCKETS_PER_DOUBLING) - 1 + SHIFT
    return index if value > 0.0 else -index


@inlined
def _slot_of_key(key: int, mask: int) -> int:
    return np.int64(multiply_fold(np.uint64(key), np.uint64(0x9E3779B97F4A7C15)) & np.uint64(mask))


@inlined
def _add(keys: NDArray[np.int64], weights: NDArray[np.float64], key: int, weight: float) -> int:
    mask = len(keys) - 1
    at = _slot_of_key(key, mask)
    while keys[at] != EMPTY:
        if keys[at] == key:
            weights[at] += weight
            return 0
        at = (at + 1) & mask
    keys[at] = key
    weights[at] = weight
    return 1


@kernel
def add_samples(
    series: NDArray[np.int32],
    value: NDArray[np.float64],
    weight: NDArray[np.float64],
    keys: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> int:
    """Count samples into a table keyed by series and bucket; return how many entries are new.

    The caller keeps the table (a power of two) at least twice as large as its entries will be.
    """
    new = 0
    for i in range(len(series)):
        key = (np.int64(series[i]) << 32) | np.int64(np.uint32(bucket_of(value[i]) + 2 * SHIFT))
        new += _add(keys, weights, key, weight[i])
    return new


@kernel
def add_cells(
    series: NDArray[np.int32],
    bucket: NDArray[np.int32],
    weight: NDArray[np.float64],
    keys: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> int:
    """`add_samples` for samples that are counted by bucket already."""
    new = 0
    for i in range(len(series)):
        key = (np.int64(series[i]) << 32) | np.int64(np.uint32(bucket[i] + 2 * SHIFT))
        new += _add(keys, weights, key, weight[i])
    return new


@kernel
def rehash(
    keys: NDArray[np.int64], weights: NDArray[np.float64], into: NDArray[np.int64], into_weights: NDArray[np.float64]
) -> None:
    """Copy the entries of one table into another."""
    for i in range(len(keys)):
        if keys[i] != EMPTY:
            _add(into, into_weights, keys[i], weights[i])


@kernel
def buckets_of(value: NDArray[np.float64], out: NDArray[np.int32]) -> None:
    """Bucket numbers of many values."""
    for i in range(len(value)):
        out[i] = bucket_of(value[i])


@kernel
def percentile_of_cells(
    offset: NDArray[np.int64],
    bucket: NDArray[np.int32],
    weight: NDArray[np.float64],
    rank: float,
    out: NDArray[np.float64],
) -> None:
    """For each histogram of a compressed-row table, the value below which `rank` (0 to 1) of its weight lies."""
    for i in range(len(offset) - 1):
        total = 0.0
        for j in range(offset[i], offset[i + 1]):
            total += weight[j]
        if total <= 0.0:
            out[i] = np.nan
            continue
        wanted = rank * total
        seen = 0.0
        out[i] = middle_of(bucket[offset[i + 1] - 1])
        for j in range(offset[i], offset[i + 1]):
            seen += weight[j]
            if seen >= wanted:
                out[i] = middle_of(bucket[j])
                break


@inlined
def middle_of(bucket: int) -> float:
    """The value in a bucket with the smallest largest relative error: the harmonic mean of its bounds."""
    if bucket == 0:
        return 0.0
    # As a multiple of the lower bound: the product of both bounds leaves the range of doubles long before they do.
    middle = _MIDDLE * 2.0 ** ((abs(bucket) - SHIFT) / BUCKETS_PER_DOUBLING)
    return middle if bucket > 0 else -middle
