"""Events as a series."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tallystick.model.clock import ManualClock
from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid
from tallystick.query import Evaluator, Request
from tallystick.store.memory import MemoryStore

from .conftest import NOW_S

HAPPENED = {
    NOW_S - 60: ["before"],
    NOW_S - 50: ["deploy", "web"],
    NOW_S - 20: ["deploy"],
    NOW_S - 2: ["deploy", "web"],
    NOW_S - 1: ["after"],
}


class Diary:
    """Events in a dictionary."""

    def moments(self, from_s: int, until_s: int, tags: Sequence[str]) -> NDArray[np.int64]:
        return np.array([t for t, own in HAPPENED.items() if from_s <= t < until_s and set(tags) <= set(own)], np.int64)


def asked(target: str, slots_max: int | None = None) -> Grid:
    request = Request(NOW_S - 50, NOW_S - 1, NOW_S, slots_max=slots_max)
    [grid] = Evaluator(MemoryStore(), ManualClock(), events=Diary()).evaluate([target], request)
    return grid


def test_seconds_with_events_that_have_all_tags_are_counted():
    grid = asked('events("deploy", "web")')
    assert grid.rows[0].name == 'events("deploy", "web")'
    assert (grid.start_s, grid.step_s, grid.values.shape) == (NOW_S - 50, 1, (1, 49))
    assert np.flatnonzero(grid.values[0] == 1.0).tolist() == [0, 48]
    assert np.isnan(grid.values[0]).sum() == 47


def test_a_star_stands_for_every_event_and_pixels_add_them_up():
    assert np.nansum(asked('events("*")').values) == 3.0
    assert np.nansum(asked('events("*")', slots_max=1).values) == 3.0


def test_without_a_tag_it_is_refused(store: MemoryStore):
    with pytest.raises(QueryError, match="expected one or more"):
        asked("events()")


def test_without_a_source_nothing_happened(store: MemoryStore):
    request = Request(NOW_S - 50, NOW_S - 1, NOW_S)
    [grid] = Evaluator(store, ManualClock()).evaluate(['events("*")'], request)
    assert np.isnan(grid.values).all()
