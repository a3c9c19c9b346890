"""Evaluating targets on a store."""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import Clock
from tallystick.model.errors import LimitError, QueryError
from tallystick.model.grid import Grid
from tallystick.model.statistic import Statistic
from tallystick.query import functions, registry
from tallystick.query.align import consolidated, lengthened
from tallystick.query.context import Context, Deferred, Request, as_series
from tallystick.query.events import EventSource, NoEvents
from tallystick.query.grammar import TARGET_CHARS_MAX, Call, Literal, Node, Path, Template, parse
from tallystick.query.plan import Plan
from tallystick.query.series import SeriesList
from tallystick.query.session import QueryLimits, Session, Value, Wanted, bytes_of
from tallystick.query.sub_counters import fetch_named
from tallystick.store.contract import StoreReader

_NUMERIC = re.compile(r"-?\d+(\.\d+)?")
_MIN_MAX = (Statistic.DEFAULT, Statistic.MIN, Statistic.MAX)

functions.load()


@dataclass(frozen=True, slots=True)
class Band:
    """A grid, and what is known of its slots beside their values.

    Parameters
    ----------
    low, high : float64[n, m] or None
        The smallest and the largest sample of each slot; None if the target changes values.
    ids : int32[n] or None
        The series that the rows are; None if the target is not a path alone.
    """

    grid: Grid
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    ids: NDArray[np.int32] | None = None


class Evaluator:
    """Answers targets from a store.

    Parameters
    ----------
    store
        Read only.
    clock
        For the limit on time.
    limits
        How large one request may be.
    events
        What ``events()`` counts; none if it is not given.
    """

    def __init__(
        self, store: StoreReader, clock: Clock, limits: QueryLimits | None = None, events: EventSource | None = None
    ) -> None:
        self.store = store
        self._clock = clock
        self._limits = limits or QueryLimits()
        self._events = events or NoEvents()

    def evaluate(
        self, targets: Sequence[str], request: Request, is_gone: Callable[[], bool] | None = None
    ) -> list[Grid]:
        """The series that targets give, in their order; what they have in common is read and computed once.

        Parameters
        ----------
        is_gone
            Whether who asked has gone; looked at often.

        Raises
        ------
        QueryError
            If a target cannot be read or evaluated.
        LimitError
            If the request is larger than the limits allow.
        GoneError
            If `is_gone` says so.
        """
        nodes = [parse(target) for target in targets]
        session = self.new_session(nodes, request, is_gone)
        return [grid for node in nodes for grid in self._shown(node, request, session).grids]

    def bands(
        self, targets: Sequence[str], request: Request, is_gone: Callable[[], bool] | None = None
    ) -> list[list[Band]]:
        """`evaluate_bands` of each of several targets; what they have in common is read and computed once.

        Raises
        ------
        QueryError, LimitError, GoneError
            As `evaluate`.
        """
        nodes = [parse(target) for target in targets]
        session = self.new_session(nodes, request, is_gone, bands=True)
        return [self.evaluate_bands(target, request, session) for target in targets]

    def evaluate_bands(self, target: str, request: Request, session: Session | None = None) -> list[Band]:
        """The series of one target; where it leaves values untouched, with the extremes of each slot.

        Parameters
        ----------
        session
            Of the targets that are asked for together, by `new_session`: the limits are for all of them.

        Raises
        ------
        QueryError
            If the target cannot be read or evaluated.
        LimitError
            If the request is larger than the limits allow.
        """
        node = parse(target)
        session = session or self.new_session()
        session.statistics = _MIN_MAX if _has_band(node) else (Statistic.DEFAULT,)
        if not _has_band(node):
            return [Band(grid) for grid in self._shown(node, request, session).grids]
        context = _plain_context(_context(session, request), node)
        found = [as_series(context.wanting(one).evaluate(node), target) for one in _MIN_MAX]
        session.show(found[0])
        grids, lows, highs = (series.grids for series in found)
        ids = session.ids.get(node.pattern) if isinstance(node, Path) else None
        begins = np.cumsum([0, *(len(grid) for grid in grids)])
        return [
            Band(grid, low.values, high.values, None if ids is None else ids[begin : begin + len(grid)])
            for grid, low, high, begin in zip(grids, lows, highs, begins[:-1].tolist(), strict=True)
        ]

    def new_session(
        self,
        nodes: Sequence[Node] = (),
        request: Request | None = None,
        is_gone: Callable[[], bool] | None = None,
        *,
        bands: bool = False,
    ) -> Session:
        """What the targets of one request share.

        Parameters
        ----------
        nodes, request
            The targets that will be asked for, so that what they have in common is seen.
        is_gone
            Whether who asked has gone.
        bands
            Whether they will be asked for with their extremes.
        """
        session = Session(self.store, self._clock, self._limits, self._clock.monotonic(), self._events)
        if is_gone is not None:
            session.is_gone = is_gone
        if request is not None:
            places = [(node, _resolution(node, request, bands=bands)) for node in nodes]
            session.plan = Plan.of(places, _is_deferred)
        return session

    def series(self, node: Node, request: Request, session: Session, wanted: Wanted = Statistic.DEFAULT) -> SeriesList:
        """What a parsed target gives when `wanted` is read of its paths, unless the target itself names another.

        Whoever shows it counts it: `Session.show`.

        Raises
        ------
        QueryError
            If the target cannot be evaluated.
        LimitError
            If the request is larger than the limits allow.
        """
        context = _context(session, request)
        if is_plain(node) and _is_coarse(request):
            context = _plain_context(context, node)
        if wanted is not Statistic.DEFAULT:
            context = context.wanting(wanted)
        series = as_series(context.evaluate(node), str(node))
        session.check_size([series])
        if request.step_s is not None:
            series = lengthened(series, request.step_s, request.x_files_factor)
        if request.slots_max is not None:
            series = consolidated(series, request.slots_max, request.x_files_factor)
        return series

    def _shown(self, node: Node, request: Request, session: Session) -> SeriesList:
        series = self.series(node, request, session)
        session.show(series)
        return series


