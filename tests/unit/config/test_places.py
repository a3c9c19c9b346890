"""Hypothesis writes TOML with every form of string, comment and nesting; each key is found where it was put."""

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from tallystick.config.places import Places

VALUES = ["1", "1.5e3", "true", "1979-05-27T07:32:00Z", '"a # b"', "'[x]'", '"""\n[[not]]\nx = 1\n"""', "'''\n}'''"]
VALUES += ['"\\"quoted\\""', '""', "''", '""""two"" quotes"""', "[1, [2, 3], # comment ]\n 4]", "{ a = 1, b.c = '}' }"]
HEADERS = ["[t{0}]", "[ 't{0}'.sub ]", "[[a]]", "[[a.b]]", "# [[comment]]"]


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, int]]:
    """A valid TOML text and the line of each of its (unique) keys."""
    lines: list[str] = ["[[a]]"]
    places: dict[str, int] = {}
    for number in range(draw(st.integers(1, 12))):
        lines.append(draw(st.sampled_from(HEADERS)).format(number))
        for _ in range(draw(st.integers(0, 3))):
            key = f"key{len(places)}"
            lines += draw(st.sampled_from([[], [""], ["  # note = 1"]]))
            places[key] = len("\n".join(lines).split("\n")) + 1
            spelled = draw(st.sampled_from([key, f'"{key}"', f"  {key}  ", f"{key}.below"]))
            lines.append(f"{spelled} = {draw(st.sampled_from(VALUES))}")
    return "\n".join(lines), places


@given(documents())
def test_each_key_is_found_on_its_line(document: tuple[str, dict[str, int]]) -> None:
    text, expected = document
    places = Places(text)
    found: dict[str, int | None] = {}

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                if key in expected:
                    found[key] = places.line((*path, key))
                walk(below, (*path, key))
        elif isinstance(value, list):
            for index, below in enumerate(value):
                walk(below, (*path, index))

    walk(tomllib.loads(text), ())
    assert found == expected


def test_a_key_that_is_not_there_has_the_line_of_the_table_around_it() -> None:
    places = Places("\n[a]\nx = 1\n")
    assert places.line(("a", "missing", 3)) == 2
    assert places.line(("b",)) is None
