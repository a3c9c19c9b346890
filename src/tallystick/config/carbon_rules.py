"""Carbon's own files of rules, read as they are: aggregation-rules, rewrite-rules, blacklist and whitelist.

Unlike carbon, which passes over a line that it cannot read, a file with such a line is refused: a rule that is silently
missing is found weeks later.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tallystick.config.table import expression

T = TypeVar("T")

METHODS = ("sum", "avg", "min", "max", "last", "count", "p50", "p75", "p80", "p90", "p95", "p99", "p999")
"""What an aggregate may be; ``last`` is ours, the others are carbon's."""

_LINE = re.compile(r"(\S+)\s+\(?(\d+)\)?\s*=\s*(\S+)\s+(\S+)")
_FIELD = re.compile(r"<<(\w+)>>|<(\w+)>")
_OUTPUT_FIELD = re.compile(r"<{1,2}(\w+)>{1,2}")


@dataclass(frozen=True, slots=True)
class AggregationLine:
    """A line of aggregation-rules.conf.

    Parameters
    ----------
    output
        Name of what is made, with ``<field>``.
    frequency_s
        Seconds that a value of it stands for.
    method
        One of `METHODS`.
    pattern
        What the names of its inputs match, as a regular expression from their beginning to their end.
    text
        The line.
    """

    output: str
    frequency_s: int
    method: str
    pattern: str
    text: str

    @classmethod
    def parse(cls, text: str) -> "AggregationLine":
        """Read ``output (frequency) = method input``.

        Raises
        ------
        ValueError
            If it is no such line.
        """
        found = _LINE.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no aggregate; expected 'output (seconds) = method input'")
        output, frequency, method, wanted = found.groups()
        if method not in METHODS:
            raise ValueError(f"there is no method {method!r}; expected one of {', '.join(METHODS)}")
        if not 1 <= int(frequency) <= 86_400:
            raise ValueError(f"a frequency of {frequency} seconds cannot be kept; expected 1 to 86400")
        pattern = input_expression(wanted)
        try:
            fields = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"input {wanted!r} is broken: {error}; expected globs, fields and expressions") from None
        for field in _OUTPUT_FIELD.findall(output):
            if field not in fields:
                raise ValueError(f"the output has <{field}>, which input {wanted!r} lacks; expected its fields only")
        return cls(output, int(frequency), method, pattern, text.strip())

    def made_of(self, fields: Mapping[str, str | None]) -> str:
        """The output's name for what an input's fields hold; None for one of a branch that was not taken."""
        return _OUTPUT_FIELD.sub(lambda field: fields[field[1]] or "", self.output)

    @property
    def output_expression(self) -> str:
        """A regular expression for the whole name of any output of this line."""
        parts = _OUTPUT_FIELD.split(self.output)
        within = [r".+" if f"(?P<{part}>.+?)" in self.pattern else r"[^.]+" for part in parts]
        return "".join(re.escape(part) if k % 2 == 0 else within[k] for k, part in enumerate(parts))

    @property
    def rank(self) -> float | None:
        """The percentile that the method is, 0 to 100; None if it is none: ``p999`` is 99.9."""
        return float(f"{self.method[1:3]}.{self.method[3:]}0") if self.method.startswith("p") else None


def input_expression(text: str) -> str:
    """The regular expression for a whole name that an input of carbon's stands for.

    ``<field>`` stays within a component, ``<<field>>`` does not; ``*`` is any part of a component, and as a whole
    component at least a character of it. Everything else is a regular expression already. To be matched from the
    beginning of a name.
    """
    return r"\.".join(_component(part) for part in text.split(".")) + "$"


def _component(part: str) -> str:
    if part == "*":
        return "[^.]+"
    field = _FIELD.search(part)
    if field is None:
        return part.replace("*", "[^.]*")
    inside = f"(?P<{field[1]}>.+?)" if field[1] else f"(?P<{field[2]}>[^.]+?)"
    return f"{part[: field.start()]}{inside}{part[field.end() :]}"


def read_aggregation(path: Path) -> tuple[AggregationLine, ...]:
    """The lines of an aggregation-rules.conf.

    Raises
    ------
    ValueError
        If the file or one of its lines cannot be read; the text names all of them.
    """
    return tuple(_each(path, "aggregation-rules.conf", AggregationLine.parse))


def read_patterns(path: Path) -> tuple[str, ...]:
    """The regular expressions of a blacklist.conf or whitelist.conf.

    Raises
    ------
    ValueError
        As `read_aggregation`.
    """
    return tuple(_each(path, "list of regular expressions", lambda line: expression(line).pattern))


def read_rewrites(path: Path) -> dict[str, tuple[tuple[str, str], ...]]:
    """Regular expressions and replacements of a rewrite-rules.conf, by section: ``pre`` and ``post``.

    Raises
    ------
    ValueError
        As `read_aggregation`.
    """
    found: dict[str, list[tuple[str, str]]] = {"pre": [], "post": []}
    section = ""

    def one(line: str) -> None:
        nonlocal section
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].lower()
            if section not in found:
                raise ValueError(f"there is no section {line}; expected [pre] or [post]")
            return
        pattern, equals, replacement = (part.strip() for part in line.partition("="))
        if not equals or not section:
            raise ValueError(f"{line!r} is no rewrite of a section; expected 'regular expression = replacement'")
        compiled = expression(pattern)
        try:
            compiled.sub(replacement, "")
        except (re.error, IndexError) as error:
            raise ValueError(f"{replacement!r} is broken: {error}; expected groups that {pattern!r} has") from None
        found[section].append((pattern, replacement))

    for _ in _each(path, "rewrite-rules.conf", one):
        pass
    return {word: tuple(rules) for word, rules in found.items()}


def _each(path: Path, kind: str, read: Callable[[str], T]) -> Iterator[T]:
    """What `read` makes of each line that says something; what is wrong is told of all of them together."""
    found, problems = [], []
    for number, line in _lines(path, kind):
        try:
            found.append(read(line))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise ValueError(f"cannot use {path}: {'; '.join(problems)}")
    return iter(found)


def _lines(path: Path, kind: str) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; expected a readable {kind}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"cannot read {path}: byte {error.start} is not UTF-8; expected text") from None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped
