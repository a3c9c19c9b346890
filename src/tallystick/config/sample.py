"""A config file with every key, its default and its meaning, made from the structs so that it cannot fall behind."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from tallystick.config.collectors import EVERYTHING, Collector
from tallystick.config.doors import DOOR_OPTIONS, Door
from tallystick.config.kinds import Kinded, Kinds
from tallystick.config.listeners import OPTIONS, Listener
from tallystick.config.polls import POLL_OPTIONS, Poll
from tallystick.config.schema import Config
from tallystick.config.table import Table, toml

_HEAD = """\
Everything that can be set, with its default. A file holds only what differs.
Look it over with 'tallystick check config FILE', use it with 'tallystick serve --config FILE'."""


def sample(kinds: Kinds | None = None) -> str:
    """The text of a file that, loaded, is the default config with all collectors.

    Parameters
    ----------
    kinds
        What there is in tables of many kinds; told are the further keys of each.
    """
    config = Config(collectors=(Collector(name=EVERYTHING),))
    lines = [*_comment(_HEAD)]
    for field in msgspec.structs.fields(config):
        name, value, expected = field.encode_name, getattr(config, field.name), inspect.type_info(field.type)
        if isinstance(value, str):  # such keys come before all tables
            lines += ["", *_comment(_description(field)), f"{name} = {toml(value)}"]
        else:
            lines += ["", *_section(name, value, expected, (kinds or {}).get(name))]
    return "\n".join(lines) + "\n"


def _section(
    name: str, value: Any, expected: inspect.Type, kinds: Mapping[str, type[Table]] | None = None
) -> Iterator[str]:
    """A table, or an array of tables; where an array is empty, its examples, commented out."""
    examples: list[dict[str, Any]] = []
    if isinstance(expected, inspect.Metadata):
        examples = (expected.extra_json_schema or {}).get("examples", [])
        expected = expected.type
    if isinstance(expected, inspect.VarTupleType) and isinstance(expected.item_type, inspect.StructType):
        kind = expected.item_type.cls
        yield from _comment(kind.__doc__ or "")
        yield from _keys_told(kind)
        for word, further in (kinds or {}).items():
            if keys := list(_keys_told(further)):
                yield from _comment(f"Further keys of {word}:")
                yield from keys
        for item in value:
            yield f"[[{name}]]"
            yield from (f"{key} = {toml(_plain(item, key))}" for key in _keys_of(item))
        for example in examples:
            yield f"# [[{name}]]"
            yield from (f"# {key} = {toml(entry)}" for key, entry in example.items())
    else:
        yield from _comment(value.__doc__ or "")
        yield f"[{name}]"
        later: list[str] = []
        for field in msgspec.structs.fields(value):
            array = _inside(field)
            if array is None:
                yield from _comment(_description(field))
                yield f"{field.encode_name} = {toml(_plain(value, field.name))}"
            else:
                later += [
                    "",
                    *_comment(_description(field)),
                    *_section(f"{name}.{field.encode_name}", getattr(value, field.name), array),
                ]
        yield from later


def _inside(field: msgspec.structs.FieldInfo) -> inspect.Type | None:
    """The type of a key that is an array of tables which is told like one of the first level."""
    array = _array(field)
    return array if array is not None and _item(array) is Door else None


def _array(field: msgspec.structs.FieldInfo) -> inspect.VarTupleType | None:
    """The type of a key that is an array of tables."""
    expected = inspect.type_info(field.type)
    array = expected.type if isinstance(expected, inspect.Metadata) else expected
    is_one = isinstance(array, inspect.VarTupleType) and isinstance(array.item_type, inspect.StructType)
    return array if isinstance(array, inspect.VarTupleType) and is_one else None


def _item(array: inspect.VarTupleType) -> type[msgspec.Struct] | None:
    return array.item_type.cls if isinstance(array.item_type, inspect.StructType) else None


def _keys_told(kind: type[msgspec.Struct], indent: str = "  ") -> Iterator[str]:
    """The keys of an item, and below a key that is an array of tables those of its items."""
    options = {Listener: OPTIONS, Poll: POLL_OPTIONS, Door: DOOR_OPTIONS}.get(kind, {})
    for field in _fields(kind):
        having = options.get(field.encode_name)
        where = f" ({', '.join(having)} only)" if having else ""
        yield from _comment(f"{indent}{field.encode_name}{where}: {_description(field)}")
        array = _array(field)
        if array is not None and (below := _item(array)) is not None:
            yield from _keys_told(below, indent + "  ")


def _keys_of(item: Any) -> tuple[str, ...]:
    """The keys that an item may have."""
    if isinstance(item, Listener | Door):
        return item.keys_of(item.protocol)
    return item.common() if isinstance(item, Kinded) else item.__struct_fields__


def _fields(kind: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    """The keys of a struct; what has no name in the file is no key."""
    return [field for field in msgspec.structs.fields(kind) if field.encode_name]


def _description(field: msgspec.structs.FieldInfo) -> str:
    expected = inspect.type_info(field.type)
    return (
        str((expected.extra_json_schema or {}).get("description", "")) if isinstance(expected, inspect.Metadata) else ""
    )


def _comment(text: str) -> Iterator[str]:
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(line.strip(), 118, initial_indent=f"# {indent}", subsequent_indent=f"# {indent}")


def _plain(table: Table, name: str) -> Any:
    return msgspec.to_builtins(getattr(table, name))
