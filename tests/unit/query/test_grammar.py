"""Reading targets."""

import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.model.errors import QueryError
from tallystick.query.grammar import DEPTH_MAX, TARGET_CHARS_MAX, Call, Literal, Path, Template, parse

PATHS = st.lists(st.sampled_from(["web", "h*", "[a-z]1", "{a,b}", "cpu", "5xx", "x?"]), min_size=1, max_size=4).map(
    lambda parts: Path(".".join(parts))
)
LITERALS = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(),
    st.none(),
    st.text("abc.*' ", max_size=5),
    st.text('abc" ', max_size=5),
).map(Literal)
WORDS = st.sampled_from(["scale", "sum", "f_1"])
CALLS = st.recursive(
    st.one_of(PATHS, st.builds(Template, PATHS, st.lists(st.integers(0, 9).map(Literal), max_size=2).map(tuple))),
    lambda inner: st.builds(
        Call,
        WORDS,
        st.lists(st.one_of(inner, LITERALS), max_size=3).map(tuple),
        st.dictionaries(st.sampled_from(["n", "func"]), st.one_of(inner, LITERALS), max_size=2),
    ),
    max_leaves=8,
)


@given(CALLS)
def test_what_is_printed_is_read_back(node: object) -> None:
    assert parse(str(node)) == node


@given(st.one_of(st.text(max_size=60), st.text("abc(){},.'\"\\| =;*1e-$", max_size=60)))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert "cannot read target" in str(error)


TARGETS = (pathlib.Path(__file__).parents[2] / "golden" / "query" / "nestings.txt").read_text().splitlines()[1:]


@given(
    st.sampled_from(TARGETS),
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 3), st.text("(){},.'\"\\|=;*$ 1ea", max_size=3)), max_size=4
    ),
)
def test_a_target_with_slips_in_it_is_read_or_refused_with_a_sentence(
    target: str, slips: list[tuple[int, int, str]]
) -> None:
    for at, lost, put in slips:
        target = target[:at] + put + target[at + lost :]
    try:
        parse(target)
    except QueryError as error:
        assert "cannot read target" in str(error)


@pytest.mark.parametrize(
    "piece", ["{a", "{a,", "{{}", "{a}", "\\(", "'", "f(", "a|", "1e", "a=", "{a{a", "$", ",", "a.{b,c}"]
)
def test_the_longest_target_of_any_piece_is_read_in_linear_time(piece: str) -> None:
    # What is quadratic takes minutes at this length.
    text = (piece * TARGET_CHARS_MAX)[:TARGET_CHARS_MAX]
    try:
        parse(text)
    except QueryError as error:
        assert "cannot read target" in str(error)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a.b.c", Path("a.b.c")),
        ("  a.{b,c}.d*[0-9]?", Path("a.{b,c}.d*[0-9]?")),
        ("disk;host=a;dc=b", Path("disk;host=a;dc=b")),
        ("5xx.rate", Path("5xx.rate")),
        ("true.story", Path("true.story")),
        ("templates.x", Path("templates.x")),
        ("größe.x", Path("größe.x")),
        ("f()", Call("f")),
        (
            "f(a, 1,-2.5,1e3,1e, 'x\\'y', \"y'\")",
            Call(
                "f",
                (Path("a"), Literal(1), Literal(-2.5), Literal(1000.0), Path("1e"), Literal("x\\'y"), Literal("y'")),
            ),
        ),
        (
            "f(TRUE,none,inf,nonesuch)",
            Call("f", (Literal(True), Literal(None), Literal(float("inf")), Path("nonesuch"))),
        ),
        ("f(a, n = 3, s='x')", Call("f", (Path("a"),), {"n": Literal(3), "s": Literal("x")})),
        ("a.b | f(2) | g()", Call("g", (Call("f", (Path("a.b"), Literal(2))),))),
        ("f(a|g(), b)", Call("f", (Call("g", (Path("a"),)), Path("b")))),
        ("template(f($1.a), 'x', n=2)", Template(Call("f", (Path("$1.a"),)), (Literal("x"),), {"n": Literal(2)})),
    ],
)
def test_each_form_is_read(text: str, node: object) -> None:
    assert parse(text) == node


def test_a_backslash_takes_the_meaning_from_a_bracket() -> None:
    node = parse(r"scale(a\(b\).c,2)")
    assert isinstance(node, Call)
    assert node.arguments[0] == Path(r"a\(b\).c")
    assert Path(r"a\(b\).c").pattern == "a(b).c"


def test_a_call_keeps_the_text_it_was_read_from() -> None:
    node = parse('sumSeries(seriesByTag( "a=b" ))')
    assert isinstance(node, Call)
    assert isinstance(node.arguments[0], Call)
    assert node.arguments[0].source == 'seriesByTag( "a=b" )'


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("sumSeries(a.b.c,)))", 17),
        ("a.b.c)", 6),
        ("f(a", 4),
        ("f(a b)", 5),
        ("f('a)", 3),
        ("a | b", 5),
        ("f(n=1, 2)", 8),
        ("", 1),
        ("a.{b", 3),
        ("template(a, b)", 13),
    ],
)
def test_an_error_points_at_its_column(text: str, column: int) -> None:
    with pytest.raises(QueryError, match=f"at column {column}") as caught:
        parse(text)
    shown, marks = str(caught.value).splitlines()[-2:]
    assert marks.index("^^^") == column - 1 + 2
    assert text[:20] in shown


def test_deep_and_long_targets_are_refused_before_python_gives_up() -> None:
    with pytest.raises(QueryError, match="nested"):
        parse("f(" * (DEPTH_MAX + 1) + "a" + ")" * (DEPTH_MAX + 1))
    with pytest.raises(QueryError, match="limit"):
        parse("a" * (TARGET_CHARS_MAX + 1))
    assert parse("f(" * (DEPTH_MAX - 1) + "a" + ")" * (DEPTH_MAX - 1))
