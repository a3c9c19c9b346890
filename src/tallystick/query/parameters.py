"""The types that parameters of query functions can have, each with its converter.

A function's signature is all there is to say about its parameters: their names, types, defaults. The types below
are what may stand in one; a `Hint` among the metadata of a type is for editors of queries.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tallystick.query.context import Context, Deferred
from tallystick.query.reduce import is_reduction
from tallystick.query.series import SeriesList
from tallystick.query.times import parse_offset

Aggregation = Annotated[str, "aggFunc"]
"""The name of a reduction: ``sum``, ``max``, ``p95``."""
Callback = Annotated[str, "aggOrSeriesFunc"]
"""The name of a reduction or of a function that makes one series of many."""
Node = Annotated[int, "node"]
"""The number of a part of a name."""
Tag = Annotated[str, "tag"]
"""The key of a tag."""
NodeOrTag = Annotated[int | str, "nodeOrTag"]
"""The number of a part of a name, or the key of a tag."""
Date = Annotated[str, "date"]
"""A moment in Graphite's at-time syntax."""
Limit = Annotated[float, "intOrInf"]
"""A whole number or infinity."""
Total = Annotated[SeriesList | float, "any"]
"""Series or a number."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What an editor is told of a parameter beside its type: ``Annotated[str, Hint(options=("si", "binary"))]``.

    Parameters
    ----------
    options
        All that it may be.
    suggestions
        What to offer first.
    optional
        Whether a parameter that may be given many times may be left out. A call without any is taken either way,
        as Graphite takes it.
    """

    options: tuple[str, ...] = ()
    suggestions: tuple[int | str, ...] = ()
    optional: bool = False


OPTIONAL = Hint(optional=True)


@dataclass(frozen=True, slots=True)
class Interval:
    """A length of time and how it was written."""

    text: str
    seconds: int

    @classmethod
    def read(cls, text: str) -> "Interval":
        """``5min``, ``-1d`` and the like."""
        return cls(text, parse_offset(text))


@dataclass(frozen=True, slots=True)
class Window:
    """A number of points, or a length of time: one of them is None."""

    points: int | None
    interval: Interval | None

    @property
    def text(self) -> str:
        """As names of series and tags show it."""
        return self.interval.text if self.interval else str(self.points)


WindowSize = Annotated[Window, Hint(suggestions=(5, 7, 10, "1min", "5min", "10min", "30min", "1hour"))]
"""How much a window that moves over a series holds."""
Summarized = Annotated[Interval, Hint(suggestions=("10min", "1h", "1d"))]
"""An interval that is made one value."""
Shift = Annotated[Interval, Hint(suggestions=("1h", "6h", "12h", "1d", "2d", "7d", "14d", "30d"))]
"""How far back a series is read."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function, read off its signature."""

    name: str
    type_name: str
    convert: Callable[[Any], Any]
    required: bool
    default: Any
    multiple: bool
    nullable: bool
    deferred: bool
    hint: Hint


def _float(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        raise ValueError
    return float(value)


def _integer(value: Any) -> int:
    number = float(value)
    if isinstance(value, bool) or not number.is_integer():
        raise ValueError
    return int(number)


def _limit(value: Any) -> float:
    return _float(value) if value == float("inf") else _integer(value)


def _text(value: Any) -> str:
    if value is None or isinstance(value, (SeriesList, list)):
        raise ValueError
    return str(value)


def _boolean(value: Any) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
    return words[str(value).lower()]


def _series(value: Any) -> SeriesList:
    if isinstance(value, list):
        return SeriesList.joined(value)
    if not isinstance(value, SeriesList):
        raise TypeError
    return value


def _lists(value: Any) -> list[SeriesList]:
    return value if isinstance(value, list) else [_series(value)]


def _node(value: Any) -> int | str:
    return _integer(value) if isinstance(value, (int, float)) else _text(value)


def _interval(value: Any) -> Interval:
    return Interval.read(_text(value))


def _window(value: Any) -> Window:
    if isinstance(value, str) and not value.isdigit():
        return Window(None, Interval.read(value))
    points = _integer(value)
    if points < 1:
        raise ValueError
    return Window(points, None)


def _aggregation(value: Any) -> str:
    if not is_reduction(_text(value)):
        raise ValueError
    return _text(value)


def _total(value: Any) -> SeriesList | float:
    if isinstance(value, (SeriesList, list)):
        return _series(value)
    # The number shows in names, so it stays as it was written.
    return value if isinstance(value, int) and not isinstance(value, bool) else _float(value)


def _as_is(value: Any) -> Any:
    return value


_TYPES: dict[object, tuple[str, Callable[[Any], Any]]] = {
    SeriesList: ("seriesList", _series),
    Deferred: ("seriesList", _as_is),
    list[SeriesList]: ("seriesLists", _lists),
    float: ("float", _float),
    int: ("integer", _integer),
    str: ("string", _text),
    bool: ("boolean", _boolean),
    Interval: ("interval", _interval),
    Window: ("intOrInterval", _window),
}

# Those that are `Annotated` with their own name.
_NAMED: dict[str, Callable[[Any], Any]] = {
    "aggFunc": _aggregation,
    "aggOrSeriesFunc": _text,
    "node": _integer,
    "tag": _text,
    "nodeOrTag": _node,
    "date": _text,
    "intOrInf": _limit,
    "any": _total,
}


def parameters_of(call: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters that queries can give to a function: all but the leading context.

    Raises
    ------
    TypeError
        If the function is not ``(context, ...)`` or has a parameter of a type that is not known here.
    """
    hints = get_type_hints(call, include_extras=True)
    first, *others = inspect.signature(call).parameters.values()
    if hints.get(first.name) is not Context:
        raise TypeError(f"cannot register {call.__qualname__}: expected its first parameter to be the Context")
    return tuple(_parameter(call, one, hints[one.name]) for one in others)


def _parameter(call: Callable[..., Any], one: inspect.Parameter, hint: Any) -> Parameter:
    nullable = False
    if get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint):
        nullable = True
        left = [part for part in get_args(hint) if part is not NoneType]
        hint = left[0]
    metadata = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    shown = next((part for part in metadata if isinstance(part, Hint)), Hint())
    named = [(part, _NAMED[part]) for part in metadata if isinstance(part, str)]
    bare = get_args(hint)[0] if metadata else hint
    if not named and bare not in _TYPES:
        raise TypeError(
            f"cannot register {call.__qualname__}: parameter {one.name} has a type that queries cannot give"
        )
    type_name, convert = named[0] if named else _TYPES[bare]
    multiple = one.kind is inspect.Parameter.VAR_POSITIONAL
    required = one.default is inspect.Parameter.empty and not shown.optional
    default = None if one.default is inspect.Parameter.empty else one.default
    return Parameter(one.name, type_name, convert, required, default, multiple, nullable, bare is Deferred, shown)
