"""Whatever is created, deleted and renamed, a catalog holds the names that a dictionary would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.kernels.packed import Names
from tallystick.model.errors import StoreError
from tallystick.model.kind import Kind
from tallystick.store.names.catalog import SeriesCatalog

NAMES = ["a", "a.b", "a.b.c", "a.c", "b.b", "b.b;host=x", "b.b;host=y", "d.d.d.d.d", "c;host=x;rack=1"]
PATTERNS = ["*", "*.*", "a.*", "a.{b,c}", "a.b.*", "b.b", "b.*", "*.*.*.*.*", "b.b;host=*", "{a,b}.*"]
names = st.sampled_from(NAMES)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.lists(st.tuples(names, st.sampled_from(list(Kind)[:2])), max_size=5)),
        st.tuples(st.just("delete"), st.lists(names, max_size=4)),
        st.tuples(st.just("rename"), st.tuples(names, names)),
        st.tuples(st.just("release"), st.none()),
        st.tuples(st.just("rebuild"), st.none()),
        st.tuples(st.just("reload"), st.none()),
    ),
    max_size=30,
)


class Model:
    """A catalog beside the dictionary that says what it should hold."""

    def __init__(self) -> None:
        self.catalog = SeriesCatalog(dead_rows_min=0)
        self.ids: dict[str, int] = {}
        self.kinds: dict[str, Kind] = {}
        self.dead: set[int] = set()

    def create(self, wanted: list[tuple[str, Kind]]) -> None:
        given = self.catalog.create([name for name, _ in wanted], [kind for _, kind in wanted]).tolist()
        for (name, kind), series in zip(wanted, given, strict=True):
            if name not in self.ids:
                assert series not in self.ids.values()
                assert series not in self.dead, "an id was given away that something may still refer to"
                self.ids[name], self.kinds[name] = series, kind
            assert series == (self.ids[name] if self.kinds[name] == kind else -1)

    def delete(self, gone: list[str]) -> None:
        ids = {self.ids.pop(name) for name in gone if name in self.ids}
        found = self.catalog.forget(np.array(sorted(ids | self.dead), np.int32))
        assert found.tolist() == sorted(ids)
        self.dead |= ids

    def rename(self, pair: tuple[str, str]) -> None:
        old, new = pair
        try:
            self.catalog.rename(self.ids.get(old, 10**6), new.encode())
        except StoreError:
            assert old not in self.ids or new in self.ids
        else:
            self.ids[new], self.kinds[new] = self.ids.pop(old), self.kinds[old]

    def release(self, _: None) -> None:
        self.catalog.release(np.array(sorted(self.dead), np.int32))
        self.dead.clear()
        assert self.catalog.id_end == max(self.ids.values(), default=-1) + 1

    def rebuild(self, _: None) -> None:
        self.catalog.rebuild()
        assert not self.catalog.wasteful

    def reload(self, _: None) -> None:
        again = SeriesCatalog(dead_rows_min=0)
        again.define(
            np.array(list(self.ids.values()), np.int32),
            Names.of(list(self.ids)),
            np.array([self.kinds[name] for name in self.ids], np.uint8),
        )
        again.reserve(max(self.dead, default=-1) + 1)
        again.release(np.setdiff1d(np.arange(again.id_end), sorted(self.dead)).astype(np.int32))
        self.catalog = again

    def check(self) -> None:
        catalog = self.catalog
        plain = SeriesCatalog()
        plain.create(list(self.ids), [self.kinds[name] for name in self.ids])
        assert len(catalog) == len(self.ids)
        assert catalog.ids().tolist() == sorted(self.ids.values())
        for pattern in PATTERNS:
            found = catalog.find(pattern)
            assert catalog.names(found) == plain.names(plain.find(pattern))
            assert found.tolist() == [self.ids[name] for name in catalog.names(found)]
            assert catalog.children(pattern) == plain.children(pattern)
        for expression in ("host=x", "host!=", "name=b.b", "name=~a"):
            assert catalog.names(catalog.tagged([expression])) == plain.names(plain.tagged([expression]))
        assert catalog.tag_keys() == plain.tag_keys()
        for key in plain.tag_keys():
            assert catalog.tag_values(key) == plain.tag_values(key)
        for text in ("", "b", "c host"):
            assert catalog.search(text, 5) == plain.search(text, 5)
        ids = catalog.ids()
        assert dict(zip(catalog.names(ids), catalog.kinds(ids).tolist(), strict=True)) == {
            name: self.kinds[name] for name in self.ids
        }
        for name in NAMES:
            assert catalog.series_of(name.encode()) == self.ids.get(name, -1)


@settings(max_examples=120, deadline=None)
@given(steps)
def test_a_catalog_holds_what_a_dictionary_would(done: list[tuple[str, object]]) -> None:
    model = Model()
    for step, argument in done:
        getattr(model, step)(argument)
        model.check()
