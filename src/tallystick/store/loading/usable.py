"""What history must be to be taken: names that a series can have, statistics that samples can have had.

Files and requests say what they like, and what is in a block is believed: reading and merging look at none of this
again. Sketches above all: the library that merges them does not defend itself against bytes that are none.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tallystick.fold.sketch_bytes import is_sketch
from tallystick.kernels.histogram import BUCKETS_PER_DOUBLING, SHIFT
from tallystick.model.kind import Kind
from tallystick.model.tally import Histograms, Sketches, Tally
from tallystick.store.history import History

_DOUBLINGS_MAX = 1100  # a double's exponent goes from -1074 to 1023
STEP_S_MAX = 366 * 86_400
"""Slots longer than a year are nobody's measurement."""


def usable_rows(history: History) -> NDArray[np.bool_]:
    """Which rows of a history a store can take as they are; bool[n].

    Statistics are finite, the count is above 0, M2 is not below, and the minimum is no larger than the maximum.
    Timings only have histograms, with ascending buckets; sets have a whole sketch each, and nothing else has.

    Notes
    -----
    About 20 us for each sketch; the rest is a few passes over the columns.
    """
    tally = history.tally
    if tally.step_s > STEP_S_MAX or not len(tally):
        return np.zeros(len(tally), np.bool_)
    kind = np.array(history.kinds, np.uint8)[tally.series]
    good = _have_sound_numbers(tally)
    if tally.histograms is not None:
        good &= _have_sound_buckets(tally.histograms)
        good &= (kind == Kind.TIMING) | (np.diff(tally.histograms.offset) == 0)
    is_set = kind == Kind.SET
    if tally.sketches is not None:
        good &= is_set == (np.diff(tally.sketches.offset) > 0)
        good &= _have_whole_sketches(tally.sketches)
    elif is_set.any():
        good &= ~is_set
    return good


def _have_sound_numbers(tally: Tally) -> NDArray[np.bool_]:
    good = np.isfinite(tally.last)
    if tally.spread is not None:
        s = tally.spread
        good &= (s.count > 0.0) & (s.m2 >= 0.0) & (s.min <= s.max)
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
