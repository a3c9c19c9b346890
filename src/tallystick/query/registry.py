"""The registry of query functions: each enters itself by the decorator line above it."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from tallystick.model.errors import QueryError
from tallystick.query.parameters import Parameter, parameters_of

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Function:
    """A query function.

    Parameters
    ----------
    name
        The one that it was called by; others in `names` mean the same.
    group
        Graphite's heading in lists of functions.
    combines
        Whether it makes one series of many and so can be a callback of groupByNode.
    transparent
        Whether it gives back the values of its first argument untouched, so that a range can be read at the
        resolution of the screen below it.
    """

    name: str
    names: tuple[str, ...]
    group: str
    call: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    combines: bool
    transparent: bool

    @property
    def description(self) -> str:
        """What it does."""
        return inspect.getdoc(self.call) or ""

    @property
    def signature(self) -> str:
        """As lists of functions show it: ``scale(seriesList, factor)``."""
        return f"{self.name}({', '.join(_shown(p) for p in self.parameters)})"

    def bind(self, arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Arguments converted to the types of the parameters.

        Raises
        ------
        QueryError
            If one is missing, too many, unknown or of the wrong type; the text names function and parameter.
        """
        positional: list[Any] = []
        for i, value in enumerate(arguments):
            positional.append(self._convert(self.parameter_at(i), value))
        known = {p.name: p for p in self.parameters if not p.multiple}
        named: dict[str, Any] = {}
        for name, value in keywords.items():
            if name not in known:
                expected = ", ".join(known) or "none"
                raise QueryError(f"cannot call {self.name}: it has no parameter {name!r}; expected one of {expected}")
            if name in [p.name for p in self.parameters[: len(arguments)]]:
                raise QueryError(f"cannot call {self.name}: parameter {name!r} is given twice; expected it once")
            named[name] = self._convert(known[name], value)
        for parameter in self.parameters[len(arguments) :]:
            if parameter.required and not parameter.multiple and parameter.name not in named:
                raise QueryError(
                    f"cannot call {self.name}: parameter {parameter.name!r} is missing; expected {self.signature}"
                )
        return positional, named

    def parameter_at(self, position: int) -> Parameter:
        """The parameter that takes the argument at `position`.

        Raises
        ------
        QueryError
            If there are fewer parameters.
        """
        if position < len(self.parameters):
            return self.parameters[position]
        if self.parameters and self.parameters[-1].multiple:
            return self.parameters[-1]
        raise QueryError(f"cannot call {self.name}: {position + 1} arguments are too many; expected {self.signature}")

    def _convert(self, parameter: Parameter, value: Any) -> Any:
        if value is None and (parameter.nullable or not parameter.required) and not parameter.multiple:
            return parameter.default
        try:
            return parameter.convert(value)
        except QueryError as error:
            raise QueryError(f"cannot call {self.name}: parameter {parameter.name!r}: {error}") from error
        except (TypeError, ValueError, KeyError) as error:
            shown = repr(value) if isinstance(value, (str, int, float, bool, type(None))) else "a list of series"
            raise QueryError(
                f"cannot call {self.name}: parameter {parameter.name!r} cannot be {shown}; "
                f"expected {parameter.type_name}"
            ) from error


def _shown(parameter: Parameter) -> str:
    if parameter.multiple:
        return f"*{parameter.name}"
    return parameter.name if parameter.required else f"{parameter.name}={parameter.default!r}"


FUNCTIONS: dict[str, Function] = {}
"""By name; filled when `tallystick.query.functions` is imported."""


def function(*names: str, group: str, combines: bool = False, transparent: bool = False) -> Callable[[F], F]:
    """Enter the function below under these names.

    Raises
    ------
    TypeError
        If a name is taken or a parameter has a type that queries cannot give.
    """

    def enter(call: F) -> F:
        parameters = parameters_of(call)
        for name in names:
            if name in FUNCTIONS:
                raise TypeError(f"cannot register query function {name!r}: the name is taken")
            FUNCTIONS[name] = Function(name, names, group, call, parameters, combines, transparent)
        return call

    return enter


def find(name: str) -> Function:
    """The function of that name.

    Raises
    ------
    QueryError
        If there is none.
    """
    if name not in FUNCTIONS:
        near = [known for known in FUNCTIONS if known.lower() == name.lower()] or get_close_matches(name, FUNCTIONS, 1)
        hint = f"; expected perhaps {near[0]}" if near else "; expected one of those that /functions lists"
        raise QueryError(f"cannot call {name!r}: received request for unknown function{hint}")
    return FUNCTIONS[name]
