"""From what a service answers to points: levels, rates, shares, and what is said of them."""

import pytest

from tallystick.agent.collecting.describing import DESCRIBED_MAX, Describing
from tallystick.agent.collecting.tells import Names, unit_of
from tallystick.agent.services.reading import Looks, Metric, Ratio, Reading, number
from tallystick.model.point import Point
from tallystick.native.messages import Name

TELLS = (
    Metric("used_bytes", "used", "Memory"),
    Metric("read", "reads", "Reads, per second", rate=True),
    Metric("table.<table>.hits", "hits", "Found", rate=True),
    Metric("table.<table>.misses", "misses", "Not found", rate=True),
    Ratio(
        "table.<table>.hit_percent", ("table.<table>.hits",), ("table.<table>.hits", "table.<table>.misses"), "Of all"
    ),
)


def reading(run: str, used: str, reads: str, hits: int, misses: int) -> Reading:
    made = Reading(run)
    made.take(TELLS[:2], {"used": used, "reads": reads})
    made.take(TELLS[2:4], {"hits": str(hits), "misses": str(misses)}, "table.users")
    return made


def told(points: list[Point]) -> dict[str, float]:
    return {point.name: point.value for point in points}


def test_the_first_look_has_levels_and_later_ones_rates_and_shares() -> None:
    looks = Looks(TELLS)
    assert told(list(looks.points(reading("a", "5", "100", 10, 10), 10))) == {"used_bytes": 5}
    assert told(list(looks.points(reading("a", "6", "150", 40, 20), 20))) == {
        "used_bytes": 6,
        "read": 5,
        "table.users.hits": 3,
        "table.users.misses": 1,
        "table.users.hit_percent": 75,
    }


def test_a_service_that_was_started_anew_has_no_rates_even_if_it_counted_further() -> None:
    looks = Looks(TELLS)
    list(looks.points(reading("a", "5", "100", 10, 10), 10))
    assert told(list(looks.points(reading("b", "5", "900", 90, 90), 20))) == {"used_bytes": 5}
    assert told(list(looks.points(reading("b", "5", "910", 90, 90), 30)))["read"] == 1


def test_one_table_that_was_reset_costs_the_others_nothing() -> None:
    looks = Looks(TELLS)
    list(looks.points(reading("a", "5", "100", 10, 10), 10))
    assert told(list(looks.points(reading("a", "5", "110", 3, 10), 20))) == {"used_bytes": 5, "read": 1}


def test_what_was_not_read_between_two_looks_has_no_share() -> None:
    looks = Looks(TELLS)
    list(looks.points(reading("a", "5", "100", 10, 10), 10))
    assert "table.users.hit_percent" not in told(list(looks.points(reading("a", "5", "100", 10, 10), 20)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("-1.5e3", -1500),
        (" 7 ", 7),
        (".5", 0.5),
        ("", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("0x10", None),
        ("٣", None),
        ("9" * 31, None),
        ("1 2", None),
    ],
)
def test_only_decimal_numbers_are_numbers(text: str, expected: float | None) -> None:
    assert number(text) == expected


def test_what_says_that_there_is_none_is_left_out() -> None:
    assert told(list(Looks(TELLS).points(reading("a", "-1", "x", 1, 1), 10))) == {}


def test_units_and_meanings_go_with_the_points() -> None:
    looks = Looks(TELLS)
    list(looks.points(reading("a", "5", "100", 10, 10), 10))
    names = Names("", TELLS)
    points = map(names.whole, looks.points(reading("a", "6", "150", 40, 20), 20))
    said = {one.name: (one.unit, one.description) for one in points}
    assert said["used_bytes"] == ("bytes", "Memory") and said["read"] == ("1/s", "Reads, per second")
    assert said["table.users.hits"] == ("1/s", "Found") and said["table.users.hit_percent"] == ("percent", "Of all")
    assert (
        unit_of("sent_bytes", per_second=True) == "bytes/s"
        and unit_of("cpu.user_percent", per_second=True) == "percent"
    )
    assert unit_of("uptime_s") == "seconds" and unit_of("clients") == ""


def test_each_series_is_described_once_and_not_without_bound() -> None:
    heard: list[Name] = []
    describing = Describing(heard.extend)
    describing.hear([Point("a", 1, unit="bytes", description="x"), Point("b", 1)])
    describing.hear([Point("a", 2, unit="bytes", description="x"), Point("c", 1, description="y")])
    assert [(name.name, name.unit, name.description) for name in heard] == [("a", "bytes", "x"), ("c", "", "y")]
    describing.hear([Point(f"n{number}", 1, description="z") for number in range(DESCRIBED_MAX + 10)])
    assert len(heard) == DESCRIBED_MAX
