"""A name is decided about once; each row is a series or a reject."""

import numpy as np

from tallystick.kernels.names import NameTable
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.route import EXAMPLES_MAX, Routed, Router, Rule
from tallystick.store.catalog import SeriesCatalog


class House:
    """A router in front of a catalog, fed by names."""

    def __init__(self, *rules: Rule) -> None:
        self.names = NameTable()
        self.catalog = SeriesCatalog()
        self.router = Router(self.names, self.catalog.create, rules)

    def send(self, *names: str, kind: Kind | int | list[int] = Kind.GAUGE) -> Routed:
        ids = self.names.intern_many([name.encode() for name in names])
        values = np.arange(len(names), dtype=np.float64)
        return self.router.route(SampleBatch.of(ids, np.zeros(len(ids), np.int64), values, kind=kind))

    def series(self, routed: Routed) -> list[str]:
        return self.catalog.names(routed.batch.ids)


def test_names_become_series_in_the_order_of_their_arrival():
    house = House()
    assert house.series(house.send("b", "a", "b", "c")) == ["b", "a", "b", "c"]
    assert house.catalog.names(np.arange(3, dtype=np.int32)) == ["b", "a", "c"]


def test_empty_components_are_dropped_and_tags_sorted():
    house = House()
    routed = house.send("..a...b.", "a.b", "x;b=2;a=1", "x;a=1;b=2")
    assert house.series(routed) == ["a.b", "a.b", "x;a=1;b=2", "x;a=1;b=2"]
    assert len(house.catalog) == 2


def test_a_name_that_cannot_be_a_series_is_rejected_with_its_reason():
    house = House()
    routed = house.send("good", "...", "a;b", ";a=1", "good")
    assert house.series(routed) == ["good", "good"]
    assert routed.batch.value.tolist() == [0.0, 4.0]
    assert sorted(routed.rejects.examples) == [
        (Reason.NAME_EMPTY, b"..."),
        (Reason.NAME_EMPTY, b";a=1"),
        (Reason.TAG, b"a;b"),
    ]
    assert len(routed.batch) + routed.rejects.total == 5


def test_rows_of_another_kind_are_rejected_and_changes_of_a_gauge_are_not():
    house = House()
    kinds = [Kind.GAUGE, Kind.GAUGE | GAUGE_DELTA, Kind.COUNTER]
    routed = house.send("a", "a", "a", kind=kinds)
    assert routed.batch.kind.tolist() == [0, GAUGE_DELTA]
    assert routed.rejects.counts[Reason.KIND] == 1
    assert routed.rejects.examples == [(Reason.KIND, b"a")]


def test_a_first_sample_of_the_wrong_kind_does_not_shut_out_the_right_one():
    house = House()
    house.catalog.create(["a"], [Kind.TIMING])
    assert house.send("a", kind=Kind.COUNTER).rejects.counts[Reason.KIND] == 1
    assert house.series(house.send("a", kind=Kind.TIMING)) == ["a"]
    mixed = house.send("a", "a", "a", kind=[Kind.GAUGE, Kind.COUNTER, Kind.TIMING])
    assert mixed.rejects.counts[Reason.KIND] == 2
    assert house.series(mixed) == ["a"]


def test_a_rule_renames_and_the_next_one_sees_the_new_name():
    house = House(
        Rule("collectd.*", rename=(r"^collectd\.(\w+)", r"hosts.\1")),
        Rule("hosts.secret*", block=True),
    )
    routed = house.send("collectd.web1.cpu", "collectd.secret7.cpu", "other")
    assert house.series(routed) == ["hosts.web1.cpu", "other"]
    assert routed.rejects.examples == [(Reason.BLOCKED, b"collectd.secret7.cpu")]


def test_a_rename_to_nothing_or_to_unusable_bytes_is_a_reject():
    house = House(Rule("gone*", rename=(".*", "")), Rule("bad*", rename=("bad", "b d")))
    routed = house.send("gone.x", "bad.x", "fine")
    assert house.series(routed) == ["fine"]
    assert routed.rejects.counts[Reason.NAME_EMPTY] == 1
    assert routed.rejects.counts[Reason.NAME_BYTES] == 1


def test_all_rejects_are_counted_but_only_some_are_examples():
    house = House(Rule("*", block=True))
    routed = house.send(*(f"name{i}" for i in range(3 * EXAMPLES_MAX)))
    assert routed.rejects.total == 3 * EXAMPLES_MAX
    assert len(routed.rejects.examples) == EXAMPLES_MAX


def test_an_empty_batch_is_routed_to_nothing():
    routed = House().send()
    assert len(routed.batch) == 0
    assert routed.rejects.total == 0
