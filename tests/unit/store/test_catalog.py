"""A catalog answers like a walk over all names would."""

import re
import threading
from fnmatch import fnmatchcase
from itertools import product

import numpy as np
import pytest

from tallystick.kernels.packed import Names
from tallystick.model.errors import LimitError, QueryError
from tallystick.model.kind import Kind
from tallystick.store.contract import Node
from tallystick.store.names.catalog import SeriesCatalog

NAMES = [
    "web.h1.cpu.user", "web.h1.cpu.sys", "web.h2.cpu.user", "db.h1.cpu.user", "web.h1.cpu", "web", "db.h1.load",
    "disk.used;host=web.example;rack=a1", "disk.used;host=db.example", "disk.used", "a-b.c_d.e*f", "caf\u00e9.x",
]  # fmt: skip


@pytest.fixture
def catalog() -> SeriesCatalog:
    made = SeriesCatalog()
    made.create(NAMES, [Kind.GAUGE] * len(NAMES))
    return made


def found(catalog: SeriesCatalog, pattern: str) -> list[str]:
    return catalog.names(catalog.find(pattern))


def test_ids_are_dense_and_a_known_name_keeps_its_own(catalog: SeriesCatalog):
    ids = catalog.create(["new.one", NAMES[3], "new.two", "new.one"], [Kind.COUNTER, Kind.GAUGE] + [Kind.COUNTER] * 2)
    assert ids.tolist() == [12, 3, 13, 12]
    assert catalog.kinds(np.array([3, 12, 13], np.int32)).tolist() == [Kind.GAUGE, Kind.COUNTER, Kind.COUNTER]
    assert len(catalog) == 14


def test_a_name_of_another_kind_is_refused_also_within_one_call():
    catalog = SeriesCatalog()
    assert catalog.create(["a", "a", "b"], [Kind.SET, Kind.GAUGE, Kind.GAUGE]).tolist() == [0, -1, 1]
    assert catalog.create(["b", "a"], [Kind.COUNTER, Kind.SET]).tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("web.h1.cpu.user", ["web.h1.cpu.user"]),
        ("web.*.cpu.user", ["web.h1.cpu.user", "web.h2.cpu.user"]),
        ("*.h?.cpu.*", ["db.h1.cpu.user", "web.h1.cpu.sys", "web.h1.cpu.user", "web.h2.cpu.user"]),
        ("web.h[1-1].cpu.{user,sys}", ["web.h1.cpu.sys", "web.h1.cpu.user"]),
        ("web.h[!1].cpu.user", ["web.h2.cpu.user"]),
        ("{web,d{b,x}}.h1.cpu.u*", ["db.h1.cpu.user", "web.h1.cpu.user"]),
        ("{web.h1,db.h1}.cpu.user", ["db.h1.cpu.user", "web.h1.cpu.user"]),
        ("{web.h1.cpu,db.h1.load}", ["db.h1.load", "web.h1.cpu"]),
        ("*", ["web"]),
        ("web.*", []),
        ("web.h1.cpu.user.more.and.more", []),
        ("disk.used", ["disk.used"]),
        ("disk.used;host=web.example;rack=a1", ["disk.used;host=web.example;rack=a1"]),
        ("disk.*;host=*", ["disk.used;host=db.example", "disk.used;host=web.example;rack=a1"]),
        (r"a-b.c_d.e\*f", ["a-b.c_d.e*f"]),
        (r"a-b.c_d.e\*", []),
        ("caf?.x", ["caf\u00e9.x"]),
        ("w*e*b*", ["web"]),
        ("*e*.*1*.*p*.*s*e*r*", ["web.h1.cpu.user"]),
        ("nothing.like.this", []),
    ],
)
def test_a_glob_finds_what_it_describes(catalog: SeriesCatalog, pattern: str, names: list[str]):
    assert found(catalog, pattern) == names
    assert found(catalog, pattern) == names  # from what was remembered


@pytest.mark.parametrize("pattern", ["web.{a,b", "web.a}", "web.[a", "web.\\", "web.[]"])
def test_unbalanced_brackets_are_an_error_in_one_sentence(catalog: SeriesCatalog, pattern: str):
    with pytest.raises(QueryError, match=re.escape(repr(pattern))):
        catalog.find(pattern)


