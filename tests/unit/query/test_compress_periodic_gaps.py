"""Series that report more seldom than there are slots."""

import numpy as np
import pytest

from tallystick.model.clock import ManualClock
from tallystick.model.grid import Grid
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.query import Evaluator, Request
from tallystick.store.memory import MemoryStore


def compressed(values: list[float | None]) -> Grid:
    """What is made of values of ten-second slots from 10 s on."""
    store = MemoryStore(clock=ManualClock(1000.0))
    ids = store.create(["seldom"], [Kind.GAUGE])
    known = [(10_000 * (i + 1), value) for i, value in enumerate(values) if value is not None]
    times, numbers = [t for t, _ in known], [value for _, value in known]
    store.append(SampleBatch.of(np.full(len(known), ids[0]), times, numbers, kind=Kind.GAUGE))
    until_s = 10 * len(values)
    [grid] = Evaluator(store, ManualClock()).evaluate(["compressPeriodicGaps(seldom)"], Request(5, until_s, until_s))
    return grid


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([1.0, None, None, 2.0, None, None, 3.0, None, None], id="also from the first slot on"),
        pytest.param([None, 0.0, None, None, 5.0, None, None, 0.0, None], id="also where a value is 0"),
    ],
)
def test_slots_are_as_long_as_it_is_from_one_report_to_the_next(values: list[float | None]):
    grid = compressed(values)
    first = next(i for i, value in enumerate(values) if value is not None)
    assert (grid.start_s, grid.step_s) == (10 * (first + 1), 30)
    assert grid.values[0].tolist() == [value for value in values if value is not None]


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None, 2.0, 3.0, None, 4.0, None, None],
        [1.0, None, None, 2.0, None, None, None, 3.0],
        [None, None, 1.0, None],
        [1.0, 2.0, 3.0, 4.0],
    ],
)
def test_without_a_rhythm_a_series_stays_as_it_is(values: list[float | None]):
    grid = compressed(values)
    assert (grid.start_s, grid.step_s) == (10, 10)
    assert [None if np.isnan(value) else value for value in grid.values[0].tolist()] == values
