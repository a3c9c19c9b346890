"""What a function is given beside its arguments: the time range, the store's data, and how to evaluate once more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import Clock
from tallystick.model.errors import GoneError, LimitError, QueryError
from tallystick.model.statistic import Statistic
from tallystick.query.events import EventSource, NoEvents
from tallystick.query.grammar import Node, Scalar
from tallystick.query.plan import Plan, Wish
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


@dataclass(frozen=True, slots=True)
class Request:
    """What a reader asks for beside the targets.

    Parameters
    ----------
    from_s, until_s
        Epoch seconds: after the first, up to and with the slot of the second, as Graphite has it.
    now_s
        The present in epoch seconds; nothing later is read.
    zone
        Where days begin.
    slots_max
        At most so many slots a series, merged from tallies where that is possible; None for all there are.
    x_files_factor
        Share of slots that must be known for a joined slot to be known.
    template
        Replacements for ``template()`` that win over its own.
    step_s
        Slots are no shorter than so many seconds, merged from tallies where that is possible; None for those kept.
    """

    from_s: int
    until_s: int
    now_s: int
    zone: tzinfo = UTC
    slots_max: int | None = None
    x_files_factor: float = 0.0
    template: Mapping[str, str] = field(default_factory=dict)
    step_s: int | None = None


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
    values: dict[tuple[object, ...], "Value"] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True)
class Context:
    """Where an expression is evaluated; functions that look elsewhere in time make another one.

    Parameters
    ----------
    request
        As asked; `from_s` and `until_s` below may differ from it.
    from_s, until_s
        The range of time for what is fetched here.
    wanted
        The statistic that `stat()` or `percentile()` around the expression asks for; None for each kind's own.
    slots_max
        If set, paths are read merged to at most so many slots.
    step_s
        If set, paths are read merged to slots of at least so many seconds.
    consolidation
        With either of them: how `consolidateBy()` around the expression joins slots; None for each kind's own.
    replacements
        Of the `template()` around the expression.
    call
        The text of the call being evaluated.
    reach_s
        Paths are read at a step that is there also for so many seconds before `from_s`.
    alike
        What the path that is being evaluated can be read together with, itself among it.
    """

    session: Session
    request: Request
    from_s: int
    until_s: int
    evaluator: Callable[[Node, "Context"], Value]
    wanted: Wanted | None = None
    slots_max: int | None = None
    step_s: int | None = None
    consolidation: str | None = None
    replacements: Mapping[str, Scalar] = field(default_factory=dict)
    call: str = ""
    reach_s: int = 0
    alike: tuple[Wish, ...] = ()

    @property
    def store(self) -> StoreReader:
        """Where data is read."""
        return self.session.store

    @property
    def x_files_factor(self) -> float:
        """The request's own."""
        return self.request.x_files_factor

    def evaluate(self, node: Node) -> Value:
        """The value of an expression here."""
        return self.evaluator(node, self)

    @property
    def place(self) -> tuple[object, ...]:
        """All that the value of an expression depends on, beside the request."""
        replaced = tuple(self.replacements.items())
        return (*self.lines, self.wanted, self.consolidation, replaced)

    @property
    def lines(self) -> tuple[object, ...]:
        """All that the time line of what is read depends on."""
        return self.from_s, self.until_s, self.slots_max, self.step_s, self.reach_s

    def shifted(self, from_by_s: int, until_by_s: int = 0) -> "Context":
        """The same, the ends of its range moved by so many seconds; full resolution, as values must be exact."""
        return replace(
            self, from_s=self.from_s + from_by_s, until_s=self.until_s + until_by_s, slots_max=None, step_s=None
        )

    def wanting(self, wanted: Wanted) -> "Context":
        """The same, with another statistic read from the store."""
        return replace(self, wanted=wanted)


@dataclass(frozen=True, slots=True)
class Deferred:
    """An argument that its function evaluates itself, where and as often as it wants."""

    node: Node
    context: Context

    def evaluate(self, context: Context | None = None) -> SeriesList:
        """The series that the argument gives in `context`, or where the function was called."""
        value = (context or self.context).evaluate(self.node)
        return as_series(value, str(self.node))


def bytes_of(value: object) -> int:
    """Memory that a value takes, about: that of its numbers, and of the rows beside them."""
    if isinstance(value, list):
        return sum(map(bytes_of, value))
    if isinstance(value, SeriesList):
        return sum(grid.values.nbytes + len(grid) * _ROW_BYTES for grid in value.grids)
    return 0


def as_series(value: Value, text: str) -> SeriesList:
    """`value` as a list of series.

    Raises
    ------
    QueryError
        If it is a number, a string or the like; `text` says where it comes from.
    """
    if isinstance(value, SeriesList):
        return value
    if isinstance(value, list):
        return SeriesList.joined(value)
    raise QueryError(f"cannot use {text} as series: it is a plain value; expected a path or a function of series")
