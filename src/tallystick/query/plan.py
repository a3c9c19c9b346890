"""`Plan`: what the targets of a request have in common, seen before the first of them is evaluated.

Two things are worth knowing. Paths that will be asked for at the same range and resolution are read together: each
block is then visited once for all graphs of a dashboard. And a call that is there several times, or whose function may
evaluate it several times, is evaluated once for each range.

A plan only says what may be done together; what a target gives does not depend on it.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from tallystick.query.grammar import Call, Literal, Node, Path, Template

IsDeferred = Callable[[Call, int | str], bool]
"""Whether the argument of a call at a position, or of a name, is evaluated by the function itself."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Series that are looked for: by a glob, or by tag expressions that `text` stands for."""

    text: str
    expressions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What can be done together, by the identity of nodes.

    Parameters
    ----------
    nodes
        The targets; kept, so that their identities are nobody else's.
    alike
        For a path, or a call that stands for one: all that are evaluated where it is.
    shared
        For a call that is worth keeping: a number that equal calls have in common.
    """

    nodes: tuple[Node, ...] = ()
    alike: dict[int, tuple[Wish, ...]] = field(default_factory=dict)
    shared: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, targets: Sequence[tuple[Node, Hashable]], is_deferred: IsDeferred) -> "Plan":
        """The plan for targets, each with what says at which resolution its paths are read.

        Notes
        -----
        One pass over the nodes. What `template()` replaces is not looked into.
        """
        survey = _Survey(is_deferred)
        for node, place in targets:
            survey.visit(node, (place,), deferred=False)
        return cls(tuple(node for node, _ in targets), survey.alike(), survey.shared())


class _Survey:
    """A walk over all nodes of a request."""

    def __init__(self, is_deferred: IsDeferred) -> None:
        self._is_deferred = is_deferred
        self._wishes: dict[Hashable, dict[Wish, None]] = {}
        self._places: dict[int, Hashable] = {}
        self._numbers: dict[Hashable, int] = {}
        self._number_of: dict[int, int] = {}
        self._times: dict[int, int] = {}

    def alike(self) -> dict[int, tuple[Wish, ...]]:
        """The wishes of a place, by each node that has one there; none where it would be alone."""
        groups = {place: tuple(wishes) for place, wishes in self._wishes.items() if len(wishes) > 1}
        return {node: groups[place] for node, place in self._places.items() if place in groups}

    def shared(self) -> dict[int, int]:
        return {node: number for node, number in self._number_of.items() if self._times.get(number, 0) > 1}

    def visit(self, node: Node, place: tuple[Hashable, ...], *, deferred: bool) -> int:
        """Note a node that is evaluated at a place; equal ones have the same number."""
        match node:
            case Literal(value=value):
                return self._number(("literal", type(value), repr(value)))
            case Path():
                self._wish(node, Wish(node.pattern), place)
                return self._number(("path", node.text))
            case Template():
                return self._number(("template", id(node)))
            case Call():
                return self._visit_call(node, place, deferred=deferred)

    def _visit_call(self, call: Call, place: tuple[Hashable, ...], *, deferred: bool) -> int:
        wish = wish_of(call)
        if wish is not None:
            self._wish(call, wish, place)
        inside = (*place, call.name, *_plain_arguments(call))
        parts: list[Hashable] = ["call", call.name, call.source]
        for key, argument in _arguments(call):
            own = self._is_deferred(call, key)
            parts += [key, self.visit(argument, inside if own else place, deferred=own)]
        number = self._number(tuple(parts))
        self._number_of[id(call)] = number
        self._times[number] = self._times.get(number, 0) + (2 if deferred else 1)
        return number

    def _wish(self, node: Node, wish: Wish, place: tuple[Hashable, ...]) -> None:
        self._wishes.setdefault(place, {})[wish] = None
        self._places[id(node)] = place

    def _number(self, what: Hashable) -> int:
        return self._numbers.setdefault(what, len(self._numbers))


def wish_of(call: Call) -> Wish | None:
    """What a call stands for that is a path by tags; None for others, and for one that its function will refuse."""
    if call.name != "seriesByTag" or call.keywords or not call.arguments:
        return None
    words = tuple(one.value for one in call.arguments if isinstance(one, Literal) and isinstance(one.value, str))
    return Wish(call.source or str(call), words) if len(words) == len(call.arguments) else None


def _arguments(call: Call) -> Iterator[tuple[int | str, Node]]:
    yield from enumerate(call.arguments)
    yield from call.keywords.items()


def _plain_arguments(call: Call) -> Iterator[str]:
    """What the range at which a function evaluates its argument may depend on."""
    return (f"{key}={one}" for key, one in _arguments(call) if isinstance(one, Literal))
