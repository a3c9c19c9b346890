"""Statistics that samples can have had: what strangers say of theirs is looked at before it goes any further.

Nothing behind this looks again. Sketches above all: the library that merges them does not defend itself against bytes
that are none.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.sketch_bytes import is_sketch
from tallystick.kernels.histogram import BUCKETS_PER_DOUBLING, SHIFT
from tallystick.model.kind import Kind
from tallystick.model.tally import Histograms, Sketches, Spread, Tally, TallyBatch

_DOUBLINGS_MAX = 1100  # a double's exponent goes from -1074 to 1023


def usable_statistics(rows: Tally | TallyBatch, kind: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which rows have statistics that their samples can have had; bool[n].

    All are finite, the count is above 0, M2 is not below, and the minimum is no larger than the maximum. Timings only
    have histograms, with ascending buckets; sets have a whole sketch each, and nothing else has.

    Parameters
    ----------
    rows
        Slots, of any step.
    kind : uint8[n]
        `Kind` of each.

    Notes
    -----
    About 20 us for each sketch; the rest is a few passes over the columns.
    """
    good = np.isfinite(rows.last) & (kind <= max(Kind))
    if rows.spread is not None:
        good &= _have_sound_numbers(rows.spread)
    if rows.histograms is not None:
        good &= _have_sound_buckets(rows.histograms)
        good &= (kind == Kind.TIMING) | (np.diff(rows.histograms.offset) == 0)
    is_set = kind == Kind.SET
    if rows.sketches is not None:
        good &= is_set == (np.diff(rows.sketches.offset) > 0)
        good &= _have_whole_sketches(rows.sketches)
    elif is_set.any():
        good &= ~is_set
    return good


def _have_sound_numbers(s: Spread) -> NDArray[np.bool_]:
    good = (s.count > 0.0) & (s.m2 >= 0.0) & (s.min <= s.max)
    for column in (s.count, s.sum, s.m2, s.min, s.max):
        good &= np.isfinite(column)
    return good


def _have_sound_buckets(h: Histograms) -> NDArray[np.bool_]:
    """Which rows have buckets that ascend and that doubles fall into, with weights above 0."""
    index = np.abs(h.bucket.astype(np.int64)) - SHIFT
    wrong = (np.abs(index) > _DOUBLINGS_MAX * BUCKETS_PER_DOUBLING) & (h.bucket != 0)
    wrong |= ~((h.weight > 0.0) & np.isfinite(h.weight))
    lengths = np.diff(h.offset)
    row = np.repeat(np.arange(len(lengths)), lengths)
    wrong[1:] |= (row[1:] == row[:-1]) & (h.bucket[1:] <= h.bucket[:-1])
    good = np.ones(len(lengths), np.bool_)
    good[row[wrong]] = False
    return good


def _have_whole_sketches(s: Sketches) -> NDArray[np.bool_]:
    """Which rows have a sketch that can be merged, or none."""
    data = s.data.tobytes()
    ends = s.offset.tolist()
    return np.array([a == b or is_sketch(data[a:b]) for a, b in pairwise(ends)], np.bool_)
