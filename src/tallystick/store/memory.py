"""`MemoryStore`: the plain model of a store, for tests and demonstrations.

It keeps every sample and computes each statistic when asked, so that it is obviously right and slow. Engines are
compared with it. Nothing expires, nothing is written to disk.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.model.name import canonical, tags_of
from tallystick.model.retention import DEFAULT_KEEP, Retention, RetentionRule
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.contract import Node

_DEFAULT_RULES = (RetentionRule("*", Retention.parse(DEFAULT_KEEP)),)


@dataclass(frozen=True, slots=True, order=True)
class _Sample:
    timestamp_ms: int
    arrival: int
    value: float
    weight: float


@dataclass(slots=True)
class _Series:
    name: str
    kind: Kind
    retention: Retention
    level: float = 0.0
    slots: dict[int, list[_Sample]] = field(default_factory=lambda: defaultdict(list))

    def between(self, start_s: int, end_s: int) -> list[_Sample]:
        """The samples of all finest slots that begin in ``[start_s, end_s)``, by time."""
        step_s = self.retention.step_s
        slots = range(-(-start_s // step_s), -(-end_s // step_s))
        return sorted(sample for slot in slots for sample in self.slots.get(slot, ()))


class MemoryStore:
    """A store in dictionaries; keeps `tallystick.store.contract.Store`.

    Parameters
    ----------
    rules
        How long names are kept; the first that matches counts.
    """

    def __init__(self, rules: Sequence[RetentionRule] = _DEFAULT_RULES) -> None:
        self._rules = rules
        self._series: list[_Series] = []
        self._ids: dict[str, int] = {}
        self._arrivals = 0
        self._batches = 0
        self._lock = threading.RLock()

    @property
    def catalog(self) -> "MemoryCatalog":
        return MemoryCatalog([(one.name, one.kind) for one in self._series])

    def create(self, names: Sequence[str], kinds: Sequence[Kind]) -> NDArray[np.int32]:
        with self._lock:
            return np.array([self._create(*one) for one in zip(names, kinds, strict=True)], np.int32)

    def _create(self, name: str, kind: Kind) -> int:
        if canonical(name) != name:
            raise ValueError(f"cannot create series {name!r}: its tags are not in order; expected {canonical(name)!r}")
        if name not in self._ids:
            retention = next((r.retention for r in self._rules if r.matches(name)), Retention.parse(DEFAULT_KEEP))
            self._ids[name] = len(self._series)
            self._series.append(_Series(name, Kind(kind), retention))
        series = self._ids[name]
        return series if self._series[series].kind == kind else -1

    def append(self, batch: SampleBatch) -> int:
        with self._lock:
            columns = (batch.ids, batch.timestamp, batch.value, batch.weight, batch.kind)
            for row in zip(*(column.tolist() for column in columns), strict=True):
                self._take(*row)
            self._batches += 1
            return self._batches

    def _take(self, series_id: int, timestamp_ms: int, value: float, weight: float, kind: int) -> None:
        series = self._series[series_id]
        if kind & GAUGE_DELTA:
            value += series.level
        series.level = value
        self._arrivals += 1
        slot = timestamp_ms // (1000 * series.retention.step_s)
        series.slots[slot].append(_Sample(timestamp_ms, self._arrivals, value, weight))

    def durable(self, ticket: int) -> bool:
        """Memory is as durable as this store gets."""
        return ticket <= self._batches

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        if not self.durable(ticket):
            raise ValueError(f"cannot wait for ticket {ticket}: expected one that append() returned")
        call()

    def retention(self, series: int) -> Retention:
        return self._series[series].retention

    def steps(self, ids: NDArray[np.int32], age_s: float) -> NDArray[np.int64]:
        return np.array([self._series[i].retention.covering(age_s).step_s for i in ids.tolist()], np.int64)

    def read(
        self,
        ids: NDArray[np.int32],
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, NDArray[np.float64]]:
        def value(statistic: Statistic) -> Callable[[_Series, list[_Sample]], float]:
            return lambda series, samples: _statistic(series, samples, statistic, step_s)

        return {one: self._matrix(ids, start_s, until_s, step_s, value(one)) for one in statistics}

    def percentiles(
        self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, NDArray[np.float64]]:
        def value(rank: float) -> Callable[[_Series, list[_Sample]], float]:
            return lambda series, samples: _percentile(samples, rank) if series.kind == Kind.TIMING else float("nan")

        return {rank: self._matrix(ids, start_s, until_s, step_s, value(rank)) for rank in ranks}

    def _matrix(
        self,
        ids: NDArray[np.int32],
        start_s: int,
        until_s: int,
        step_s: int,
        value: Callable[[_Series, list[_Sample]], float],
    ) -> NDArray[np.float64]:
        matrix = np.full((len(ids), (until_s - start_s) // step_s), np.nan)
        with self._lock:
            for row, series_id in enumerate(ids.tolist()):
                series = self._series[series_id]
                for column, begin_s in enumerate(range(start_s, until_s, step_s)):
                    samples = series.between(begin_s, begin_s + step_s)
                    if samples:
                        matrix[row, column] = value(series, samples)
        return matrix


def _statistic(series: _Series, samples: list[_Sample], statistic: Statistic, step_s: int) -> float:
    """A statistic of samples that are ordered by time and arrival; the weight scales count and sum."""
    if series.kind == Kind.SET and statistic in (Statistic.DEFAULT, Statistic.LAST):
        return float(len({np.float64(sample.value).tobytes() for sample in samples}))
    if statistic is Statistic.DEFAULT:
        statistic = _default(series, step_s)
    values = [sample.value for sample in samples]
    count = sum(sample.weight for sample in samples)
    total = sum(sample.weight * sample.value for sample in samples)
    match statistic:
        case Statistic.LAST:
            return values[-1]
        case Statistic.MIN:
            return min(values)
        case Statistic.MAX:
            return max(values)
        case Statistic.COUNT:
            return count
        case Statistic.SUM:
            return total
        case Statistic.AVG:
            return total / count
        case Statistic.SDEV:
            m2 = sum(sample.weight * (sample.value - total / count) ** 2 for sample in samples)
            return sqrt(m2 / count)
        case Statistic.DEFAULT:
            raise AssertionError("the default was replaced above")


def _default(series: _Series, step_s: int) -> Statistic:
    match series.kind:
        case Kind.GAUGE:
            return Statistic.LAST if step_s == series.retention.step_s else Statistic.AVG
        case Kind.COUNTER:
            return Statistic.SUM
        case Kind.TIMING:
            return Statistic.AVG
        case _:
            return Statistic.LAST


def _percentile(samples: list[_Sample], rank: float) -> float:
    """The smallest value that at least `rank` percent of the weight does not exceed."""
    ordered = sorted(samples, key=lambda sample: sample.value)
    wanted = rank / 100.0 * sum(sample.weight for sample in ordered)
    reached = 0.0
    for sample in ordered:
        reached += sample.weight
        if reached >= wanted:
            return sample.value
    return ordered[-1].value


class MemoryCatalog:
    """Names, looked through one by one; keeps `tallystick.store.contract.Catalog`."""

    def __init__(self, series: Sequence[tuple[str, Kind]]) -> None:
        self._series = series

    def __len__(self) -> int:
        return len(self._series)

    def find(self, pattern: str) -> NDArray[np.int32]:
        expression = glob_expression(pattern)
        return self._sorted([i for i, (name, _) in enumerate(self._series) if expression.fullmatch(name)])

    def children(self, pattern: str) -> list[Node]:
        expression = glob_expression(pattern)
        depth = len(_components(pattern))
        leaves: set[str] = set()
        branches: set[str] = set()
        for name, _ in self._series:
            parts = _components(name)
            path = ".".join(parts[:depth])
            if len(parts) >= depth and expression.fullmatch(path):
                (leaves if len(parts) == depth else branches).add(path)
        return [
            Node(_components(path)[-1], path, path in leaves, path in branches) for path in sorted(leaves | branches)
        ]

    def tagged(self, expressions: Sequence[str]) -> NDArray[np.int32]:
        tests = [_tag_test(expression) for expression in expressions]
        if all(test({}) for test in tests):
            raise QueryError(
                f"cannot find series by {list(expressions)}: each expression matches an empty tag; "
                "expected at least one that does not"
            )
        found = [i for i, (name, _) in enumerate(self._series) if all(test(tags_of(name)) for test in tests)]
        return self._sorted(found)

    def search(self, text: str, limit: int) -> list[str]:
        words = text.lower().split()
        found = [name for name, _ in self._series if all(word in name.lower() for word in words)]
        return sorted(found, key=lambda name: (len(name), name))[:limit]

    def names(self, ids: NDArray[np.int32]) -> list[str]:
        return [self._series[i][0] for i in ids.tolist()]

    def kinds(self, ids: NDArray[np.int32]) -> NDArray[np.uint8]:
        return np.array([self._series[i][1] for i in ids.tolist()], np.uint8)

    def _sorted(self, ids: Sequence[int]) -> NDArray[np.int32]:
        return np.array(sorted(ids, key=lambda i: self._series[i][0]), np.int32)


def _components(name: str) -> list[str]:
    """The parts between dots; tags belong to the last."""
    path, semicolon, tags = name.partition(";")
    parts = path.split(".")
    parts[-1] += semicolon + tags
    return parts


def glob_expression(pattern: str) -> re.Pattern[str]:
    """The regular expression of a glob: ``*``, ``?`` and ``[a-z]`` stay within a component, ``{a,b}`` may be nested.

    Raises
    ------
    QueryError
        If brackets or braces are not balanced.
    """
    out: list[str] = []
    depth = 0
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "[":
            close = pattern.find("]", position + 1)
            if close < 0:
                raise QueryError(f"cannot read glob {pattern!r}: '[' at column {position} is not closed; expected ']'")
            inner = pattern[position:close].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            out.append(f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
            position = close + 1
        elif char == "}" and depth == 0:
            raise QueryError(
                f"cannot read glob {pattern!r}: '}}' at column {position} opens nowhere; expected '{{' before it"
            )
        else:
            depth += (char == "{") - (char == "}")
            inside = {"*": "[^.]*", "?": "[^.]", "{": "(?:", "}": ")"} | ({",": "|"} if depth else {})
            out.append(inside.get(char, re.escape(char)))
    if depth:
        raise QueryError(f"cannot read glob {pattern!r}: '{{' is not closed; expected '}}'")
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error as error:
        raise QueryError(f"cannot read glob {pattern!r}: {error}; expected a range such as [a-z]") from error


_TAG_EXPRESSION = re.compile(r"([^;!^=~]+)(!?=~?)(.*)", re.DOTALL)


def _tag_test(expression: str) -> Callable[[dict[str, str]], bool]:
    """Whether tags match ``key=value``, ``!=``, ``=~regex`` or ``!=~``; regexes are anchored at the start."""
    match = _TAG_EXPRESSION.fullmatch(expression)
    if match is None:
        raise QueryError(
            f"cannot read tag expression {expression!r}: expected tag=value, tag!=value, tag=~regex or tag!=~regex"
        )
    key, operator, value = match.groups()
    try:
        regex = re.compile(value if "~" in operator else re.escape(value) + r"\Z")
    except re.error as error:
        raise QueryError(
            f"cannot read tag expression {expression!r}: {error}; expected a regular expression"
        ) from error
    return lambda tags: (regex.match(tags.get(key, "")) is not None) != operator.startswith("!")
