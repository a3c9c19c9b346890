"""What a function is given beside its arguments: the time range, the store's data, and how to evaluate once more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo

from tallystick.model.errors import QueryError
from tallystick.query.grammar import Node, Scalar
from tallystick.query.plan import Wish
from tallystick.query.series import SeriesList
from tallystick.query.session import Session, Value, Wanted
from tallystick.store.contract import StoreReader


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
