"""What the tests of the suite share: a store that is opened for each, and how samples are put in and read."""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tallystick.model.clock import Clock, ManualClock
from tallystick.model.kind import Kind
from tallystick.model.retention import AggregationRule, Retention, RetentionRule
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic
from tallystick.store.contract import Store

NOW_S = 1_700_006_400 // 7200 * 7200 + 3600
"""What the clock says: an hour's beginning."""
RULES = (
    RetentionRule("fine.*", Retention.parse("1s:1d,10s:10d,1m:30d")),
    RetentionRule("*", Retention.parse("10s:10d,1m:30d,5m:90d")),
)
AGGREGATION = (
    AggregationRule("web.peaks.*", Statistic.MAX),
    AggregationRule("*", Statistic.SUM, r"\.total$"),
)
EVERY = tuple(Statistic)
Row = tuple[float, float] | tuple[float, float, float]
"""Seconds from `NOW_S`, value and, if it is not 1, weight."""


class Basis:
    """How the suite reaches the store that it tests."""

    def opened(
        self,
        directory: Path,
        rules: Sequence[RetentionRule],
        clock: Clock,
        aggregation: Sequence[AggregationRule] = (),
    ) -> AbstractContextManager[Store]:
        """A store in a directory that may be empty or hold one that was closed; closed at the end of the context."""
        raise NotImplementedError

    def settle(self, store: Store) -> None:
        """Do what the store does in the background (sealing, compaction): no answer may change.

        The suite asks twice where this matters, before and after; a store that has nothing to do leaves it as it is.
        """

    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock(float(NOW_S))

    @pytest.fixture
    def store(self, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
        with self.opened(tmp_path / "store", RULES, clock, AGGREGATION) as store:
            yield store


def put(store: Store, name: str, kind: Kind, rows: Sequence[Row], flag: int = 0) -> int:
    """Append samples of one series; returns the ticket."""
    series = store.create([name], [kind])[0]
    full = [row if len(row) == 3 else (*row, 1.0) for row in rows]
    times = [round((NOW_S + second) * 1000) for second, _, _ in full]
    values = [value for _, value, _ in full]
    weights = [weight for _, _, weight in full]
    return store.append(SampleBatch.of([series] * len(full), times, values, weight=weights, kind=kind | flag))


def one(store: Store, name: str) -> NDArray[np.int32]:
    """The id of a series that is there."""
    ids = store.catalog.find(name)
    assert len(ids) == 1, f"{name} finds {store.catalog.names(ids)}"
    return ids


def row(
    store: Store,
    name: str,
    statistic: Statistic = Statistic.DEFAULT,
    *,
    step_s: int = 10,
    start: int = 0,
    slots: int = 1,
) -> list[float | None]:
    """Consecutive slots from `start` seconds after `NOW_S` on; None where there is no sample."""
    begin = NOW_S + start
    matrix = store.read(one(store, name), begin, begin + slots * step_s, step_s, [statistic])[statistic]
    assert matrix.shape == (1, slots)
    return [None if math.isnan(value) else value for value in matrix[0].tolist()]


def member(n: int) -> float:
    """The 64-bit hash of a member of a set, its bits taken as a float."""
    return float(np.array([int(n) * 0x9E3779B97F4A7C15 % 2**62 + 1], np.int64).view(np.float64)[0])
