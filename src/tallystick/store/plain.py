"""The statistics of samples and of imported slots, computed the plain way for `MemoryStore`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from tallystick.fold.histogram import bucket_column, merge_cells
from tallystick.fold.sketch import merge_sketches, sketch_members
from tallystick.kernels.histogram import middle_of
from tallystick.model.statistic import Statistic
from tallystick.model.tally import Spread, Tally, TallyBatch


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """A sample, or an imported slot, which stands for many.

    Parameters
    ----------
    timestamp_ms, arrival
        By which the last one is known; an imported slot has the time of its beginning.
    value
        The sample; the last one of a slot.
    weight
        How many samples it stands for.
    total, m2, low, high
        Sum, sum of squared deviations from the mean, and extremes.
    spread
        Values and their weights, for percentiles.
    sketch
        Of the members of an imported set.
    """

    timestamp_ms: int
    arrival: int
    value: float
    weight: float
    total: float
    m2: float
    low: float
    high: float
    spread: tuple[tuple[float, float], ...] = ()
    sketch: bytes = b""

    @classmethod
    def sample(cls, timestamp_ms: int, arrival: int, value: float, weight: float) -> "Piece":
        """One sample."""
        return cls(timestamp_ms, arrival, value, weight, weight * value, 0.0, value, value, ((value, weight),))


def pieces_of(tally: Tally, arrival: int) -> Iterator[Piece]:
    """The slots of a tally, one by one."""
    full = tally.full
    columns = np.stack([full.count, full.sum, full.m2, full.min, full.max], axis=1)
    for k, (count, total, m2, low, high) in enumerate(columns.tolist()):
        begin_ms, last = int(tally.slot[k]) * tally.step_s * 1000, float(tally.last[k])
        spread = _buckets(tally, k) or (((last, 1.0),) if tally.spread is None else ())
        yield Piece(begin_ms, arrival + k, last, count, total, m2, low, high, spread, _sketch(tally, k))


def tallied_pieces(batch: TallyBatch) -> Iterator[Piece]:
    """The slots that senders tallied, one by one, each with the moment that it was sent with."""
    rows = Tally(1, batch.ids, batch.timestamp // 1000, batch.last, batch.spread, batch.histograms, batch.sketches)
    for k, piece in enumerate(pieces_of(rows, 0)):
        alone = (piece.weight, piece.m2) == (1.0, 0.0) and piece.value == piece.total == piece.low == piece.high
        spread = ((piece.value, 1.0),) if alone else piece.spread
        yield replace(piece, timestamp_ms=int(batch.timestamp[k]), spread=spread)


def tally_of(places: Sequence[tuple[int, int, Sequence[Piece]]], timings: Sequence[bool], step_s: int) -> Tally:
    """The tally of slots, each a row (`timings` says which rows have histograms), a number and its pieces in order."""
    rows, slots = [row for row, _, _ in places], [slot for _, slot, _ in places]
    wanted = (Statistic.COUNT, Statistic.SUM, Statistic.SDEV, Statistic.MIN, Statistic.MAX, Statistic.LAST)
    found = [[statistic_of(pieces, one) for one in wanted] for _, _, pieces in places]
    count, total, sdev, low, high, last = np.array(found).reshape(-1, len(wanted)).T
    weighed = [
        (k, value, weight)
        for k, (row, _, pieces) in enumerate(places)
        if timings[row]
        for piece in pieces
        for value, weight in piece.spread
    ]
    cell, values, weights = np.array(weighed, np.float64).reshape(-1, 3).T
    return Tally(
        step_s,
        np.array(rows, np.int32),
        np.array(slots, np.int64),
        last,
        Spread(count, total, sdev**2 * count, low, high),
        merge_cells(len(places), cell.astype(np.int64), bucket_column(values), weights),
    )


def statistic_of(pieces: Sequence[Piece], statistic: Statistic) -> float:
    """A statistic of pieces that are ordered by time and arrival; the weight scales count and sum."""
    count = sum(piece.weight for piece in pieces)
    total = sum(piece.total for piece in pieces)
    match statistic:
        case Statistic.LAST:
            return pieces[-1].value
        case Statistic.MIN:
            return min(piece.low for piece in pieces)
        case Statistic.MAX:
            return max(piece.high for piece in pieces)
        case Statistic.COUNT:
            return count
        case Statistic.SUM:
            return total
        case Statistic.AVG:
            return total / count
        case Statistic.SDEV:
            mean = total / count
            m2 = sum(piece.m2 + piece.weight * (piece.total / piece.weight - mean) ** 2 for piece in pieces)
            return sqrt(m2 / count)
        case Statistic.DEFAULT:
            raise ValueError("cannot compute the default statistic: it depends on the kind; expected one by its name")


def members_of(pieces: Sequence[Piece]) -> float:
    """How many different members a set had."""
    samples = {np.float64(piece.value).tobytes() for piece in pieces if not piece.sketch}
    sketches = [piece.sketch for piece in pieces if piece.sketch]
    if not sketches:
        return float(len(samples))
    if samples:
        sketches.append(sketch_members(np.array([np.frombuffer(s, np.int64)[0] for s in sorted(samples)]))[0])
    return merge_sketches(sketches)[1]


def percentile_of(pieces: Sequence[Piece], rank: float) -> float:
    """The smallest value that at least `rank` percent of the weight does not exceed."""
    ordered = sorted(pair for piece in pieces for pair in piece.spread)
    if not ordered:
        return float("nan")
    wanted = rank / 100.0 * sum(weight for _, weight in ordered)
    reached = 0.0
    for value, weight in ordered:
        reached += weight
        if reached >= wanted:
            return value
    return ordered[-1][0]


def _buckets(tally: Tally, row: int) -> tuple[tuple[float, float], ...]:
    if tally.histograms is None:
        return ()
    h = tally.histograms
    inside = slice(int(h.offset[row]), int(h.offset[row + 1]))
    return tuple(
        (float(middle_of(bucket)), weight)
        for bucket, weight in zip(h.bucket[inside].tolist(), h.weight[inside].tolist(), strict=True)
    )


def _sketch(tally: Tally, row: int) -> bytes:
    if tally.sketches is None:
        return b""
    s = tally.sketches
    return s.data[int(s.offset[row]) : int(s.offset[row + 1])].tobytes()
