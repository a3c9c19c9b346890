"""What collectors say of their numbers finds its way to each of them, and is looked for once a name."""

import pytest

from tallystick.agent.collecting.tells import NAMES_MAX, Names, Told, line_of, unit_of
from tallystick.model.point import Point

TELLS = (
    Told("<name>", "", "Of somebody else"),
    Told("total", "bytes", "All"),
    Told("core.<core>.user", "percent", "Of programs"),
    Told("core.<core>.of.<what>.user", "1", "Of these"),
    Told("<mount>.free", "bytes", "Room"),
)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("total", "All"),
        ("totals", "Of somebody else"),
        ("core.0.user", "Of programs"),
        ("core.0.of.x.y.user", "Of these"),
        ("core.user", "Of somebody else"),
        ("core.0.free", "Room"),
        (".free", "Of somebody else"),
    ],
)
def test_the_line_that_says_most_of_a_name_is_its_own(name: str, meaning: str) -> None:
    line = line_of(name, TELLS)
    assert line is not None and line.meaning == meaning
    assert line_of(name, tuple(reversed(TELLS))) == line


def test_a_name_that_no_line_is_about_has_none() -> None:
    assert line_of("x", TELLS[1:]) is None


def test_a_point_says_more_of_itself_than_its_table() -> None:
    names = Names("here.disk.", TELLS)
    assert names.whole(Point("total", 5)) == Point("here.disk.total", 5, unit="bytes", description="All")
    own = Point("total", 6, unit="blocks", description="Said by itself")
    assert names.whole(own) == Point("here.disk.total", 6, unit="blocks", description="Said by itself")
    assert names.whole(Point("wait_s", 7)).unit == "seconds", "the name tells what nobody does"


def test_the_table_is_looked_at_once_a_name_and_names_are_bounded() -> None:
    names = Names("", TELLS)
    first = names.whole(Point("total", 1))
    again = names.whole(Point("total", 2))
    assert first.name is again.name and first.description is again.description
    for number in range(2 * NAMES_MAX):
        names.whole(Point(f"n{number}", 0))
    assert names.kept <= NAMES_MAX


def test_units_stand_last_in_names() -> None:
    assert (unit_of("a.b.sent_bytes"), unit_of("a.bytes"), unit_of("bytes.sent")) == ("bytes", "bytes", "")
    assert unit_of("bytes", per_second=True) == "bytes/s" and unit_of("x", per_second=True) == "1/s"
    assert unit_of("busy_percent", per_second=True) == "percent"
