"""What rules aggregate is read by the method of its line, in slots of its frequency."""

from collections.abc import Sequence

import numpy as np
import pytest

from tallystick.config.carbon_rules import METHODS, AggregationLine
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.query.outputs import OutputsView
from tallystick.store.memory import MemoryStore

NOW_S = 1_700_000_400


class House:
    """A store behind a view."""

    def __init__(self, *lines: str) -> None:
        self.store = MemoryStore(clock=ManualClock(float(NOW_S + 600)))
        self.lines = tuple(AggregationLine.parse(line) for line in lines)
        self.view = OutputsView(self.store, lambda: self.lines)

    def put(self, name: str, kind: Kind, samples: Sequence[tuple[int, float]]) -> None:
        (series,) = self.store.create([name], [kind]).tolist()
        times, values = zip(*samples, strict=True)
        ids = [series] * len(samples)
        self.store.append(SampleBatch.of(ids, [(NOW_S + at) * 1000 for at in times], values, kind=kind))

    def read(self, name: str, step_s: int, slots: int) -> list[float]:
        ids = self.store.catalog.find(name)
        values = self.view.read(ids, NOW_S, NOW_S + slots * step_s, step_s)[Statistic.DEFAULT]
        return [round(value, 6) for value in values[0].tolist()]


SAMPLES = [(0, 1.0), (1, 5.0), (2, 3.0), (12, 7.0)]


@pytest.mark.parametrize(
    ("method", "first"), [("sum", 9.0), ("avg", 3.0), ("min", 1.0), ("max", 5.0), ("last", 3.0), ("count", 3.0)]
)
def test_an_output_is_what_its_method_says(method: str, first: float) -> None:
    house = House(f"all.x (10) = {method} *.x")
    house.put("all.x", Kind.GAUGE, SAMPLES)
    house.put("other.x", Kind.GAUGE, SAMPLES)
    second = 1.0 if method == "count" else 7.0
    assert house.read("all.x", 10, 2) == [first, second]
    assert house.read("other.x", 10, 2) == [3.0, 7.0]


@pytest.mark.parametrize("method", [method for method in METHODS if method.startswith("p")])
def test_percentiles_are_those_of_the_histogram(method: str) -> None:
    line = AggregationLine.parse(f"all.x (10) = {method} *.x")
    assert line.rank == {"p999": 99.9}.get(method, float(method[1:]))
    house = House(line.text)
    house.put("all.x", Kind.TIMING, [(0, float(k)) for k in range(1, 101)])
    assert house.read("all.x", 10, 1)[0] == pytest.approx(line.rank, rel=0.02)


def test_a_sum_of_levels_over_longer_slots_is_that_of_one_frequency_on_average_and_counters_are_summed() -> None:
    house = House("all.<x> (10) = sum *.<x>")
    house.put("all.level", Kind.GAUGE, [(10 * k, 6.0) for k in range(6)])
    house.put("all.hits", Kind.COUNTER, [(10 * k, 6.0) for k in range(6)])
    assert house.read("all.level", 60, 1) == [6.0]
    assert house.read("all.hits", 60, 1) == [36.0]
    ids = np.concatenate([house.store.catalog.find("all.level"), house.store.catalog.find("all.hits")])
    told = [[STATISTICS[k] for k in house.view.defaults(ids, step_s).tolist()] for step_s in (10, 60)]
    assert told == [[Statistic.SUM, Statistic.SUM], [Statistic.AVG, Statistic.SUM]]


def test_slots_of_an_output_are_as_long_as_its_frequency() -> None:
    house = House("all.x (60) = sum *.x")
    house.put("all.x", Kind.GAUGE, SAMPLES)
    house.put("other.x", Kind.GAUGE, SAMPLES)
    ids = np.concatenate([house.store.catalog.find("all.x"), house.store.catalog.find("other.x")])
    assert house.view.steps(ids, NOW_S, NOW_S + 60).tolist() == [60, 10]
    assert house.read("all.x", 60, 1) == [16.0]


def test_fields_within_a_component_stay_there() -> None:
    house = House("all.<x> (10) = sum *.<x>", "every.<<y>> (10) = sum *.<<y>>")
    for name in ("all.a", "all.a.b", "every.a.b"):
        house.put(name, Kind.GAUGE, SAMPLES)
    assert [house.read(name, 10, 1) for name in ("all.a", "all.a.b", "every.a.b")] == [[9.0], [3.0], [9.0]]


def test_rules_that_change_and_ids_that_get_other_names_are_followed() -> None:
    house = House("all.x (10) = sum *.x")
    house.put("all.x", Kind.GAUGE, SAMPLES)
    assert house.read("all.x", 10, 1) == [9.0]
    house.lines = (AggregationLine.parse("all.x (10) = max *.x"),)
    assert house.read("all.x", 10, 1) == [5.0]
    ids = house.store.catalog.find("all.x")
    house.store.rename(int(ids[0]), "some.x")
    house.view.forget(ids)
    assert house.read("some.x", 10, 1) == [3.0]
    house.lines = ()
    assert house.read("some.x", 10, 1) == [3.0]
