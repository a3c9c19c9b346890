"""`Session`: what one request has read and holds, within its limits; shared by all its targets."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.config import Query
from tallystick.model.clock import Clock
from tallystick.model.errors import GoneError, LimitError
from tallystick.model.statistic import Statistic
from tallystick.query.events import EventSource, NoEvents
from tallystick.query.grammar import Scalar
from tallystick.query.plan import Plan
from tallystick.query.series import SeriesList
from tallystick.store.contract import StoreReader

T = TypeVar("T")
Value = SeriesList | list[SeriesList] | Scalar
"""What an expression can evaluate to."""

Wanted = Statistic | float
"""What is read from the store: a statistic, or a percentile (0 to 100) as a number."""

_ROW_BYTES = 400
"""A name, its tags and what holds them, about."""


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """How large one query may be.

    Parameters
    ----------
    series_max
        Series read by one request.
    points_max
        Values read by one request, over all series.
    bytes_max
        Memory that the values of one request may take at a time: those read, and those that functions made of them.
    time_s_max
        Seconds that evaluating one request may take; looked at between functions and between pieces of what is read.
    workers
        Queries that are evaluated at the same time.
    """

    series_max: int = 20_000
    points_max: int = 50_000_000
    bytes_max: int = 2 << 30
    time_s_max: float = 30.0
    workers: int = 4

    @classmethod
    def configured(cls, query: Query) -> Self:
        """As the config says."""
        return cls(
            series_max=query.series_max,
            points_max=query.points_max,
            bytes_max=query.bytes_max,
            time_s_max=query.time_s_max,
            workers=query.workers,
        )


@dataclass(slots=True)
class Session:
    """What the targets of one request share; belongs to one thread.

    Parameters
    ----------
    events
        For ``events()``.
    statistics
        Read in one go whenever a path is fetched, so that a min/max band costs one reading; percentiles likewise.
    fetched
        What was read already, by path, range and statistic.
    ids
        The series that a path gives, by path, in the order of their names: found once in a request.
    unpaid
        Series and values that were read with those of another path, by path, range and statistics: they are charged
        when the path is asked for.
    plan
        What the targets have in common.
    values
        What shared calls gave, by their number and where they were evaluated.
    held_bytes
        Memory that is taken now by what was read, by values that functions are given, and by those that are kept.
    is_gone
        Whether who asked has gone; asked often, so it must be quick.
    """

    store: StoreReader
    clock: Clock
    limits: QueryLimits
    started_s: float
    events: EventSource = field(default_factory=NoEvents)
    statistics: Sequence[Wanted] = (Statistic.DEFAULT,)
    fetched: dict[tuple[object, ...], SeriesList] = field(default_factory=dict)
    ids: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    unpaid: dict[tuple[object, ...], tuple[int, int]] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    values: dict[tuple[object, ...], Value] = field(default_factory=dict)
    held_bytes: int = 0
    is_gone: Callable[[], bool] = lambda: False
    series: int = 0
    points: int = 0
    shown_series: int = 0
    shown_points: int = 0

    def charge(self, series: int, points: int) -> None:
        """Count what is about to be read.

        Raises
        ------
        LimitError
            If the request would read more than a limit allows.
        """
        self.series += series
        self.points += points
        _within("series", self.series, self.limits.series_max, "series_max")
        _within("points", self.points, self.limits.points_max, "points_max")

    def has_room(self, series: int, points: int) -> bool:
        """Whether so much more may be read."""
        more_bytes = points * np.dtype(np.float64).itemsize
        return (
            self.series + series <= self.limits.series_max
            and self.points + points <= self.limits.points_max
            and self.held_bytes + more_bytes <= self.limits.bytes_max
        )

    def hold(self, bytes_: int) -> None:
        """Count memory that stays taken.

        Raises
        ------
        LimitError
            If it is more than a request may take at a time.
        """
        self.held_bytes += bytes_
        _within("bytes", self.held_bytes, self.limits.bytes_max, "bytes_max")

    @contextmanager
    def passing(self) -> Iterator["Passing"]:
        """Counts values that are let go of at the end."""
        given = Passing(self)
        yield given
        self.held_bytes -= given.bytes

    def check_size(self, values: Sequence[SeriesList]) -> None:
        """Refuse what a function would handle in one go if it is more than may be read: a path can be named often.

        Raises
        ------
        LimitError
            If it is.
        """
        _within("series", sum(len(one) for one in values), self.limits.series_max, "series_max")
        _within("points", sum(one.points for one in values), self.limits.points_max, "points_max")

    def show(self, series: SeriesList, statistics: int = 1) -> None:
        """Count what a target gave, of so many statistics.

        Raises
        ------
        LimitError
            If all targets together give more than may be read.
        """
        self.shown_series += len(series)
        self.shown_points += series.points * statistics
        self.hold(bytes_of(series) * statistics)
        _within("series", self.shown_series, self.limits.series_max, "series_max")
        _within("points", self.shown_points, self.limits.points_max, "points_max")

    def check_time(self) -> None:
        """Stop a request that has taken too long, or that nobody waits for.

        Raises
        ------
        LimitError
            If it has.
        GoneError
            If who asked has gone.
        """
        if self.is_gone():
            raise GoneError("cannot go on with the query: who asked has gone")
        took_s = self.clock.monotonic() - self.started_s
        _within("seconds", round(took_s, 1), self.limits.time_s_max, "time_s_max")


class Passing:
    """The arguments of one call, counted one by one: what is too much is not made first."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._series = 0
        self._points = 0
        self.bytes = 0

    def add(self, value: T) -> T:
        """Count an argument and give it back.

        Raises
        ------
        LimitError
            If a function would handle more in one go than may be read, or more memory would be taken than may be.
        """
        lists = value if isinstance(value, list) else [value]
        for one in lists:
            if isinstance(one, SeriesList):
                self._series += len(one)
                self._points += one.points
        limits, more_bytes = self._session.limits, bytes_of(value)
        _within("series", self._series, limits.series_max, "series_max")
        _within("points", self._points, limits.points_max, "points_max")
        self._session.hold(more_bytes)
        self.bytes += more_bytes
        return value


def _within(what: str, amount: float, limit: float, key: str) -> None:
    if amount > limit:
        raise LimitError(
            f"cannot answer the query: it takes {amount} {what}, more than the limit {key} = {limit}; "
            "expected a narrower path or a shorter range"
        )


def bytes_of(value: object) -> int:
    """Memory that a value takes, about: that of its numbers, and of the rows beside them."""
    if isinstance(value, list):
        return sum(map(bytes_of, value))
    if isinstance(value, SeriesList):
        return sum(grid.values.nbytes + len(grid) * _ROW_BYTES for grid in value.grids)
    return 0
