"""Names: ids, kinds, globs, the tree, tags and words."""

from collections.abc import Sequence

import numpy as np
import pytest

from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.store.conformance.basis import Basis
from tallystick.store.contract import Node, Store

TREE = [
    "web.h1.cpu.user",
    "web.h1.cpu.system",
    "web.h2.cpu.user",
    "web.h10.cpu.user",
    "web.h1",
    "db.h1.cpu.user",
    "solo",
    "disk.used;dc=a;host=h1",
    "disk.used;dc=b;host=h2",
    "disk.free;host=h1",
]


class Names(Basis):
    """See `tallystick.store.contract.Catalog`."""

    @staticmethod
    def _tree(store: Store) -> None:
        store.create(TREE, [Kind.GAUGE] * len(TREE))

    def test_an_empty_store_has_no_names(self, store: Store) -> None:
        assert len(store.catalog) == 0
        assert store.catalog.find("*").tolist() == []
        assert store.catalog.children("*") == []
        assert store.catalog.search("a", 10) == []

    def test_a_name_has_one_id_however_often_it_is_created(self, store: Store) -> None:
        first = store.create(["a", "b", "a"], [Kind.COUNTER] * 3)
        assert first[0] == first[2] != first[1]
        assert store.create(["b", "a"], [Kind.COUNTER] * 2).tolist() == [first[1], first[0]]
        assert len(store.catalog) == 2

    def test_a_name_has_one_kind_and_gives_no_id_for_another(self, store: Store) -> None:
        ids = store.create(["a", "b", "a"], [Kind.COUNTER, Kind.SET, Kind.GAUGE])
        assert ids[2] == -1
        assert store.create(["a", "b"], [Kind.TIMING, Kind.SET]).tolist() == [-1, ids[1]]
        assert store.catalog.kinds(ids[:2]).tolist() == [Kind.COUNTER, Kind.SET]

    def test_ids_are_translated_back_in_their_order(self, store: Store) -> None:
        ids = store.create(["b", "a", "ü.é"], [Kind.GAUGE] * 3)
        assert store.catalog.names(ids[[2, 0, 1, 0]]) == ["ü.é", "b", "a", "b"]

    def test_creating_nothing_is_no_error(self, store: Store) -> None:
        assert store.create([], []).tolist() == []

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("web.h1.cpu.user", ["web.h1.cpu.user"]),
            ("web.*.cpu.user", ["web.h1.cpu.user", "web.h10.cpu.user", "web.h2.cpu.user"]),
            ("web.h?.cpu.user", ["web.h1.cpu.user", "web.h2.cpu.user"]),
            ("web.h[2-9].cpu.*", ["web.h2.cpu.user"]),
            ("{web,db}.h1.cpu.user", ["db.h1.cpu.user", "web.h1.cpu.user"]),
            ("web.h1.cpu.{sys*,none}", ["web.h1.cpu.system"]),
            ("*", ["solo"]),
            ("web.*", ["web.h1"]),
            ("web.*.cpu", []),
            ("nothing.*", []),
            ("disk.used;dc=a;host=h1", ["disk.used;dc=a;host=h1"]),
        ],
    )
    def test_globs_find_names_of_their_depth_sorted(self, store: Store, pattern: str, expected: Sequence[str]) -> None:
        self._tree(store)
        assert store.catalog.names(store.catalog.find(pattern)) == list(expected)

    @pytest.mark.parametrize("pattern", ["web.[ab", "web.{a,b"])
    def test_a_glob_whose_brackets_are_not_closed_is_an_error(self, store: Store, pattern: str) -> None:
        self._tree(store)
        with pytest.raises(QueryError):
            store.catalog.find(pattern)

    def test_the_tree_is_walked_level_by_level(self, store: Store) -> None:
        self._tree(store)
        assert store.catalog.children("web.*") == [
            Node("h1", "web.h1", True, True),
            Node("h10", "web.h10", False, True),
            Node("h2", "web.h2", False, True),
        ]
        assert [node.path for node in store.catalog.children("*") if node.leaf] == ["solo"]
        assert store.catalog.children("web.h1.cpu.user.*") == []

    def test_the_tree_of_some_series_has_their_nodes_only(self, store: Store) -> None:
        self._tree(store)
        catalog = store.catalog
        chosen = int(catalog.find("web.h2.cpu.user")[0])
        among = np.zeros(chosen + 1, np.bool_)
        among[chosen] = True
        assert catalog.children("web", among) == [Node("web", "web", False, True)]
        assert [node.path for node in catalog.children("*.*", among)] == ["web.h2"]
        assert catalog.children("*.*", np.zeros(0, np.bool_)) == []

    @pytest.mark.parametrize(
        ("expressions", "expected"),
        [
            (["host=h1"], ["disk.free;host=h1", "disk.used;dc=a;host=h1"]),
            (["name=disk.used", "host=h1"], ["disk.used;dc=a;host=h1"]),
            (["host=~h[12]", "dc!=a"], ["disk.free;host=h1", "disk.used;dc=b;host=h2"]),
            (["name=~disk", "host!=~h1"], ["disk.used;dc=b;host=h2"]),
            (["host=h1", "dc="], ["disk.free;host=h1"]),
            (["host=none"], []),
        ],
    )
    def test_tags_find_series_sorted(self, store: Store, expressions: list[str], expected: list[str]) -> None:
        self._tree(store)
        assert store.catalog.names(store.catalog.tagged(expressions)) == expected

    @pytest.mark.parametrize("expressions", [["host!=h1"], ["dc="], ["nonsense"], ["host=~("]])
    def test_expressions_that_match_the_empty_value_or_cannot_be_read_are_errors(
        self, store: Store, expressions: list[str]
    ) -> None:
        self._tree(store)
        with pytest.raises(QueryError):
            store.catalog.tagged(expressions)

    def test_keys_and_values_of_tags_are_told_of_all_series_that_have_some(self, store: Store) -> None:
        self._tree(store)
        catalog = store.catalog
        assert catalog.tag_keys() == ["dc", "host", "name"]
        assert list(catalog.tag_values("host").items()) == [("h1", 2), ("h2", 1)]
        assert list(catalog.tag_values("name").items()) == [("disk.free", 1), ("disk.used", 2)]
        assert catalog.tag_values("rack") == {}

    def test_keys_and_values_of_tags_are_told_of_some_series(self, store: Store) -> None:
        self._tree(store)
        store.create(["disk.free"], [Kind.GAUGE])
        catalog = store.catalog
        found = catalog.tagged(["name=disk.free"], by_name=False)
        assert sorted(catalog.names(found)) == ["disk.free", "disk.free;host=h1"]
        assert catalog.tag_keys(found) == ["host", "name"]
        assert catalog.tag_values("name", found) == {"disk.free": 2}
        assert catalog.tag_values("host", found) == {"h1": 1}
        assert catalog.tag_keys(catalog.find("solo")) == ["name"]
        assert catalog.tag_keys(catalog.find("nothing")) == []
        assert catalog.tag_values("host", catalog.find("nothing")) == {}

    @pytest.mark.parametrize(
        ("prefix", "limit", "expected"),
        [
            ("", 1, ["caf"]),
            ("caf", None, ["caf", "caf\u00e9", "cafz"]),
            ("caf\u00e9", None, ["caf\u00e9"]),
            ("caf", 2, ["caf", "cafz"]),
            ("cafzz", None, []),
            ("z", 9, ["z"]),
        ],
    )
    def test_values_of_a_tag_begin_with_a_prefix_and_the_first_are_given(
        self, store: Store, prefix: str, limit: int | None, expected: list[str]
    ) -> None:
        values = ["z", "cafz", "caf\u00e9", "caf"]
        store.create([f"drink;of={value}" for value in values], [Kind.GAUGE] * len(values))
        found = store.catalog.tag_values("of", None, prefix, limit)
        assert list(found.items()) == [(value, 1) for value in sorted(expected)]

    def test_series_that_are_deleted_have_no_tags(self, store: Store) -> None:
        self._tree(store)
        found = store.catalog.tagged(["dc=a"])
        store.delete(found)
        assert store.catalog.tag_values("dc") == {"b": 1}
        assert store.catalog.tag_values("host", found) == {}
        store.delete(store.catalog.tagged(["host=~."]))
        assert store.catalog.tag_keys() == []

    def test_words_find_names_in_any_case_the_shortest_first(self, store: Store) -> None:
        self._tree(store)
        assert store.catalog.search("H1 CPU", 2) == ["db.h1.cpu.user", "web.h1.cpu.user"]
        assert store.catalog.search("cpu nothing", 5) == []

    def test_a_catalog_goes_on_growing(self, store: Store) -> None:
        for k in range(0, 3000, 500):
            names = [f"many.n{i}.x" for i in range(k, k + 500)]
            store.create(names, [Kind.GAUGE] * 500)
        found = store.catalog.find("many.*.x")
        assert len(found) == len(np.unique(found)) == 3000
        assert store.catalog.names(found) == sorted(f"many.n{i}.x" for i in range(3000))
