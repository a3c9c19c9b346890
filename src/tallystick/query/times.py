"""Graphite's way to write moments and lengths of time (its *at-time*, after the ``at`` command)."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tallystick.model.errors import QueryError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED_HOURS = {"noon": 12, "midnight": 0, "teatime": 16}
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
# The first spelling that a unit begins with; "m" alone means nothing, as it could be minutes or months.
_UNITS = (("s", 1), ("min", 60), ("h", 3600), ("d", 86400), ("w", 604800), ("mon", 30 * 86400), ("y", 365 * 86400))
_OFFSET = re.compile(r"([+-]?)((?:\d+[a-z]+)+)")
_PART = re.compile(r"(\d+)([a-z]+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(am|pm)?")
_HOUR = re.compile(r"(\d{1,2})(am|pm)")
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{1,4})")
_MONTH_DAY = re.compile(r"([a-z]{3,9}?)(\d{1,2})")
_SECONDS_MAX = 400 * 365 * 86400


def time_zone(name: str) -> tzinfo:
    """The time zone of an IANA name such as ``Europe/Vienna``.

    Raises
    ------
    QueryError
        If the machine knows none of that name.
    """
    if name in ("", "UTC", "utc"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise QueryError(
            f"cannot use time zone {name!r}: not known here; expected one such as Europe/Vienna"
        ) from error


def parse_unit(text: str) -> int:
    """Seconds of a unit: ``s``, ``min``, ``h``, ``d``, ``w``, ``mon`` (30 d), ``y`` (365 d), or a longer spelling.

    Raises
    ------
    QueryError
        If it is none of them.
    """
    for start, seconds in _UNITS:
        if text.startswith(start):
            return seconds
    raise QueryError(f"cannot use unit {text!r}: expected s, min, h, d, w, mon or y")


def parse_offset(text: str) -> int:
    """Seconds of ``5min``, ``-1h30min``, ``+2d``.

    Raises
    ------
    QueryError
        If it is no length of time.
    """
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise QueryError(f"cannot read length of time {text!r}: expected one such as 5min, 1h30min or -7d")
    seconds = sum(int(number[:12]) * parse_unit(unit) for number, unit in _PART.findall(match[2]))
    if seconds > _SECONDS_MAX:
        raise QueryError(f"cannot use length of time {text!r}: longer than 400 years")
    return -seconds if match[1] == "-" else seconds


def parse_time(text: str, now_s: int, zone: tzinfo = UTC) -> int:
    """Epoch seconds of a moment.

    Parameters
    ----------
    text
        ``now``, ``-1h``, ``now-2mon``, ``1700000000``, ``20240102``, ``8:50_20240102``, ``01/02/24``, ``jan 5``,
        ``monday`` (the last one), ``noon yesterday``, ``midnight``, ``teatime``, ``6pm+1h``. Case, blanks, commas
        and underscores do not matter.
    now_s
        The present in epoch seconds.
    zone
        Where days begin.

    Raises
    ------
    QueryError
        If it cannot be read.
    """
    plain = re.sub(r"[_, \t]", "", text.strip().lower())
    if plain.isascii() and plain.isdigit() and not _is_date(plain):
        seconds = int(plain[:15])
        if seconds > 253_402_300_799:
            raise QueryError(f"cannot use time {text!r}: after the year 9999; expected seconds since the epoch")
        return seconds
    split = re.search(r"[+-]", plain)
    place = split.start() if split else len(plain)
    try:
        moment = _reference(plain[:place], datetime.fromtimestamp(now_s, zone))
    except (ValueError, OverflowError) as error:
        raise QueryError(
            f"cannot read time {text!r}: {error}; expected one such as -1h, now-7d, 20240131, 18:30_20240131 or monday"
        ) from error
    return int(moment.timestamp()) + (parse_offset(plain[place:]) if split else 0)


def _is_date(text: str) -> bool:
    return len(text) == 8 and int(text[:4]) > 1900 and int(text[4:6]) < 13 and int(text[6:]) < 32


def _reference(text: str, now: datetime) -> datetime:
    if text in ("", "now"):
        return now
    hour, minute, day = _time_of_day(text)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    # Wall clock, not elapsed time: 8:50 is 8:50 also on the day on which the clock changes.
    return _day(day, midnight).replace(hour=hour, minute=minute)


def _time_of_day(text: str) -> tuple[int, int, str]:
    """Hour, minute, and what is left of the text."""
    if match := _CLOCK.match(text):
        return _twelve_hours(int(match[1]), match[3]), int(match[2]), text[match.end() :]
    if match := _HOUR.match(text):
        return _twelve_hours(int(match[1]), match[2]), 0, text[match.end() :]
    for word, hour in _NAMED_HOURS.items():
        if text.startswith(word):
            return hour, 0, text[len(word) :]
    return 0, 0, text


def _twelve_hours(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half == "pm" else 0)


def _day(text: str, midnight: datetime) -> datetime:
    if not text:
        return midnight
    if text in _DAYS:
        return midnight + timedelta(days=_DAYS[text])
    if match := _SLASHES.fullmatch(text):
        year = int(match[3])
        year += 1900 if year < 1900 else 0
        year += 100 if year < 1970 else 0
        return midnight.replace(year=year, month=int(match[1]), day=int(match[2]))
    if len(text) == 8 and text.isdigit():
        return midnight.replace(year=int(text[:4]), month=int(text[4:6]), day=int(text[6:]))
    if text[:3] in _MONTHS:
        match = _MONTH_DAY.fullmatch(text)
        if match is None:
            raise ValueError("a day must follow the month")
        return midnight.replace(month=_MONTHS.index(text[:3]) + 1, day=int(match[2]))
    if text[:3] in _WEEKDAYS and text.isalpha():
        return midnight - timedelta(days=(midnight.weekday() - _WEEKDAYS.index(text[:3])) % 7)
    raise ValueError(f"{text!r} is no day")
