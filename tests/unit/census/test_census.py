"""How many series there are, of what and from whom; which came lately, and which nobody reads."""

from pathlib import Path

import numpy as np
import pytest

from tallystick.census import Census, Marks, NotedReader, report
from tallystick.census.marks import DAY_S
from tallystick.kernels.packed import Names
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.store.memory import MemoryStore
from tallystick.store.names.catalog import SeriesCatalog

HOSTS = {1: "10.0.0.1", 2: "10.0.0.2"}


class House:
    def __init__(self, prefix_max: int = 0) -> None:
        self.clock, self.catalog = ManualClock(), SeriesCatalog()
        self.marks = Marks(self.catalog, self.clock)
        self.census = Census(self.catalog, self.marks, lambda k: HOSTS.get(k, ""), prefix_max=prefix_max)

    def make(self, *names: str, account: int = 1) -> np.ndarray:
        ids = self.catalog.create(list(names), [Kind.GAUGE] * len(names))
        self.census.note_sent(ids, lambda rows: np.full(len(rows), account, np.int32))
        self.census.count()
        return ids

    def forget(self, ids: np.ndarray) -> None:
        self.catalog.release(self.catalog.forget(ids))
        self.census.forget(ids)

    def refuse(self, *names: str) -> list[int]:
        refused = self.census.refuse(Names.of(names))
        free = [name for name, reason in zip(names, refused, strict=True) if not reason]
        self.catalog.create(free, [Kind.GAUGE] * len(free))
        return refused.tolist()


def test_series_are_counted_by_the_beginning_of_their_names_and_by_who_sent_them_first():
    house = House()
    house.make("a.b.c", "a.b.d", "a.x", "one;t=1")
    house.make("a.b.c", "a.b.e", account=2)
    assert [(one.name, one.series) for one in house.census.by_prefix()] == [("a.b", 3), ("a", 1), ("one", 1)]
    assert [(one.name, one.series) for one in house.census.by_source()] == [("10.0.0.1", 4), ("10.0.0.2", 1)]
    assert list(house.census.told())[:2] == [("total", "", 5), ("prefixes", "a.b", 3)]


def test_a_series_that_is_forgotten_counts_no_more_and_its_id_is_another_ones():
    house = House()
    ids = house.make("a.b.c", "a.b.d")
    house.marks.note_read(ids)
    house.forget(ids[:1])
    house.make("z.y.x", account=2)
    assert [(one.name, one.series) for one in house.census.by_prefix()] == [("a.b", 1), ("z.y", 1)]
    assert [(one.name, one.series) for one in house.census.by_source()] == [("10.0.0.1", 1), ("10.0.0.2", 1)]
    assert report(house.census, house.clock.now()).unread == ["z.y.x"]


def test_a_prefix_has_as_many_series_as_the_limit_says_and_old_names_pass():
    house = House(prefix_max=3)
    house.make("a.b.one")
    limit = int(Reason.PREFIX_LIMIT)
    assert house.refuse("a.b.1", "z.y.1", "a.b.2", "a.b.3", "a.b.one") == [0, 0, 0, limit, 0]
    assert house.refuse("a.b.4", "z.y.2") == [limit, 0]
    house.census.count()
    assert house.census.full_prefixes() == ["a.b"]
    assert house.refuse("a.b.1") == [0], "it is a series"


def test_when_a_prefix_has_room_again_it_says_so_once():
    house = House(prefix_max=2)
    ids = house.make("a.b.1", "a.b.2")
    assert house.refuse("a.b.3") != [0]
    assert house.census.problems() == ["a.b have as many series as limits.series_per_prefix = 2 allows"]
    assert house.census.count() is False
    assert house.refuse("a.b.3") != [0]
    house.forget(ids[:1])
    assert house.census.count() is True
    assert house.refuse("a.b.3") == [0]
    assert house.census.count() is False


def test_what_came_in_the_last_hour_and_day_is_told_and_what_was_there_before_is_not_new():
    clock, catalog = ManualClock(), SeriesCatalog()
    catalog.create(["old.a.b"], [Kind.GAUGE])
    census = Census(catalog, Marks(catalog, clock), lambda k: "")
    for name, passed in (("day.a.b", 4000), ("hour.a.b", 10)):
        catalog.create([name], [Kind.GAUGE])
        census.count()
        clock.advance(passed)
    found = report(census, clock.now())
    assert [(g.name, g.series, g.hour, g.day) for g in found.prefixes] == [
        ("old", 1, 0, 0),
        ("day", 1, 0, 1),
        ("hour", 1, 1, 1),
    ]
    assert (found.total.series, found.total.hour, found.total.day) == (3, 1, 2)


