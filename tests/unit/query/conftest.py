"""A small store with series of every kind."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.grid import Grid
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, QueryLimits, Request
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_000
Ask = Callable[..., list[Grid]]


def filled_store() -> MemoryStore:
    """Ten-second slots up to now: two gauges with two samples a slot, a counter, a timing, a set."""
    store = MemoryStore(clock=ManualClock(float(NOW_S)))
    names = ["web.a.load", "web.b.load", "web.a.hits", "web.a.took", "web.a.users", "disk;host=x"]
    kinds = [Kind.GAUGE, Kind.GAUGE, Kind.COUNTER, Kind.TIMING, Kind.SET, Kind.GAUGE]
    ids = store.create(names, kinds)
    for series, kind in zip(ids.tolist(), kinds, strict=True):
        times = np.arange(NOW_S - 600, NOW_S, 5, dtype=np.int64)
        # Half of the samples rise by one a slot, the other half lies 100 above them.
        values = (times - (NOW_S - 600)) // 10 + np.where(times % 10 == 0, 0.0, 100.0) + 10.0 * series
        store.append(SampleBatch.of(np.full(len(times), series), times * 1000, values, kind=kind))
    return store


@pytest.fixture(scope="session")
def store() -> MemoryStore:
    return filled_store()


@pytest.fixture
def ask(store: MemoryStore) -> Ask:
    """Evaluate targets over the last five minutes."""

    def evaluate(*targets: str, limits: QueryLimits | None = None, seconds: int = 300, **more: object) -> list[Grid]:
        evaluator = Evaluator(store, ManualClock(), limits)
        return evaluator.evaluate(targets, Request(NOW_S - seconds, NOW_S - 1, NOW_S, **more))

    return evaluate


def names(grids: Sequence[Grid]) -> list[str]:
    return [row.name for grid in grids for row in grid.rows]
