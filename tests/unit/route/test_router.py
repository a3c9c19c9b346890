"""A name is decided about once; each row is a series or a reject."""

import numpy as np

from tallystick.config import Rule
from tallystick.kernels.names import NameTable
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.route import EXAMPLES_MAX, Routed, Router
from tallystick.store.names.catalog import SeriesCatalog


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
        Rule(match="collectd.*", rewrite=r"^collectd\.(\w+) -> hosts.\1"),
        Rule(match="hosts.secret*", block=True),
    )
    routed = house.send("collectd.web1.cpu", "collectd.secret7.cpu", "other")
    assert house.series(routed) == ["hosts.web1.cpu", "other"]
    assert routed.rejects.examples == [(Reason.BLOCKED, b"collectd.secret7.cpu")]


def test_a_rename_to_nothing_or_to_unusable_bytes_is_a_reject():
    house = House(Rule(match="gone*", rewrite=".* -> "), Rule(match="bad*", rewrite="bad -> b d"))
    routed = house.send("gone.x", "bad.x", "fine")
    assert house.series(routed) == ["fine"]
    assert routed.rejects.counts[Reason.NAME_EMPTY] == 1
    assert routed.rejects.counts[Reason.NAME_BYTES] == 1


def test_all_rejects_are_counted_but_only_some_are_examples():
    house = House(Rule(match="*", block=True))
    routed = house.send(*(f"name{i}" for i in range(3 * EXAMPLES_MAX)))
    assert routed.rejects.total == 3 * EXAMPLES_MAX
    assert len(routed.rejects.examples) == EXAMPLES_MAX


def test_an_empty_batch_is_routed_to_nothing():
    routed = House().send()
    assert len(routed.batch) == 0
    assert routed.rejects.total == 0


def test_a_name_whose_series_was_forgotten_is_decided_about_anew():
    house = House()
    ids = house.send("a", "..b", "c").batch.ids
    gone = house.catalog.forget(ids[:2])
    house.router.forget(gone)
    again = house.send("a", "..b", "c").batch.ids
    assert house.catalog.names(again) == ["a", "b", "c"]
    assert not set(again[:2].tolist()) & set(gone.tolist())
    assert again[2] == ids[2]


def test_a_kind_that_was_refused_is_taken_once_the_series_that_had_the_name_is_gone():
    house = House()
    (series,) = house.send("a", kind=Kind.TIMING).batch.ids.tolist()
    assert house.send("a", kind=Kind.COUNTER).rejects.counts[Reason.KIND] == 1
    house.catalog.create(["other"], [Kind.TIMING])
    assert house.send("other", kind=Kind.COUNTER).rejects.counts[Reason.KIND] == 1
    ids = np.array([series, *house.catalog.find("other").tolist()], np.int32)
    house.catalog.forget(ids)
    house.router.forget(ids)
    assert house.series(house.send("a", "other", kind=Kind.COUNTER)) == ["a", "other"]


def test_names_that_lead_nowhere_are_dropped_when_they_are_most_of_the_table():
    house = House(Rule(match="block.*", block=True))
    house.router.useless_min = 10
    house.send("kept", "too;b=2;a=1")
    assert not house.router.wasteful
    house.send(*(f"block.{k}" for k in range(30)))
    assert house.router.wasteful
    house.router.rebuild()
    assert not house.router.wasteful
    assert len(house.names) == 2
    before = house.catalog.ids().tolist()
    routed = house.send("new", "too;b=2;a=1", "block.1", "kept")
    assert house.series(routed) == ["new", "too;a=1;b=2", "kept"]
    assert routed.rejects.counts[Reason.BLOCKED] == 1
    assert house.catalog.ids().tolist() == [*before, 2]


def test_a_full_table_is_worth_a_look_at_what_is_in_it():
    house = House(Rule(match="block.*", block=True))
    house.names, house.router.useless_min = NameTable(entries_max=40), 10
    house.router = Router(house.names, house.catalog.create, [Rule(match="block.*", block=True)])
    house.router.useless_min = 10
    house.send(*(f"kept.{k}" for k in range(15)))
    house.send(*(f"block.{k}" for k in range(10)))
    assert not house.router.wasteful
    house.send(*(f"block.{k}" for k in range(10, 25)))
    assert len(house.names) == 40 and house.router.wasteful
    house.router.rebuild()
    assert len(house.names) == 15


def test_what_is_known_of_series_at_the_start_is_not_asked_for_again():
    catalog = SeriesCatalog()
    ids = catalog.create(["a", "b"], [Kind.GAUGE, Kind.COUNTER])
    names = NameTable()
    router = Router(names, catalog.create)
    router.know(names.intern_many([b"a", b"b"]), ids, catalog.kinds(ids))
    asked = names.intern_many([b"b", b"a", b"a"])
    routed = router.route(SampleBatch.of(asked, np.zeros(3, np.int64), np.zeros(3), kind=[1, 0, 1]))
    assert routed.batch.ids.tolist() == [1, 0]
    assert routed.rejects.counts[Reason.KIND] == 1


def test_a_level_that_is_sent_as_a_gauge_and_as_cumulative_is_what_it_was_first():
    house = House()
    house.catalog.create(["old", "timed"], [Kind.CUMULATIVE, Kind.TIMING])
    assert house.series(house.send("a", "old", kind=[Kind.CUMULATIVE, Kind.GAUGE])) == ["a", "old"]
    names = ("a", "old", "a", "old", "timed", "a")
    kinds = [Kind.GAUGE, Kind.CUMULATIVE, Kind.CUMULATIVE, Kind.GAUGE, Kind.CUMULATIVE, Kind.COUNTER]
    routed = house.send(*names, kind=kinds)
    assert house.series(routed) == ["a", "old", "a", "old"]
    assert routed.batch.kind.tolist() == [Kind.CUMULATIVE] * 4
    assert routed.rejects.counts[Reason.KIND] == 2
    assert house.send("a", kind=Kind.GAUGE | GAUGE_DELTA).rejects.counts[Reason.KIND] == 1


def test_what_is_blocked_is_told_by_whoever_knows_and_names_are_decided_about_anew_when_that_changes():
    house = House()
    house.send("debug.a", "web.b", "debug.c")
    house.router.refuse = lambda names: np.array(
        [Reason.BLOCKED * name.startswith("debug.") for name in names], np.uint8
    )
    assert house.send("debug.a").rejects.total == 0, "what was decided holds"
    house.router.redecide()
    routed = house.send("debug.a", "web.b", "debug.c", "debug.d")
    assert house.series(routed) == ["web.b"]
    assert routed.rejects.counts[Reason.BLOCKED] == 3
    house.router.refuse = None
    house.router.redecide()
    assert house.series(house.send("debug.a", "debug.d")) == ["debug.a", "debug.d"]


def test_names_that_are_to_be_decided_about_anew_stay_known():
    house = House()
    house.router.useless_min = 2
    house.send(*(f"name{k}" for k in range(20)))
    house.router.redecide()
    assert not house.router.wasteful
    house.router.rebuild()
    assert len(house.names) == 20
    assert house.series(house.send("name7")) == ["name7"]
