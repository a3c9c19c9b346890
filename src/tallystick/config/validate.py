"""Tables of a file to structs, telling everything that is wrong with them at once; msgspec alone stops at the first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

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


def convert(raw: dict[str, Any], kind: type[T]) -> tuple[T | None, list[Problem]]:
    """A struct of type `kind` from a table as ``tomllib`` gives it.

    Returns
    -------
    struct, problems
        The struct is None if there are problems.
    """
    problems = list(_table_problems(raw, kind, ()))
    if problems:
        return None, problems
    table = msgspec.convert(raw, kind)
    problems = [Problem(path, cause) for path, cause in _conflicts(table, ())]
    return (None if problems else table), problems


def key_name(path: KeyPath) -> str:
    """How a path is written: ``listeners[0].address``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _table_problems(raw: Any, kind: type[msgspec.Struct], path: KeyPath) -> Iterator[Problem]:
    if not isinstance(raw, dict):
        yield Problem(path, f"it is {_word_of(raw)}; expected a table")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in raw:
        if name not in fields:
            yield Problem((*path, name), f"there is no such key; {_nearest(name, list(fields))}")
    for name, field in fields.items():
        if name in raw:
            yield from _value_problems(raw[name], field.type, (*path, name))
        elif field.required:
            yield Problem(path, f"it lacks {name}; expected {name} = ...")


def _value_problems(value: Any, annotation: Any, path: KeyPath) -> Iterator[Problem]:
    expected = inspect.type_info(annotation)
    check = None
    if isinstance(expected, inspect.Metadata):
        check = (expected.extra or {}).get("check")
        expected = expected.type
    if isinstance(expected, inspect.StructType):
        yield from _table_problems(value, expected.cls, path)
    elif isinstance(expected, inspect.VarTupleType) and isinstance(expected.item_type, inspect.StructType):
        yield from _list_problems(value, expected.item_type.cls, expected.min_length or 0, path)
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


def _list_problems(value: Any, kind: type[msgspec.Struct], length_min: int, path: KeyPath) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(path, f"it is {_word_of(value)}; expected a list of tables")
    elif len(value) < length_min:
        yield Problem(path, f"it has {len(value)} tables; expected at least {length_min}")
    else:
        for index, item in enumerate(value):
            yield from _table_problems(item, kind, (*path, index))


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
