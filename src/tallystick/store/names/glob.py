"""Graphite's globs: ``*``, ``?``, ``[a-z]``, ``[!a-z]``, ``{a,b{c,d}}`` and backslash escapes."""

import re
from dataclasses import dataclass
from functools import lru_cache

import re2

from tallystick.model.errors import LimitError, QueryError

PATTERNS_MAX = 1000
"""A pattern whose braces hold dots stands for at most this many patterns."""

WILDCARDS_MAX = 64
"""So many different components with wildcards may be in them: each is matched against all components there are."""

_EXPANDED_CHARS_MAX = 4_000_000
_STARS_MAX = 2
_SPECIAL = re.compile(r"[*?\[\]{}\\]")
_SPELT = re.compile(r"[\[\]{}\\;]")
"""Without these a pattern is cut at each of its dots."""
_EDGES = re.compile(r"(\*?)([^*?\[\]{}\\]*)(\*?)")


@dataclass(frozen=True, slots=True)
class Glob:
    """A pattern for one component.

    Parameters
    ----------
    text
        As written.
    literal
        What it stands for if it has no wildcards, else None.
    """

    text: str
    literal: str | None

    @property
    def everything(self) -> bool:
        """Whether it matches any component."""
        return self.text == "*"

    def matches(self, names: list[str]) -> list[bool]:
        """Whether each of `names` matches."""
        edges = _EDGES.fullmatch(self.text)
        if edges is not None:  # the shapes of nearly all patterns, many times faster than any automaton
            word = edges[2]
            if edges[1] and edges[3]:
                return [word in name for name in names]
            if edges[3]:
                return [name.startswith(word) for name in names]
            if edges[1]:
                return [name.endswith(word) for name in names]
        match = _automaton(self.text).fullmatch
        return [match(name) is not None for name in names]


def split(pattern: str) -> list[list[Glob]]:
    """The components of a pattern; several lists where braces hold dots, which are multiplied out.

    Tags belong to the last component: behind the first semicolon dots do not part components.

    Raises
    ------
    QueryError
        If brackets or braces are unbalanced, or a backslash stands at the end.
    LimitError
        If there would be more than `PATTERNS_MAX` patterns, or more than `WILDCARDS_MAX` different wildcards in them.
    """
    if not _SPELT.search(pattern):
        return _within_limits([[_glob(part) for part in pattern.split(".")]], pattern)
    found: dict[tuple[str, ...], None] = {}
    waiting, chars = [pattern], len(pattern)
    while waiting:
        text = waiting.pop()
        parts, braces = _components(text, pattern)
        if braces is None:
            found[tuple(parts)] = None
            continue
        start, stop = braces
        choices = _choices(text[start + 1 : stop - 1])
        # Looked at before they are made: a choice of many in a long pattern would take gigabytes.
        chars += len(choices) * (len(text) - (stop - start)) + (stop - start)
        if len(found) + len(waiting) + len(choices) > PATTERNS_MAX or chars > _EXPANDED_CHARS_MAX:
            raise LimitError(
                f"cannot use pattern {pattern[:200]!r}: its braces stand for over {PATTERNS_MAX} patterns, or for very "
                "long ones; expected fewer"
            )
        waiting.extend(text[:start] + choice + text[stop:] for choice in choices)
    return _within_limits([[_glob(part) for part in parts] for parts in found], pattern)


def _within_limits(globs: list[list[Glob]], pattern: str) -> list[list[Glob]]:
    """`globs`, unless too many of them have wildcards."""
    if len({glob.text for parts in globs for glob in parts if glob.literal is None}) > WILDCARDS_MAX:
        raise LimitError(f"cannot use pattern {pattern[:200]!r}: expected at most {WILDCARDS_MAX} different wildcards")
    return globs


def _components(text: str, pattern: str) -> tuple[list[str], tuple[int, int] | None]:
    """The components between dots, and the bounds of the first outer braces that hold a dot."""
    parts, begin, depth, opened, dotted = [], 0, 0, 0, False
    tags = False
    i = 0
    while i < len(text):
        c = text[i]
        if c == "\\":
            if i + 1 == len(text):
                raise QueryError(f"cannot use pattern {pattern!r}: nothing follows its last backslash")
            i += 1
        elif c == "[":
            close = text.find("]", i + 2 + text.startswith("!", i + 1))
            if close < 0:
                raise QueryError(f"cannot use pattern {pattern!r}: a bracket is not closed; expected ]")
            i = close
        elif c == "{":
            depth += 1
            if depth == 1:
                opened, dotted = i, False
        elif c == "}":
            depth -= 1
            if depth < 0:
                raise QueryError(f"cannot use pattern {pattern!r}: a brace is closed that was not opened; expected {{")
            if depth == 0 and dotted:
                return [], (opened, i + 1)
        elif c == ";":
            tags = True
        elif c == "." and not tags:
            if depth:
                dotted = True
            else:
                parts.append(text[begin:i])
                begin = i + 1
        i += 1
    if depth:
        raise QueryError(f"cannot use pattern {pattern!r}: a brace is not closed; expected }}")
    return [*parts, text[begin:]], None


def _choices(inside: str) -> list[str]:
    """The alternatives of a brace's inside, at its outer level."""
    choices, begin, depth, i = [], 0, 0, 0
    while i < len(inside):
        if inside[i] == "\\":
            i += 1
        elif inside[i] == "{":
            depth += 1
        elif inside[i] == "}":
            depth -= 1
        elif inside[i] == "," and depth == 0:
            choices.append(inside[begin:i])
            begin = i + 1
        i += 1
    return [*choices, inside[begin:]]


@lru_cache(maxsize=4096)
def _glob(text: str) -> Glob:
    plain = re.sub(r"\\(.)", "", text)
    literal = None if _SPECIAL.search(plain) else re.sub(r"\\(.)", r"\1", text)
    return Glob(text, literal)


@lru_cache(maxsize=1024)
def _automaton(text: str) -> re.Pattern[str]:
    """The pattern as a regular expression.

    Python's own engine is several times faster a call, but may take time that grows with a power of the name's length:
    it is used up to two stars, RE2 beyond.
    """
    out, i, depth = [], 0, 0
    while i < len(text):
        c = text[i]
        if c == "\\":
            i += 1
            out.append(re.escape(text[i]))
        elif c == "*":
            out.append(".*")
        elif c == "?":
            out.append(".")
        elif c == "[":
            negated = text.startswith("!", i + 1)
            close = text.index("]", i + 2 + negated)
            inside = text[i + 1 + negated : close]
            escaped = "".join("\\" + x if x in "\\^[]&~" else x for x in inside)
            out.append(f"[{'^' * negated}{escaped}]")
            i = close
        elif c == "{":
            depth += 1
            out.append("(?:")
        elif c == "}":
            depth -= 1
            out.append(")")
        elif c == "," and depth:
            out.append("|")
        else:
            out.append(re.escape(c))
        i += 1
    try:
        engine = re if text.count("*") <= _STARS_MAX and "{" not in text else re2
        compiled: re.Pattern[str] = engine.compile("(?s)" + "".join(out))
    except (re.error, re2.error) as cause:
        raise QueryError(f"cannot use pattern {text!r}: {cause}; expected * ? [a-z] {{a,b}}") from cause
    return compiled
