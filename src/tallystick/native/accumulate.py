"""The statistics of the samples of one series in one slot, made sample by sample in plain Python.

`Spread` and `Histogram` merge as the server's do (`tallystick.kernels.fold`, `tallystick.kernels.accumulate` and
`tallystick.kernels.histogram`), to the bit, and `Distinct` makes the sketches that it merges: it does not matter where
samples are tallied.
"""

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from sys import float_info
from typing import overload

from tallystick.native.distinct import Distinct

__all__ = ["BUCKETS_MAX", "Buckets", "Distinct", "Histogram", "Spread", "bucket_of", "count_buckets"]

BUCKETS_MAX = 4096
"""Of one histogram: values over 128 doublings. What a stranger sends further apart counts in the nearest bucket."""

_ROW_MAX = 1024
_ROW_AT_ONCE = 16
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


class Buckets(Sequence[tuple[int, float]]):
    """Numbers of buckets, ascending, and their weights; of a twelfth of the size of a list of pairs."""

    __slots__ = ("_numbers", "_weights")

    def __init__(self, pairs: Iterable[tuple[int, float]]) -> None:
        self._numbers = array("i")
        self._weights = array("d")
        for number, weight in pairs:
            self._numbers.append(number)
            self._weights.append(weight)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self._numbers, self._weights, strict=True)

    @overload
    def __getitem__(self, at: int) -> tuple[int, float]: ...

    @overload
    def __getitem__(self, at: slice) -> list[tuple[int, float]]: ...

    def __getitem__(self, at: int | slice) -> tuple[int, float] | list[tuple[int, float]]:
        return list(self)[at] if isinstance(at, slice) else (self._numbers[at], self._weights[at])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(list(self))


class Histogram:
    """How many samples lie in which bucket of a base-2 exponential histogram of scale 5.

    Notes
    -----
    The buckets of most series lie side by side. They are a row of doubles, a tenth of the size of a dictionary; what is
    far from it, and zero, is in one.
    """

    __slots__ = ("_begin", "_further", "_row")

    def __init__(self) -> None:
        self._begin = 0  # the number of the first bucket of the row
        self._row = array("d")
        self._further: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self._row or self._further)

    def add(self, value: float, weight: float = 1.0) -> None:
        """Count a sample that stands for `weight` of them."""
        self._add(bucket_of(value), weight)

    def add_all(self, values: Sequence[float], weight: float = 1.0) -> None:
        """Count samples, each of which stands for `weight` of them."""
        if len(values) < _FEW:
            for value in values:
                self._add(bucket_of(value), weight)
            return
        counted: Counter[int] = Counter()
        count_buckets(counted, values)
        row, begin = self._row, self._begin
        for bucket, times in counted.items():
            at = bucket - begin
            if 0 <= at < len(row):
                row[at] += weight * times
            else:
                self._add(bucket, weight * times)
                row, begin = self._row, self._begin

    def merge(self, buckets: Iterable[tuple[int, float]]) -> None:
        """Count the samples of another histogram."""
        for bucket, weight in buckets:
            self._add(bucket, weight)

    def buckets(self) -> Buckets:
        """Buckets, ascending, and their weights."""
        row = self._in_row()
        return Buckets(sorted([*row, *self._further.items()]) if self._further else row)

    def _add(self, bucket: int, weight: float) -> None:
        at = bucket - self._begin
        if 0 <= at < len(self._row) or (at := self._place(bucket)) >= 0:
            self._row[at] += weight
            return
        further = self._further
        if bucket in further:
            further[bucket] += weight
        elif len(further) < BUCKETS_MAX:
            further[bucket] = weight
        else:
            further[_nearest(sorted(further), bucket)] += weight

    def _place(self, bucket: int) -> int:
        """The place in the row of a bucket beside it, for which it is made longer; below 0 if that is too far."""
        if len(self._further) >= BUCKETS_MAX - _ROW_MAX:  # as many as there may be, or nearly: from here on they count
            self._further.update(self._in_row())
            self._row = array("d")
            return -1
        if not bucket:
            return -1
        begin, end = bucket - _ROW_AT_ONCE, bucket + _ROW_AT_ONCE
        if self._row:
            begin, end = min(begin, self._begin), max(end, self._begin + len(self._row))
        if end - begin > _ROW_MAX:
            return -1
        before = self._begin - begin if self._row else end - begin
        self._row = _zeros(before) + self._row + _zeros(end - begin - before - len(self._row))
        self._begin = begin
        for number in [number for number in self._further if begin <= number < end]:
            self._row[number - begin] = self._further.pop(number)
        return bucket - begin

    def _in_row(self) -> list[tuple[int, float]]:
        return [(number, weight) for number, weight in enumerate(self._row, self._begin) if weight]


def bucket_of(value: float) -> int:
    """Number of the bucket that holds a finite value."""
    if value == 0.0:
        return 0
    index = math.ceil(math.log2(abs(value)) * _BUCKETS_PER_DOUBLING) - 1 + _SHIFT
    return index if value > 0.0 else -index


def count_buckets(counted: Counter[int], values: Sequence[float]) -> None:
    """Add how many of some finite values lie in which bucket; for many of them five times as fast as one by one."""
    if min(values, default=0.0) <= 0.0:
        counted.update(map(bucket_of, values))
        return
    ceil, before_first = math.ceil, _SHIFT - 1
    counted.update([ceil(logarithm * _BUCKETS_PER_DOUBLING) + before_first for logarithm in map(math.log2, values)])


def _zeros(count: int) -> "array[float]":
    return array("d", bytes(8 * count))


def _nearest(buckets: list[int], bucket: int) -> int:
    at = bisect_left(buckets, bucket)
    return min(buckets[max(at - 1, 0) : at + 1], key=lambda one: abs(one - bucket))


def _finite(value: float) -> float:
    if -_MOST <= value <= _MOST:
        return value
    return -_MOST if value < 0.0 else _MOST