def _context(session: Session, request: Request) -> Context:
    return Context(session, request, request.from_s, request.until_s, _evaluate)


def _resolution(node: Node, request: Request, *, bands: bool) -> Hashable:
    """What says how the paths of a target are read: targets with the same are read together."""
    banded = bands and _has_band(node)
    if not (banded or (is_plain(node) and _is_coarse(request))):
        return None
    return "plain", banded, _consolidation_of(node)


def _is_coarse(request: Request) -> bool:
    """Whether plain targets are read at a resolution of their own."""
    return request.step_s is not None or (request.slots_max or 0) > 1


def _is_deferred(call: Call, key: int | str) -> bool:
    found = registry.FUNCTIONS.get(call.name)
    if found is None:
        return False
    if isinstance(key, int):
        parameters = found.parameters
        return key < len(parameters) and parameters[key].deferred
    return any(parameter.deferred for parameter in found.parameters if parameter.name == key)


def _plain_context(context: Context, node: Node) -> Context:
    """For a target that leaves values untouched: its paths are read at the resolution of the screen."""
    asked = context.request
    return replace(context, slots_max=asked.slots_max, step_s=asked.step_s, consolidation=_consolidation_of(node))


def is_plain(node: Node) -> bool:
    """Whether the values of a target are those of its paths, merely named, sorted by name or coloured."""
    match node:
        case Path() | Call(name="seriesByTag"):
            return True
        case Template(body=body):
            return is_plain(body)
        case Call(name=name, arguments=(first, *others)) if registry.find(name).transparent:
            return is_plain(first) and all(isinstance(other, Literal) or is_plain(other) for other in others)
        case _:
            return False


