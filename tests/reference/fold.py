"""The plain twin of folding: what the statistics of some samples are, by definition."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tallystick.model.kind import Kind

Key = tuple[int, int]
"""A series and a slot."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample, in order of arrival among others."""

    series: int
    timestamp_ms: int
    value: float
    weight: float
    kind: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a slot keeps; `buckets` are those of a timing by number, `members` those of a set."""

    last: float
    count: float
    sum: float
    m2: float
    min: float
    max: float
    buckets: dict[int, float]
    members: int


def slots_of(samples: Iterable[Sample], step_s: int) -> dict[Key, list[Sample]]:
    """The samples of each series and slot, in the order of their arrival."""
    slots: dict[Key, list[Sample]] = defaultdict(list)
    for sample in samples:
        slots[sample.series, sample.timestamp_ms // (step_s * 1000)].append(sample)
    return slots


def statistics_of(samples: list[Sample]) -> Statistics:
    """By definition, with sums that do not round."""
    count = math.fsum(s.weight for s in samples)
    mean = math.fsum(s.weight * s.value for s in samples) / count
    newest = max(s.timestamp_ms for s in samples)
    buckets: dict[int, float] = defaultdict(float)
    for s in samples:
        if s.kind == Kind.TIMING:
            buckets[bucket(s.value)] += s.weight
    return Statistics(
        last=[s.value for s in samples if s.timestamp_ms == newest][-1],
        count=count,
        sum=math.fsum(s.weight * s.value for s in samples),
        m2=math.fsum(s.weight * (s.value - mean) ** 2 for s in samples),
        min=min(s.value for s in samples),
        max=max(s.value for s in samples),
        buckets=dict(buckets),
        members=len({s.value for s in samples}),
    )


def bucket(value: float) -> int:
    """The number of the bucket whose bounds hold a value, found from the bounds alone."""
    if value == 0.0:
        return 0
    exponent = math.frexp(abs(value))[1] - 1
    # 2**exponent <= |value|; a bucket is open below and closed above.
    index = next(i for i in range(32 * exponent - 1, 32 * exponent + 33) if abs(value) <= bound(i + 1))
    return int(math.copysign(index + 40_000, value))


def bound(i: int) -> float:
    """The lower bound of bucket `i`: two to the `i` / 32, rounded once."""
    whole, part = divmod(i, 32)
    try:
        return math.ldexp(2.0 ** (part / 32), whole)
    except OverflowError:
        return math.inf
