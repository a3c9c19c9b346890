"""Graphite's ``storage-schemas.conf``, read as it is: how long series are kept, by regular expressions.

Sections in their order, the first whose pattern is found in a name counts::

    [carbon]
    pattern = ^carbon\\.
    retentions = 60:90d

    [default]
    pattern = .*
    retentions = 10s:6h,1m:7d
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tallystick.model.retention import Retention, RetentionRule

_SECTION = re.compile(r"\[(.+)\]")
_KEYS = ("pattern", "retentions")
_IGNORED = ("priority", "match-all")  # of old releases; the order of the file counts


@dataclass(slots=True)
class _Section:
    name: str
    line: int
    values: dict[str, str]


def read_schemas(path: Path) -> tuple[RetentionRule, ...]:
    """The rules of a file, in its order.

    Raises
    ------
    ValueError
        If it cannot be read or a section of it cannot be used; the text names file, section and what is expected.
    """
    return tuple(_rule(path, section) for section in _sections(path))


def _rule(path: Path, section: _Section) -> RetentionRule:
    where = f"{path} line {section.line}, section [{section.name}]"
    missing = [key for key in _KEYS if not section.values.get(key)]
    if missing:
        raise ValueError(f"{where} lacks {' and '.join(missing)}; expected pattern = ... and retentions = ...")
    pattern = section.values["pattern"]
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{where}: pattern {pattern!r} is broken: {error}; expected a regular expression") from None
    try:
        return RetentionRule("*", Retention.parse(section.values["retentions"]), pattern)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _sections(path: Path) -> Iterator[_Section]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; expected a readable storage-schemas.conf") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"cannot read {path}: byte {error.start} is not UTF-8; expected text") from None
    section: _Section | None = None
    for number, text in enumerate(lines, 1):
        line = text.strip()
        if not line or line[0] in "#;":
            continue
        head = _SECTION.fullmatch(line)
        if head:
            if section is not None:
                yield section
            section = _Section(head[1], number, {})
            continue
        key, equals, value = line.partition("=")
        key = key.strip().lower()
        if section is None or not equals or key not in (*_KEYS, *_IGNORED):
            raise ValueError(f"{path} line {number}: {line!r} is no key of a section; expected pattern or retentions")
        section.values[key] = value.strip()
    if section is not None:
        yield section