def test_what_came_since_the_census_looked_is_new():
    house = House()
    house.make("a.b.c")
    house.clock.advance(2 * DAY_S)
    house.catalog.create(["a.b.d"], [Kind.GAUGE])
    assert report(house.census, house.clock.now()).total.hour == 1


def test_a_report_goes_down_level_by_level():
    house = House()
    house.make("a.b.c", "a.b.d", "a.x.y.z", "a.leaf", "ab.c")
    top = report(house.census, house.clock.now())
    assert [(g.name, g.series, g.values) for g in top.prefixes] == [("a", 4, 2), ("ab", 1, 0)]
    below = report(house.census, house.clock.now(), under="a")
    assert below.total.series == 4
    assert [(g.name, g.series, g.values) for g in below.prefixes] == [("a.b", 2, 0), ("a.x", 1, 1), ("a", 1, 0)]
    assert [g.name for g in report(house.census, house.clock.now(), under="a.x").prefixes] == ["a.x.y"]
    assert report(house.census, house.clock.now(), under="nowhere").prefixes == []


def test_tags_are_told_with_their_number_of_values():
    house = House()
    house.make("a;dc=1;host=x", "a;dc=1;host=y", "b;dc=2")
    assert [(g.name, g.series, g.values) for g in report(house.census, house.clock.now()).tags] == [
        ("dc", 3, 2),
        ("host", 2, 2),
    ]


def test_an_empty_store_has_an_empty_report():
    found = report(House().census, 0.0)
    assert (found.total.series, found.prefixes, found.unread) == (0, [], [])


def test_what_is_read_is_no_longer_unread_for_a_while():
    clock, store = ManualClock(), MemoryStore()
    ids = store.create(["a.b", "a.c", "a.d"], [Kind.GAUGE] * 3)
    catalog = SeriesCatalog()
    catalog.create(["a.b", "a.c", "a.d"], [Kind.GAUGE] * 3)
    marks = Marks(catalog, clock)
    reader, census = NotedReader(store, marks), Census(catalog, marks, lambda k: "")
    reader.read(ids[:1], 0, 10, 10)
    reader.percentiles(ids[1:2], 0, 10, 10, [50.0])
    assert report(census, clock.now()).unread == ["a.d"]
    clock.advance(31 * DAY_S)
    reader.tally(ids[2:], 0, 10, 10)
    assert report(census, clock.now()).unread == ["a.b", "a.c"]
    assert report(census, clock.now(), unread_days=40).unread == []


def test_marks_are_kept_over_a_restart_but_not_those_of_other_names(tmp_path: Path):
    clock, catalog = ManualClock(), SeriesCatalog()
    ids = catalog.create(["a.b", "a.c"], [Kind.GAUGE] * 2)
    marks = Marks(catalog, clock, tmp_path / "marks")
    marks.look(ids[:1])
    marks.look(ids)
    marks.note_read(ids)
    marks.save(after_s=600)
    assert not (tmp_path / "marks").exists(), "it is not time yet"
    marks.save()

    clock.advance(100)
    other = SeriesCatalog()
    other.create(["a.b", "x.y"], [Kind.GAUGE] * 2)
    again = Marks(other, clock, tmp_path / "marks")
    assert again.since_s == marks.since_s
    assert again.read_day(ids).tolist() == [int((clock.now() - 100) // DAY_S), 0]
    assert again.born_s(ids).tolist() == [1, 0]


@pytest.mark.parametrize("data", [b"", b"TLYMARK1", b"TLYMARK1" + b"\xff" * 20, b"TLYMARK1" + b"\xff" * 22, b"x" * 64])
def test_a_file_of_marks_that_is_damaged_is_none(tmp_path: Path, data: bytes):
    (tmp_path / "marks").write_bytes(data)
    catalog = SeriesCatalog()
    ids = catalog.create(["a.b"], [Kind.GAUGE])
    assert Marks(catalog, ManualClock(), tmp_path / "marks").read_day(ids).tolist() == [0]
