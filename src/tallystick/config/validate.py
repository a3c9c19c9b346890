"""Tables of a file to structs, telling everything that is wrong with them at once; msgspec alone stops at the first."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from tallystick.config.kinds import Kinded, Kinds
from tallystick.config.places import KeyPath
from tallystick.config.table import Table

T = TypeVar("T", bound=Table)

_TOML_WORDS = {
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file: the key's path, and cause and expectation in one phrase."""

    path: KeyPath
    cause: str


def convert(raw: dict[str, Any], kind: type[T], kinds: Kinds | None = None) -> tuple[T | None, list[Problem]]:
    """A struct of type `kind` from a table as ``tomllib`` gives it.

    Parameters
    ----------
    kinds
        What further keys there are in tables of many kinds; the keys of tables that are not there are not looked at.

    Returns
    -------
    struct, problems
        The struct is None if there are problems.
    """
    problems = list(_table_problems(raw, kind, (), kinds or {}))
    if problems:
        return None, problems
    table = msgspec.convert(_gathered(raw, kind), kind)
    problems = [Problem(path, cause) for path, cause in _conflicts(table, ())]
    return (None if problems else table), problems


def sentences(problems: list[Problem], line_of: Callable[[KeyPath], int | None], file: str) -> list[str]:
    """The problems as sentences, by line."""
    lines = [line_of(problem.path) for problem in problems]
    by_line = sorted(zip(lines, problems, strict=True), key=lambda pair: pair[0] or 0)
    return [
        f"cannot use key {key_name(problem.path)} in {file}{f' line {line}' if line else ''}: {problem.cause}"
        for line, problem in by_line
    ]


def key_name(path: KeyPath) -> str:
    """How a path is written: ``listeners[0].address``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _table_problems(raw: Any, kind: type[msgspec.Struct], path: KeyPath, kinds: Kinds) -> Iterator[Problem]:
    if not isinstance(raw, dict):
        yield Problem(path, f"it is {_word_of(raw)}; expected a table")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind) if field.encode_name}
    if issubclass(kind, Kinded):
        yield from _further_problems(raw, kind, path, kinds)
    else:
        yield from _unknown_keys(raw, list(fields), path)
    for name, field in fields.items():
        if name in raw:
            yield from _value_problems(raw[name], field.type, (*path, name), kinds)
        elif field.required:
            yield Problem(path, f"it lacks {name}; expected {name} = ...")


def _unknown_keys(raw: dict[str, Any], known: list[str], path: KeyPath) -> Iterator[Problem]:
    for name in raw:
        if name not in known:
            yield Problem((*path, name), f"there is no such key; {_nearest(name, known)}")


def _further_problems(raw: dict[str, Any], kind: type[Kinded], path: KeyPath, kinds: Kinds) -> Iterator[Problem]:
    """What is wrong with the keys that only the item's own kind has."""
    known = kinds.get(str(path[0]))
    word = raw.get(kind.CHOSEN_BY)
    if known is None or not isinstance(word, str):
        return
    if word not in known:
        yield Problem(
            (*path, kind.CHOSEN_BY), f"there is no {kind.__name__.lower()} {word!r}; {_nearest(word, list(known))}"
        )
        return
    own = known[word]
    yield from _unknown_keys(raw, [*own.__struct_encode_fields__, *kind.common()], path)
    further = {name: value for name, value in raw.items() if name in own.__struct_encode_fields__}
    yield from (Problem((*path, *problem.path), problem.cause) for problem in convert(further, own)[1])


def _value_problems(value: Any, annotation: Any, path: KeyPath, kinds: Kinds) -> Iterator[Problem]:
    expected = inspect.type_info(annotation)
    check = None
    if isinstance(expected, inspect.Metadata):
        check = (expected.extra or {}).get("check")
        expected = expected.type
    if isinstance(expected, inspect.StructType):
        yield from _table_problems(value, expected.cls, path, kinds)
    elif (item := _item_of(expected)) is not None:
        yield from _list_problems(value, item, path, kinds, getattr(expected, "min_length", None) or 0)
    else:
        try:
            converted = msgspec.convert(value, annotation)
            if check is not None:
                check(converted)
        except msgspec.ValidationError as error:
            position = re.search(r"at `\$\[(\d+)\]", str(error))
            if position:
                value, path = value[int(position[1])], (*path, int(position[1]))
            yield Problem(path, _in_words(value, str(error)))
        except ValueError as error:
            yield Problem(path, str(error))


def _item_of(expected: inspect.Type) -> type[msgspec.Struct] | None:
    """What an array of tables holds."""
    if isinstance(expected, inspect.VarTupleType) and isinstance(expected.item_type, inspect.StructType):
        return expected.item_type.cls
    return None


def _list_problems(
    value: Any, kind: type[msgspec.Struct], path: KeyPath, kinds: Kinds, length_min: int
) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(path, f"it is {_word_of(value)}; expected a list of tables")
    elif len(value) < length_min:
        yield Problem(path, f"it has {len(value)} tables; expected at least {length_min}")
    else:
        for index, item in enumerate(value):
            yield from _table_problems(item, kind, (*path, index), kinds)


def _gathered(raw: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """`raw` with the items of tables of many kinds in the form of their structs."""
    arrays = {
        field.encode_name: item
        for field in msgspec.structs.fields(kind)
        if (item := _item_of(_bare(inspect.type_info(field.type)))) is not None and issubclass(item, Kinded)
    }
    return raw | {name: [item.gathered(one) for one in raw[name]] for name, item in arrays.items() if name in raw}


def _bare(expected: inspect.Type) -> inspect.Type:
    return expected.type if isinstance(expected, inspect.Metadata) else expected


def _conflicts(table: Table, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    for field in msgspec.structs.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, Table):
            yield from _conflicts(value, (*path, field.encode_name))
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Table):
                    yield from _conflicts(item, (*path, field.encode_name, index))
    for below, cause in table.conflicts():
        yield (*path, *below), cause


def _nearest(name: str, known: list[str]) -> str:
    from difflib import get_close_matches  # seldom needed, and an agent is to be small

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"


def _word_of(value: Any) -> str:
    words = {
        bool: "a boolean",
        int: "an integer",
        float: "a fraction",
        str: "a string",
        list: "a list",
        dict: "a table",
    }
    return words.get(type(value), "a date or time")


def _in_words(value: Any, message: str) -> str:
    """msgspec's message, for instance ``Expected `int` >= 1``, in the words of TOML."""
    message = re.sub(r" - at `[^`]*`$", "", message)
    expected, _, got = message.partition(", got ")
    expected = re.sub(r"`([^`]*)`", lambda m: " or ".join(_TOML_WORDS.get(w, w) for w in m[1].split(" | ")), expected)
    expected = expected[:1].lower() + expected[1:]
    return f"it is {_word_of(value)}; {expected}" if got else f"it is {value!r}; {expected}"
