"""The statistics of the samples of one series in one slot, made sample by sample in plain Python.

`Spread` and `Histogram` merge as the server's do (`tallystick.kernels.fold`, `tallystick.kernels.accumulate` and
`tallystick.kernels.histogram`), to the bit, and `Distinct` makes the sketches that it merges: it does not matter where
samples are tallied.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from sys import float_info

from tallystick.native.distinct import Distinct

__all__ = ["BUCKETS_MAX", "Distinct", "Histogram", "Spread", "bucket_counts", "bucket_of"]

BUCKETS_MAX = 4096
"""Of one histogram: values over 128 doublings. What a stranger sends further apart counts in the nearest bucket."""

_BUCKETS_PER_DOUBLING = 32
_SHIFT = 40_000
_MOST = float_info.max
_FEW = 4


class Spread:
    """Count, sum, M2 (the sum of squared deviations from the mean), minimum, maximum and the last of some samples.

    Without samples the count is 0, and the rest says nothing.
    """

    __slots__ = ("count", "last", "m2", "max", "min", "sum")

    def __init__(self) -> None:
        self.count = 0.0
        self.sum = 0.0
        self.m2 = 0.0
        self.min = math.inf
        self.max = -math.inf
        self.last = math.nan

    def add(self, value: float, weight: float = 1.0) -> None:
        """Add a sample that stands for `weight` of them, above 0 (West's form of Welford's update, 1979)."""
        before = self.count
        self.last = value
        if before == 0.0:
            self.count = weight
            self.sum = weight * value
            self.min = self.max = value
            return
        count = before + weight
        total = self.sum + weight * value
        self.m2 += weight * (value - self.sum / before) * (value - total / count)
        self.count = count
        self.sum = total
        if value < self.min or value > self.max:  # seldom, and a comparison is cheaper than a call
            self.min, self.max = min(self.min, value), max(self.max, value)

    def add_all(self, values: Sequence[float], weight: float = 1.0) -> None:
        """Add samples, of which each stands for `weight` of them: at a tenth of the cost of one after the other.

        Notes
        -----
        It is the interpreter's own loops that do it: the distance from the mean is the root of M2. Samples that are
        all equal, as a counter's often are, cost next to nothing.
        """
        count = len(values)
        if count < _FEW:
            for value in values:
                self.add(value, weight)
            return
        first, last = values[0], values[-1]
        if first == last and values.count(first) == count:
            self.merge(count * weight, count * weight * first, 0.0, first, first, first)
            return
        total = sum(values)
        distance = math.dist(values, [total / count] * count)
        self.merge(count * weight, total * weight, distance * distance * weight, min(values), max(values), last)

    def merge(self, count: float, total: float, m2: float, low: float, high: float, last: float) -> None:
        """Add the samples of another spread, which are later than those here (Chan, Golub and LeVeque, 1979)."""
        before = self.count
        self.last = last
        if before == 0.0:
            self.count, self.sum, self.m2, self.min, self.max = count, total, m2, low, high
            return
        after = before + count
        delta = total / count - self.sum / before
        self.count = after
        self.sum += total
        self.m2 += m2 + delta * delta * before * count / after
        self.min, self.max = min(self.min, low), max(self.max, high)

    def is_single(self) -> bool:
        """Whether all of it follows from the last sample: there was one, of weight 1."""
        return self.count == 1.0 and self.sum == self.min == self.max == self.last

    def statistics(self) -> tuple[float, float, float, float, float] | None:
        """Count, sum, M2, minimum and maximum, as `tallystick.native.Slot` has them: None of a single sample.

        Sums that have left the range of numbers are the largest number, so that they do not cost the rest.
        """
        if self.is_single():
            return None
        return self.count, _finite(self.sum), abs(_finite(self.m2)), self.min, self.max


class Histogram:
    """How many samples lie in which bucket of a base-2 exponential histogram of scale 5."""

    __slots__ = ("_weights",)

    def __init__(self) -> None:
        self._weights: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self._weights)

    def add(self, value: float, weight: float = 1.0) -> None:
        """Count a sample that stands for `weight` of them."""
        self._add(bucket_of(value), weight)

    def add_all(self, values: Sequence[float], weight: float = 1.0) -> None:
        """Count samples, each of which stands for `weight` of them."""
        if len(values) < _FEW:
            for value in values:
                self._add(bucket_of(value), weight)
            return
        for value, times in Counter(values).items():
            self._add(bucket_of(value), weight * times)

    def merge(self, buckets: Iterable[tuple[int, float]]) -> None:
        """Count the samples of another histogram."""
        for bucket, weight in buckets:
            self._add(bucket, weight)

    def buckets(self) -> list[tuple[int, float]]:
        """Buckets, ascending, and their weights."""
        return sorted(self._weights.items())

    def _add(self, bucket: int, weight: float) -> None:
        weights = self._weights
        if bucket in weights:
            weights[bucket] += weight
        elif len(weights) < BUCKETS_MAX:
            weights[bucket] = weight
        else:
            weights[_nearest(sorted(weights), bucket)] += weight


def bucket_of(value: float) -> int:
    """Number of the bucket that holds a finite value."""
    if value == 0.0:
        return 0
    index = math.ceil(math.log2(abs(value)) * _BUCKETS_PER_DOUBLING) - 1 + _SHIFT
    return index if value > 0.0 else -index


def bucket_counts(values: Sequence[float]) -> Counter[int]:
    """How many of some finite values lie in which bucket; for many of them four times as fast as one by one."""
    if min(values, default=0.0) <= 0.0:
        return Counter(map(bucket_of, values))
    ceil = math.ceil
    counted = Counter([ceil(logarithm * _BUCKETS_PER_DOUBLING) for logarithm in map(math.log2, values)])
    return Counter({index - 1 + _SHIFT: count for index, count in counted.items()})


def _nearest(buckets: list[int], bucket: int) -> int:
    at = bisect_left(buckets, bucket)
    return min(buckets[max(at - 1, 0) : at + 1], key=lambda one: abs(one - bucket))


def _finite(value: float) -> float:
    if -_MOST <= value <= _MOST:
        return value
    return -_MOST if value < 0.0 else _MOST
