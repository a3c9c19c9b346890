"""Buckets that begin where those of the calendar do, as OpenTSDB counts them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tallystick.model.errors import LimitError, QueryError
from tallystick.query.opentsdb.times import calendar_edges, even_edges, parse_length, parse_moment

VIENNA = ZoneInfo("Europe/Vienna")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=VIENNA).timestamp())


@pytest.mark.parametrize(
    ("length", "start", "end", "edges"),
    [
        # A day is as long as the clock makes it: on the 31st of March 2013 it had 23 hours.
        ("1d", "2013-03-30T12:00", "2013-04-01T01:00", ["2013-03-30", "2013-03-31", "2013-04-01", "2013-04-02"]),
        ("1w", "2013-03-30T12:00", "2013-04-01T01:00", ["2013-03-24", "2013-03-31", "2013-04-07"]),
        ("1n", "2013-01-31T12:00", "2013-03-01T01:00", ["2013-01-01", "2013-02-01", "2013-03-01", "2013-04-01"]),
        ("2n", "2013-04-15", "2013-05-01", ["2013-03-01", "2013-05-01"]),
        ("1y", "2012-12-31", "2013-01-02", ["2012-01-01", "2013-01-01", "2014-01-01"]),
        ("3d", "2013-01-05", "2013-01-08", ["2013-01-04", "2013-01-07", "2013-01-10"]),
        ("6h", "2013-01-05T07:00", "2013-01-05T13:00", ["2013-01-05T06:00", "2013-01-05T12:00", "2013-01-05T18:00"]),
        ("15m", "2013-01-05T07:20", "2013-01-05T07:40", ["2013-01-05T07:15", "2013-01-05T07:30", "2013-01-05T07:45"]),
        ("30s", "2013-01-05T07:20:40", "2013-01-05T07:21:00", ["2013-01-05T07:20:30", "2013-01-05T07:21:00"]),
    ],
)
def test_buckets_cover_a_range(length: str, start: str, end: str, edges: list[str]) -> None:
    found = calendar_edges(parse_length(length), VIENNA, at(start), at(end), 1000)
    assert found.tolist() == [at(edge) for edge in edges]


def test_other_buckets_are_counted_from_the_epoch() -> None:
    assert even_edges(parse_length("7m"), 1000, 1300, 10).tolist() == [840, 1260, 1680]
    assert even_edges(parse_length("1500ms"), 3, 5, 10).tolist() == [2, 4, 6]


def test_too_many_buckets_are_refused_before_they_are_made() -> None:
    for make in (even_edges, lambda *given: calendar_edges(given[0], VIENNA, *given[1:])):
        with pytest.raises(LimitError, match="points_max = 1000"):
            make(parse_length("1s"), 0, 10**9, 1000)


@pytest.mark.parametrize("text", ["", "m", "1", "-1m", "1.5h", "1x", "0s", "999999999999y", "1 m"])
def test_what_is_no_length_of_time_is_told(text: str) -> None:
    with pytest.raises(QueryError, match="Invalid duration"):
        parse_length(text)


def test_a_moment_is_one_of_the_zone_and_never_before_1970() -> None:
    assert parse_moment("2013/03/31-12:00", 0, VIENNA) == 1000 * at("2013-03-31T12:00")
    assert parse_moment("1d-ago", 5000, VIENNA) == 0
    for text in ("1969/12/31", "99999999999999999", "2013/13/01", "1e9", "12:00"):
        with pytest.raises(QueryError, match="Invalid time"):
            parse_moment(text, 0, VIENNA)
