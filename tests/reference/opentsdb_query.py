"""OpenTSDB's queries in plain Python, on lists of points: what `tallystick.query.opentsdb` is compared with.

Written from OpenTSDB's documentation of aggregators, downsampling and rates, one point at a time.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[int, float]
HOUR_S = 3600


@dataclass(frozen=True)
class Series:
    """A series: its tags, and its points by time, epoch seconds."""

    tags: dict[str, str]
    points: list[Point]


@dataclass(frozen=True)
class Asked:
    """A query of all series: `interval_s` is None for no downsampling and 0 for one bucket."""

    start_s: int
    end_s: int
    aggregator: str
    interval_s: int | None = None
    function: str = "avg"
    fill: str = "none"
    rate: bool = False
    counter: bool = False
    counter_max: float = float(2**63 - 1)
    reset_value: float = 0.0
    drop_resets: bool = False
    group_by: tuple[str, ...] = ()


def percentile(values: list[float], share: float, kind: int) -> float:
    """The third, sixth or seventh definition of Hyndman and Fan (1996)."""
    values, n = sorted(values), len(values)
    if kind == 3:
        return values[min(max(round(share * n) - 1, 0), n - 1)]
    place = share * (n + 1) - 1 if kind == 6 else share * (n - 1)
    place = min(max(place, 0.0), n - 1.0)
    low = math.floor(place)
    return values[low] + (place - low) * (values[min(low + 1, n - 1)] - values[low])


def deviation(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


PLAIN: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "zimsum": math.fsum,
    "pfsum": math.fsum,
    "min": min,
    "mimmin": min,
    "max": max,
    "mimmax": max,
    "avg": lambda values: math.fsum(values) / len(values),
    "dev": deviation,
    "median": lambda values: sorted(values)[len(values) // 2],
    "squareSum": lambda values: math.fsum(value * value for value in values),
}
"""Functions of the values that are known, at least one."""
for digits, share in {"50": 0.5, "75": 0.75, "90": 0.9, "95": 0.95, "99": 0.99, "999": 0.999}.items():
    for form, kind in (("p", 6), ("r3", 3), ("r7", 7)):
        name = f"p{digits}" if form == "p" else f"ep{digits}{form}"
        PLAIN[name] = lambda values, share=share, kind=kind: percentile(values, share, kind)

BETWEEN = {
    "count": "zero",
    "zimsum": "zero",
    "squareSum": "zero",
    "first": "zero",
    "last": "zero",
    "mimmin": "nothing",
    "mimmax": "nothing",
    "none": "nothing",
    "pfsum": "previous",
}
"""What stands between two points; a line if it is not here."""


def reduce(name: str, values: Sequence[float]) -> float:
    """An aggregator of the values that count, in order; NaN is one that a bucket was filled with."""
    known = [value for value in values if not math.isnan(value)]
    match name:
        case "count":
            return float(len(known))
        case "first" | "none":
            return values[0]
        case "last":
            return values[-1]
        case "mult":
            return math.prod(values)
        case "diff" if not known:
            return math.nan
        case "diff":
            begin = next(i for i, value in enumerate(values) if not math.isnan(value))
            return 0.0 if begin == len(values) - 1 else values[-1] - values[begin]
        case _:
            return PLAIN[name](known) if known else math.nan


def answer(every: Sequence[Series], asked: Asked) -> list[tuple[tuple[str, ...], list[Point]]]:
    """The values of the tags that group, and the points, of each group; groups without points are left out.

    Without an aggregator each series is a group, by its tag ``k``, which no other has.
    """
    step = asked.interval_s or 1
    first = asked.start_s // step * step // HOUR_S * HOUR_S
    end = -(-(asked.end_s + 1) // step) * step
    if asked.fill == "none":
        end = -(-end // HOUR_S) * HOUR_S
    groups: dict[tuple[str, ...], list[list[Point]]] = {}
    for one in every:
        read = [point for point in one.points if (first // step * step) <= point[0] < end]
        points = downsampled(read, asked, first, end)
        if asked.rate:
            points = rates(points, asked)
        key = (one.tags["k"],) if asked.aggregator == "none" else tuple(one.tags[tag] for tag in asked.group_by)
        groups.setdefault(key, []).append(points)
    found = [(key, in_range(joined(members, asked), asked)) for key, members in groups.items()]
    return [(key, points) for key, points in found if points]


def in_range(points: list[Point], asked: Asked) -> list[Point]:
    return [point for point in points if asked.start_s <= point[0] <= asked.end_s]


def downsampled(points: list[Point], asked: Asked, first: int, end: int) -> list[Point]:
    if asked.interval_s is None or not points:
        return points
    if asked.interval_s == 0:
        values = [value for at, value in points if asked.start_s <= at < asked.end_s]
        return [(asked.start_s, reduce(asked.function, values))] if values else []
    buckets: dict[int, list[float]] = {}
    for at, value in points:
        buckets.setdefault(at // asked.interval_s * asked.interval_s, []).append(value)
    joined = {at: reduce(asked.function, values) for at, values in buckets.items()}
    if asked.fill != "none":
        filling = 0.0 if asked.fill == "zero" else math.nan
        for at in range(first // asked.interval_s * asked.interval_s, end, asked.interval_s):
            joined.setdefault(at, filling)
    return sorted(joined.items())


def rates(points: list[Point], asked: Asked) -> list[Point]:
    found = []
    for (before_s, before), (at, value) in pairwise(points):
        change, seconds = value - before, at - before_s
        if asked.counter and change < 0:
            if asked.drop_resets:
                continue
            rate = (asked.counter_max - before + value) / seconds
            found.append((at, 0.0 if 0 < asked.reset_value < rate else rate))
        else:
            found.append((at, change / seconds))
    return found


def joined(members: list[list[Point]], asked: Asked) -> list[Point]:
    """The group's value at each moment at which any member has a point."""
    between = "previous" if asked.rate else BETWEEN.get(asked.aggregator, "line")
    moments = sorted({at for points in members for at, _ in points})
    tables = [dict(points) for points in members]
    found = []
    for at in moments:
        values = [
            value
            for points, table in zip(members, tables, strict=True)
            for value in value_at(at, points, table, between)
        ]
        found.append((at, reduce(asked.aggregator, values)))
    return found


def value_at(at: int, points: list[Point], table: dict[int, float], between: str) -> list[float]:
    """What a member counts for at a moment: one value, or none."""
    if at in table:
        return [table[at]]
    before = [point for point in points if point[0] < at]
    behind = [point for point in points if point[0] > at]
    if not before or not behind or between == "nothing":
        return []
    (x0, y0), (x1, y1) = before[-1], behind[0]
    if between == "zero":
        return [0.0]
    return [y0 if between == "previous" else y0 + (at - x0) * (y1 - y0) / (x1 - x0)]