def _has_band(node: Node) -> bool:
    """Whether the smallest and largest sample of a slot belong to what a target shows."""
    match node:
        case Call(name="stat" | "percentile" | "mergedPercentile" | "band" | "consolidateBy" | "cumulative"):
            return False
        case Call(arguments=arguments) if node.name != "seriesByTag":
            return is_plain(node) and all(isinstance(one, Literal) or _has_band(one) for one in arguments)
        case _:
            return is_plain(node)


def _consolidation_of(node: Node) -> str | None:
    """How the outermost consolidateBy() of a plain target joins slots."""
    match node:
        case Call(name="consolidateBy", arguments=(_, Literal(value=str(word)))):
            return {"avg": "average"}.get(word, word)
        case Call(name="cumulative"):
            return "sum"
        case Call(arguments=(first, *_)):
            return _consolidation_of(first)
        case Template(body=body):
            return _consolidation_of(body)
        case _:
            return None


def _evaluate(node: Node, context: Context) -> Value:
    match node:
        case Literal(value=value):
            return value
        case Path():
            return _evaluate_path(node, context)
        case Template():
            given = {str(i): one.value for i, one in enumerate(node.arguments, 1)}
            given |= {key: one.value for key, one in node.keywords.items()} | dict(context.request.template)
            return _evaluate(node.body, replace(context, replacements=given))
        case Call():
            number = context.session.plan.shared.get(id(node))
            return _evaluate_call(node, context) if number is None else _evaluate_once(node, number, context)


def _evaluate_once(node: Call, number: int, context: Context) -> Value:
    """The value of a shared call, computed at the first time and kept."""
    values, key = context.session.values, (number, *context.place)
    if key not in values:
        value = _evaluate_call(node, context)
        context.session.hold(bytes_of(value))
        values[key] = value
    return values[key]


def _evaluate_path(node: Path, context: Context) -> Value:
    context.session.check_time()
    pattern = node.pattern
    for name, value in context.replacements.items():
        if pattern == f"${name}":
            return float(value) if isinstance(value, str) and _NUMERIC.fullmatch(value) else value
        pattern = _replaced(pattern, f"${name}", str(value))
    alike = context.session.plan.alike.get(id(node), ())
    return fetch_named(replace(context, alike=alike) if alike else context, pattern)


def _replaced(pattern: str, mark: str, value: str) -> str:
    """`pattern` with a mark of `template()` replaced; what is put in may hold further marks."""
    chars = len(pattern) + pattern.count(mark) * (len(value) - len(mark))
    if chars > TARGET_CHARS_MAX:
        raise LimitError(
            f"cannot use template: with {mark} replaced the path has {chars} characters; "
            f"expected at most {TARGET_CHARS_MAX}"
        )
    return pattern.replace(mark, value)


def _evaluate_call(node: Call, context: Context) -> Value:
    if node.name == "template":
        raise QueryError("cannot call template: expected only numbers and strings after its first argument")
    session = context.session
    session.check_time()
    found = registry.find(node.name)
    deferred = {parameter.name for parameter in found.parameters if parameter.deferred}
    with session.passing() as given:
        arguments = [
            given.add(_argument(one, found.parameter_at(i).deferred, context)) for i, one in enumerate(node.arguments)
        ]
        keywords = {key: given.add(_argument(one, key in deferred, context)) for key, one in node.keywords.items()}
        positional, named = found.bind(arguments, keywords)
        here = replace(context, call=node.source or str(node), alike=session.plan.alike.get(id(node), ()))
        try:
            # Infinite values are values; what arithmetic makes of them is not worth a word in the log.
            with np.errstate(all="ignore"):
                result: Value = found.call(here, *positional, **named)
        except (OverflowError, re.error) as error:
            raise QueryError(f"cannot call {node.name}: {error}; expected other arguments") from error
    return result


def _argument(node: Node, deferred: bool, context: Context) -> Any:
    return Deferred(node, context) if deferred else context.evaluate(node)
