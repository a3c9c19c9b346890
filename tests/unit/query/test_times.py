"""Reading moments; the present is Tuesday, 2023-11-14 22:13:20 UTC."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.model.errors import QueryError
from tallystick.query.times import parse_offset, parse_time, time_zone

NOW_S = 1_700_000_000
VIENNA = ZoneInfo("Europe/Vienna")


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("text", "moment_s"),
    [
        ("now", NOW_S),
        ("", NOW_S),
        ("-1h", NOW_S - 3600),
        ("-1h30min", NOW_S - 5400),
        ("now-2mon", NOW_S - 60 * 86400),
        ("now+1y", NOW_S + 365 * 86400),
        ("-90seconds", NOW_S - 90),
        ("1700000123", 1_700_000_123),
        ("20240102", at(2024, 1, 2)),
        ("8:50_20240102", at(2024, 1, 2, 8, 50)),
        ("08:50 20240102", at(2024, 1, 2, 8, 50)),
        ("01/02/24", at(2024, 1, 2)),
        ("1/2/2024", at(2024, 1, 2)),
        ("jan 5", at(2023, 1, 5)),
        ("december25", at(2023, 12, 25)),
        ("today", at(2023, 11, 14)),
        ("midnight", at(2023, 11, 14)),
        ("noon yesterday", at(2023, 11, 13, 12)),
        ("teatime", at(2023, 11, 14, 16)),
        ("tomorrow", at(2023, 11, 15)),
        ("monday", at(2023, 11, 13)),
        ("tuesday", at(2023, 11, 14)),
        ("wed", at(2023, 11, 8)),
        ("6pm+1h", at(2023, 11, 14, 19)),
        ("6am today", at(2023, 11, 14, 6)),
        ("12pm", at(2023, 11, 14, 12)),
        ("12am", at(2023, 11, 14, 0)),
        ("5:30pm_monday", at(2023, 11, 13, 17, 30)),
        ("Midnight-1D", at(2023, 11, 13)),
    ],
)
def test_each_way_to_write_a_moment_is_understood(text: str, moment_s: int) -> None:
    assert parse_time(text, NOW_S) == moment_s


def test_days_begin_where_the_reader_lives() -> None:
    assert parse_time("midnight", NOW_S, VIENNA) == at(2023, 11, 13, 23)
    assert parse_time("8:50_20240702", NOW_S, VIENNA) == at(2024, 7, 2, 6, 50)


def test_the_time_of_day_holds_on_the_day_on_which_the_clock_changes() -> None:
    assert parse_time("6am_20240331", NOW_S, VIENNA) == at(2024, 3, 31, 4)


@pytest.mark.parametrize(
    "text", ["-5m", "5", "yesterdayish", "25:00", "32/1/2024", "jan", "-1h-", "now-", "½", "-1x", "99999999999999999"]
)
def test_what_is_no_moment_is_refused_with_a_sentence(text: str) -> None:
    if text == "5":
        assert parse_time(text, NOW_S) == 5
        return
    with pytest.raises(QueryError, match="cannot"):
        parse_time(text, NOW_S)


@given(st.one_of(st.text(max_size=20), st.text("0123456789:+-/_ apmnowjsdhy", max_size=20)))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        parse_time(text, NOW_S)
    except QueryError as error:
        assert str(error).startswith("cannot")


@pytest.mark.parametrize(("text", "seconds"), [("5min", 300), ("-1d", -86400), ("+2w", 1_209_600), ("1h30min", 5400)])
def test_lengths_are_read(text: str, seconds: int) -> None:
    assert parse_offset(text) == seconds


def test_an_unknown_zone_is_refused() -> None:
    assert time_zone("UTC") is UTC
    with pytest.raises(QueryError, match="Mars"):
        time_zone("Mars/Olympus")
