"""A file of rules, TOML or YAML by its ending, to `Rule`s; all that is wrong with it is told at once, by line."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tallystick.config.places import KeyPath, Places
from tallystick.config.rules import Rule, RulesFile
from tallystick.config.validate import convert, sentences
from tallystick.model.errors import ConfigError

_YAML = (".yaml", ".yml")

LineOf = Callable[[KeyPath], int | None]


def load_rules(file: Path) -> tuple[Rule, ...]:
    """The rules of a file.

    Raises
    ------
    ConfigError
        If the file cannot be read, or has keys or values that cannot be used: all of them, in the order of their lines.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"cannot read rules {file}: {error.strerror}; expected a readable file"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"cannot read rules {file}: byte {error.start} is not UTF-8; expected text"]) from error
    return parse_rules(text, str(file))


def parse_rules(text: str, file: str) -> tuple[Rule, ...]:
    """The rules of a text; `file` is its name, which says whether it is YAML, and stands in what is told.

    Raises
    ------
    ConfigError
        As `load_rules`.
    """
    raw, line_of = _yaml(text, file) if file.endswith(_YAML) else _toml(text, file)
    found, problems = convert(raw, RulesFile)
    if found is None:
        raise ConfigError(sentences(problems, line_of, file))
    return found.rules


def _toml(text: str, file: str) -> tuple[dict[str, Any], LineOf]:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"cannot read {file}: {error}; expected TOML"]) from error
    return raw, lambda path: Places(text).line(path)


def _yaml(text: str, file: str) -> tuple[dict[str, Any], LineOf]:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise ConfigError([f"cannot read {file}: PyYAML is not installed; expected it, or a file in TOML"]) from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError([f"cannot read {file}: {' '.join(str(error).split())}; expected YAML"]) from error
    lines: dict[KeyPath, int] = {}
    try:
        _note_lines(root, (), lines)
    except RecursionError as error:
        raise ConfigError([f"cannot read {file}: it is part of itself; expected rules"]) from error

    def line_of(path: KeyPath) -> int | None:
        while path and path not in lines:
            path = path[:-1]
        return lines.get(path)

    return raw if raw is not None else {}, line_of


def _note_lines(node: Any, path: KeyPath, lines: dict[KeyPath, int]) -> None:
    """The line of each key and element of YAML's nodes; what an alias repeats is noted where it stands first."""
    if node is None or path in lines:
        return
    lines[path] = node.start_mark.line + 1
    if node.id == "mapping":
        for key, value in node.value:
            _note_lines(value, (*path, key.value), lines)
            lines[(*path, key.value)] = key.start_mark.line + 1
    elif node.id == "sequence":
        for index, item in enumerate(node.value):
            _note_lines(item, (*path, index), lines)