def test_braces_that_multiply_without_end_are_refused(catalog: SeriesCatalog):
    with pytest.raises(LimitError):
        catalog.find("{a.b,c.d}" * 12)


def test_all_globs_over_a_small_alphabet_agree_with_fnmatch():
    names = [".".join(parts) for n in (1, 2) for parts in product(["a", "b", "ab", "ba", "aab"], repeat=n)]
    catalog = SeriesCatalog()
    catalog.create(names, [Kind.GAUGE] * len(names))
    pieces = ["a", "b", "*", "?", "[ab]", "[!a]"]
    components = ["".join(parts) for n in (1, 2, 3) for parts in product(pieces, repeat=n)]
    for component in components:
        expected = sorted(
            name for name in names if len(name.split(".")) == 2 and fnmatchcase(name.split(".")[1], component)
        )
        assert found(catalog, f"*.{component}") == expected


def test_names_that_come_later_are_found_by_patterns_that_were_asked_before(catalog: SeriesCatalog):
    assert found(catalog, "web.h*.cpu.user") == ["web.h1.cpu.user", "web.h2.cpu.user"]
    catalog.create(["web.h3.cpu.user", "a.very.much.deeper.name.than.all.others"], [Kind.GAUGE] * 2)
    assert found(catalog, "web.h*.cpu.user") == ["web.h1.cpu.user", "web.h2.cpu.user", "web.h3.cpu.user"]
    assert found(catalog, "a.*.*.*.*.*.all.*") == ["a.very.much.deeper.name.than.all.others"]


def test_large_results_are_sorted_too():
    rng = np.random.default_rng(5)
    names = [f"s.n{i}" for i in rng.permutation(5000).tolist()]
    catalog = SeriesCatalog()
    catalog.create(names, [Kind.GAUGE] * len(names))
    assert found(catalog, "s.*") == sorted(names)
    catalog.create(["s.aaa"], [Kind.GAUGE])
    assert found(catalog, "s.*")[0] == "s.aaa"


def test_children_are_branches_and_leaves(catalog: SeriesCatalog):
    assert catalog.children("web.h1.*") == [Node("cpu", "web.h1.cpu", True, True)]
    assert catalog.children("*.h1.cpu") == [
        Node("cpu", "db.h1.cpu", False, True),
        Node("cpu", "web.h1.cpu", True, True),
    ]
    assert [node.path for node in catalog.children("*")] == ["a-b", "caf\u00e9", "db", "disk", "web"]
    assert catalog.children("web") == [Node("web", "web", True, True)]
    assert catalog.children("{web,db}.*") == catalog.children("db.*") + catalog.children("web.*")
    assert catalog.children("none.*") == []
    assert SeriesCatalog().children("*") == []


@pytest.mark.parametrize(
    ("expressions", "names"),
    [
        (["host=web.example"], ["disk.used;host=web.example;rack=a1"]),
        (["name=disk.used"], ["disk.used", "disk.used;host=db.example", "disk.used;host=web.example;rack=a1"]),
        (["name=disk.used", "host="], ["disk.used"]),
        (["name=disk.used", "rack!=a1"], ["disk.used", "disk.used;host=db.example"]),
        (["host=~w"], ["disk.used;host=web.example;rack=a1"]),
        (["host=~.*example", "host!=~web"], ["disk.used;host=db.example"]),
        (["host!="], ["disk.used;host=db.example", "disk.used;host=web.example;rack=a1"]),
        (["name=~web.*cpu$"], ["web.h1.cpu"]),
        (["nokey=x"], []),
    ],
)
def test_tags_are_searched_as_in_graphite(catalog: SeriesCatalog, expressions: list[str], names: list[str]):
    assert catalog.names(catalog.tagged(expressions)) == names


@pytest.mark.parametrize("expressions", [[], ["host="], ["host!=x"], ["host=~.*"], ["nonsense"], ["host=~("], ["=x"]])
def test_an_expression_that_cannot_be_read_or_matches_everything_is_an_error(
    catalog: SeriesCatalog, expressions: list[str]
):
    with pytest.raises(QueryError):
        catalog.tagged(expressions)


