"""OpenTSDB's way to write moments and lengths of time, and the buckets that its calendar makes."""

import re
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import LimitError, QueryError

_UNITS_MS = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "n": 30 * 86_400_000,
    "y": 365 * 86_400_000,
}
_LENGTH = re.compile(r"(\d{1,12})(ms|[smhdwny])", re.IGNORECASE)
_DATES = ("%Y/%m/%d", "%Y/%m/%d-%H:%M", "%Y/%m/%d %H:%M", "%Y/%m/%d-%H:%M:%S", "%Y/%m/%d %H:%M:%S")
_EPOCH = re.compile(r"\d{1,15}")
_FRACTION = re.compile(r"(\d{10})\.(\d{1,3})")
_MS_MAX = 9_999_999_999_999  # of the year 2286: what has more digits is no time of OpenTSDB's
_YEARS_MAX = 400


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time, ``15m``; the calendar's days and longer units are not all of one length."""

    amount: int
    unit: str

    @property
    def seconds(self) -> int:
        """Whole seconds, at least one: no slot is shorter. A month has 30 days and a year 365."""
        return -(-self.amount * _UNITS_MS[self.unit] // 1000)


def parse_length(text: str) -> Length:
    """Read ``500ms``, ``10s``, ``1m``, ``1h``, ``1d``, ``1w``, ``1n`` (a month) or ``1y``.

    Raises
    ------
    QueryError
        If it is none of them, or longer than 400 years.
    """
    match = _LENGTH.fullmatch(text)
    if match is None or not int(match[1]):
        raise QueryError(f"Invalid duration: {text[:100]!r}; expected one such as 30s, 15m, 1h or 1d")
    length = Length(int(match[1]), match[2].lower())
    if length.seconds > _YEARS_MAX * 365 * 86400:
        raise QueryError(f"Invalid duration: {text[:100]!r} is longer than {_YEARS_MAX} years")
    return length


def parse_moment(text: str, now_ms: int, zone: tzinfo) -> int:
    """Epoch milliseconds of a moment.

    Parameters
    ----------
    text
        Seconds or (of more than ten digits) milliseconds, ``1364410924.250``, ``1364410924250ms``, ``now``,
        ``1h-ago``, ``2013/01/01`` and with ``-12:30`` or ``-12:30:15`` behind it.

    Raises
    ------
    QueryError
        If it cannot be read.
    """
    plain = text.strip().lower()
    if plain == "now":
        return now_ms
    if plain.endswith("-ago"):
        length = parse_length(plain[:-4])
        return max(now_ms - length.amount * _UNITS_MS[length.unit], 0)
    found = _epoch_ms(plain)
    for form in _DATES if found is None else ():
        with suppress(ValueError, OverflowError):
            found = int(datetime.strptime(plain, form).replace(tzinfo=zone).timestamp() * 1000)
    if found is not None and 0 <= found <= _MS_MAX:
        return found
    raise QueryError(
        f"Invalid time: {text[:100]!r}; expected one such as 1364410924, 1h-ago, 2013/01/01 or 2013/01/01-12:30:15"
    )


def _epoch_ms(text: str) -> int | None:
    if match := _FRACTION.fullmatch(text):
        return int(match[1]) * 1000 + int(match[2].ljust(3, "0"))
    digits = text.removesuffix("ms")
    if not _EPOCH.fullmatch(digits):
        return None
    return int(digits) * (1 if text.endswith("ms") or len(text) > 10 else 1000)


def even_edges(length: Length, start_s: int, end_s: int, most: int) -> NDArray[np.int64]:
    """Where buckets begin and end that cover ``[start_s, end_s)``, from the epoch on; int64[buckets + 1].

    Raises
    ------
    LimitError
        If there are more than `most`.
    """
    step_s = length.seconds
    first = start_s // step_s
    count = -(-end_s // step_s) - first
    _check_count(count, most)
    return (first + np.arange(count + 1, dtype=np.int64)) * step_s


def calendar_edges(length: Length, zone: tzinfo, start_s: int, end_s: int, most: int) -> NDArray[np.int64]:
    """The same where days are those of a calendar: days, weeks (from Sunday), months and years are as long as they are.

    Shorter buckets begin with the minute, hour or day that they are parts of, and are of one length from there on.

    Raises
    ------
    LimitError
        If there are more than `most`.
    """
    _check_count((end_s - start_s) // length.seconds, most)
    origin = _origin(datetime.fromtimestamp(start_s, zone), length)
    if length.unit in ("ms", "s", "m", "h"):
        begin = int(origin.timestamp())
        begin += (start_s - begin) // length.seconds * length.seconds
        return np.arange(begin, end_s + length.seconds, length.seconds, dtype=np.int64)
    edges, k = [int(origin.timestamp())], 0
    while edges[-1] < end_s:
        k += length.amount
        edges.append(int(_later(origin, length.unit, k).timestamp()))
    return np.array(edges[bisect_right(edges, start_s) - 1 :], np.int64)


def _check_count(count: int, most: int) -> None:
    if count > most:
        raise LimitError(
            f"cannot answer the query: it asks for {count} buckets, more than the limit points_max = {most}; "
            "expected longer ones or a shorter range"
        )


def _origin(moment: datetime, length: Length) -> datetime:
    """Where counting begins for buckets of a length that hold a moment, as OpenTSDB counts."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    hour = moment.replace(minute=0, second=0, microsecond=0)
    match length.unit:
        case "ms" | "s":
            return hour.replace(minute=moment.minute) if 60 % length.seconds == 0 else hour
        case "m":
            return hour if 60 % length.amount == 0 else midnight
        case "h":
            return midnight if 24 % length.amount == 0 else midnight.replace(day=1)
        case "d":
            return midnight.replace(day=1) if length.amount == 1 else midnight.replace(month=1, day=1)
        case "w":
            return midnight - timedelta(days=(midnight.weekday() + 1) % 7)
        case _:
            return midnight.replace(month=1, day=1)


def _later(origin: datetime, unit: str, amount: int) -> datetime:
    """`origin` so many units later, by the calendar; the origin of months and years is the first of one."""
    if unit in ("d", "w"):
        return origin + timedelta(days=amount * (7 if unit == "w" else 1))
    months = origin.month - 1 + amount * (12 if unit == "y" else 1)
    return origin.replace(year=origin.year + months // 12, month=months % 12 + 1)
