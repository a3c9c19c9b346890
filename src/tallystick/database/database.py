"""`Database`: what both doors give, read-only; a notebook need not know which one it came through."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from tallystick.database.result import Result
from tallystick.model.errors import QueryError
from tallystick.model.retention import parse_seconds
from tallystick.model.series import Part, Series

if TYPE_CHECKING:
    from types import TracebackType

    import numpy as np

    Moment = str | int | float | datetime | date | np.datetime64
    """``-6h``, ``now``, ``18:30_20240131``; seconds since the epoch; a datetime, in UTC if it has no zone."""
    Length = int | str | timedelta
    """Seconds, ``5min``, or a timedelta."""


class Database(ABC):
    """A store opened for reading, or a server that is asked; by several threads, if none of them calls `refresh`.

    A context manager: ``with tallystick.open(directory) as db``.
    """

    def query(
        self,
        targets: str | Sequence[str],
        start: Moment = "-6h",
        until: Moment = "now",
        *,
        step: Length | None = None,
        points: int | None = None,
        statistics: str | Sequence[str] = (),
        tz: str = "UTC",
    ) -> Result:
        """Numbers of series, or of what Graphite's functions make of them.

        Parameters
        ----------
        targets
            Names with globs (``*.hosts.*.*.load.1m``) or whole expressions (``sumSeries(a.*.b)``), one or several.
        start, until
            Slots that begin after `start`, up to and with the one that `until` lies in.
        step
            Slots of at least this length: finer ones are merged, so that a maximum stays that of the samples. Without
            it the finest that is still kept of `start`.
        points
            At most so many slots a series.
        statistics
            Those to read: ``min``, ``max``, ``avg``, ``sum``, ``count``, ``sdev``, ``last``, or percentiles of timings
            such as ``p99``; several at once cost one reading. Without it each series' own, by its kind.
        tz
            Where days begin, such as ``Europe/Vienna``. The times of the result are in UTC.

        Returns
        -------
        Result
            All series on one time line: where their steps differ, on the least common multiple of them. Names that
            match nothing give a result without series.

        Raises
        ------
        QueryError
            If something cannot be read or evaluated, or the query is larger than a limit.
        ServerError, StoreError
            If the server cannot be asked, or the store cannot be read.
        """
        wanted = [targets] if isinstance(targets, str) else list(targets)
        if not any(one.strip() for one in wanted):
            raise QueryError("cannot query: no target; expected at least one such as web.*.cpu")
        words = [statistics] if isinstance(statistics, str) else list(statistics)
        step_s = None if step is None else _whole("step", _seconds(step))
        slots = None if points is None else _whole("points", points)
        return self._query(wanted, _moment(start), _moment(until), step_s, slots, words, tz)

    def parts(
        self,
        pattern: str = "",
        start: Moment = "-1y",
        until: Moment = "now",
        *,
        tags: Sequence[str] = (),
        tz: str = "UTC",
    ) -> list[Part]:
        """How finely series can be read: a range of time in stretches, oldest first.

        Parameters
        ----------
        pattern, tags
            As for `find`, one of them.
        start, until, tz
            As for `query`.

        Raises
        ------
        QueryError
            If something cannot be read, or more series match than a limit allows.
        """
        return self._parts(pattern, list(tags), _moment(start), _moment(until), tz)

    @abstractmethod
    def find(self, pattern: str = "", *, tags: Sequence[str] = ()) -> list[str]:
        """Names of series, sorted.

        Parameters
        ----------
        pattern
            A glob as deep as the names: ``*.hosts.*.*.cpu.user``. Without it and without `tags`, all names.
        tags
            Instead of it, expressions that all must match: ``dc=west``, ``host!=~test``.

        Raises
        ------
        QueryError
            If the glob or an expression cannot be read.
        """

    @abstractmethod
    def browse(self, pattern: str = "*") -> list[str]:
        """Paths one level of the tree has: ``prod.hosts.web.*`` are hosts, whether or not series end there."""

    @abstractmethod
    def search(self, words: str, limit: int = 50) -> list[str]:
        """Up to `limit` names that hold all words, in any order and case; shortest first."""

    @abstractmethod
    def series(self, pattern: str = "", *, tags: Sequence[str] = ()) -> list[Series]:
        """What is known of series beside their numbers; `pattern` or `tags` as for `find`, one of them."""

    @abstractmethod
    def refresh(self) -> None:
        """See what has come since it was opened; a server's answers are always fresh."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files. Results stay."""

    @abstractmethod
    def _query(
        self,
        targets: list[str],
        start: str,
        until: str,
        step_s: int | None,
        slots_max: int | None,
        statistics: list[str],
        zone: str,
    ) -> Result: ...

    @abstractmethod
    def _parts(self, pattern: str, tags: list[str], start: str, until: str, zone: str) -> list[Part]: ...

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _moment(value: Moment) -> str:
    """A moment as a query has it."""
    if isinstance(value, str):
        return value
    if hasattr(value, "astype"):  # numpy.datetime64, which has no zone and means UTC
        value = value.astype("datetime64[s]").item()
    if isinstance(value, date):  # datetimes are dates, and so are those of pandas
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
        value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        raise QueryError(
            f"cannot use time {value!r}: expected one such as '-6h', seconds since 1970, or a datetime after it"
        )
    return f"{int(value):010d}"  # eight digits would be a date


def _seconds(length: Length) -> float:
    if isinstance(length, timedelta):
        return length.total_seconds()
    if isinstance(length, str):
        try:
            return parse_seconds(length)
        except ValueError as error:
            raise QueryError(str(error)) from error
    return length


def _whole(what: str, number: float) -> int:
    if not (1 <= number < 1e9 and number == int(number)):
        raise QueryError(f"cannot use {what} {number!r}: expected a whole number from 1 to 999,999,999")
    return int(number)