def test_a_broken_regular_expression_is_told_in_words_and_not_in_the_log(
    catalog: SeriesCatalog, capfd: pytest.CaptureFixture[str]
):
    with pytest.raises(QueryError, match=r"^cannot use regular expression '\(': missing \): .*; expected RE2 syntax$"):
        catalog.tagged(["host=~("])
    assert capfd.readouterr().err == ""


def test_search_finds_every_word_in_any_case_and_the_shortest_first(catalog: SeriesCatalog):
    assert catalog.search("CPU h1", 10) == ["web.h1.cpu", "db.h1.cpu.user", "web.h1.cpu.sys", "web.h1.cpu.user"]
    assert catalog.search("h1.cpu.user", 1) == ["db.h1.cpu.user"]
    assert catalog.search("nothing", 10) == []
    assert catalog.search("", 2) == ["web", "caf\u00e9.x"]
    assert catalog.search("used;host=web.example", 5) == ["disk.used;host=web.example;rack=a1"]


def test_a_name_with_more_levels_than_there_are_columns_is_still_found_by_its_name():
    name = ".".join(f"c{i}" for i in range(100))
    catalog = SeriesCatalog()
    catalog.create([name, "a.b"], [Kind.GAUGE] * 2)
    assert catalog.search("c99", 1) == [name]
    assert catalog.children("c0.*") == [Node("c1", "c0.c1", False, True)]
    assert found(catalog, name) == [name]


def test_readers_see_whole_series_while_others_are_created():
    catalog = SeriesCatalog()
    stop = threading.Event()
    wrong: list[list[str]] = []

    def read() -> None:
        while not stop.is_set():
            names = found(catalog, "t.*.x")
            if names != sorted(f"t.{i}.x" for i in range(len(names))):
                wrong.append(names)

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(300):
        catalog.create([f"t.{i}.x"], [Kind.GAUGE])
    stop.set()
    reader.join()
    assert wrong == []


def test_what_belongs_to_a_series_can_be_prepared_before_its_name_is_found():
    catalog, seen = SeriesCatalog(), []

    def prepare(ids: np.ndarray, names: Names) -> None:
        seen.append((ids.tolist(), list(names), len(catalog), catalog.find("a.*").tolist()))

    catalog.create(["a.x"], [Kind.GAUGE], prepare)
    catalog.create(["a.x", "a.y", "a.y", "a.z"], [Kind.GAUGE] * 4, prepare)
    catalog.create(["a.x"], [Kind.GAUGE], prepare)
    assert seen == [([0], ["a.x"], 0, []), ([1, 2], ["a.y", "a.z"], 1, [0])]


@pytest.mark.parametrize(
    "pattern",
    [
        "{" + ".," * 14_000 + "}" + "x" * 30_000,
        "{" * 20_000 + "b.c" + "}" * 20_000,
        "{a.,b.}" * 3000,
        "{" + ",".join(f"a*.{'?' * k}*" for k in range(300)) + "}",
    ],
    ids=["many choices in a long pattern", "deep", "a product", "many wildcards"],
)
def test_a_pattern_that_stands_for_very_much_is_refused_before_it_is_made(pattern: str):
    catalog = SeriesCatalog()
    catalog.create(["a.b"], [Kind.GAUGE])
    for ask in (catalog.find, catalog.children):
        with pytest.raises(LimitError, match="cannot use pattern"):
            ask(pattern)


def test_choices_that_match_the_same_series_give_it_once():
    catalog = SeriesCatalog()
    catalog.create(["a.b", "a.c", "b.b"], [Kind.GAUGE] * 3)
    assert catalog.find("{" + "*.*," * 500 + "a.b}").tolist() == [0, 1, 2]
    assert catalog.find("a.{" + "c," * 20_000 + "c}").tolist() == [1]


def test_too_many_tag_expressions_are_refused():
    catalog = SeriesCatalog()
    catalog.create(["a;k=v"], [Kind.GAUGE])
    assert catalog.tagged(["k=v"] * 1000).tolist() == [0]
    with pytest.raises(LimitError, match="the limit is 100"):
        catalog.tagged(["k=v", *(f"k!={i}" for i in range(200))])
