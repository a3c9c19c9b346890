"""`MemoryCatalog`: the plain model of a catalog. Each question looks at every name."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.kind import Kind
from tallystick.model.name import tags_of
from tallystick.store.contract import Node


class MemoryCatalog:
    """Names, looked through one by one; keeps `tallystick.store.contract.Catalog`."""

    def __init__(self, series: dict[int, tuple[str, Kind]]) -> None:
        self._series = series

    def __len__(self) -> int:
        return len(self._series)

    def ids(self) -> NDArray[np.int32]:
        return np.array(sorted(self._series), np.int32)

    def find(self, pattern: str) -> NDArray[np.int32]:
        expression = glob_expression(pattern)
        return self._sorted([i for i, (name, _) in self._series.items() if expression.fullmatch(name)])

    def children(self, pattern: str, among: NDArray[np.bool_] | None = None) -> list[Node]:
        expression = glob_expression(pattern)
        depth = len(_components(pattern))
        leaves: set[str] = set()
        branches: set[str] = set()
        for series, (name, _) in self._series.items():
            if among is not None and not (series < len(among) and among[series]):
                continue
            parts = _components(name)
            path = ".".join(parts[:depth])
            if len(parts) >= depth and expression.fullmatch(path):
                (leaves if len(parts) == depth else branches).add(path)
        return [
            Node(_components(path)[-1], path, path in leaves, path in branches) for path in sorted(leaves | branches)
        ]

    def paths(self, pattern: str, *, leaves_only: bool = False) -> list[str]:
        return [node.path for node in self.children(pattern) if node.leaf or not leaves_only]

    def tagged(self, expressions: Sequence[str], *, by_name: bool = True) -> NDArray[np.int32]:
        tests = [_tag_test(expression) for expression in expressions]
        if all(test({}) for test in tests):
            raise QueryError(
                f"cannot find series by {list(expressions)}: each expression matches an empty tag; "
                "expected at least one that does not"
            )
        found = [i for i, (name, _) in self._series.items() if all(test(tags_of(name)) for test in tests)]
        return self._sorted(found) if by_name else np.array(found, np.int32)

    def tag_keys(self, ids: NDArray[np.int32] | None = None) -> list[str]:
        return sorted({key for tags in self._tags(ids) for key in tags})

    def tag_values(
        self, key: str, ids: NDArray[np.int32] | None = None, prefix: str = "", limit: int | None = None
    ) -> dict[str, int]:
        counts = Counter(tags[key] for tags in self._tags(ids) if key in tags and tags[key].startswith(prefix))
        return dict(sorted(counts.items())[:limit])

    def search(self, text: str, limit: int) -> list[str]:
        words = text.lower().split()
        found = [name for name, _ in self._series.values() if all(word in name.lower() for word in words)]
        return sorted(found, key=lambda name: (len(name), name))[:limit]

    def names(self, ids: NDArray[np.int32]) -> list[str]:
        return [self._series[i][0] if i in self._series else "" for i in ids.tolist()]

    def kinds(self, ids: NDArray[np.int32]) -> NDArray[np.uint8]:
        return np.array([self._series[i][1] if i in self._series else 0 for i in ids.tolist()], np.uint8)

    def _tags(self, ids: NDArray[np.int32] | None) -> list[dict[str, str]]:
        """The tags of each of some series; of all that have some."""
        names = [name for name, _ in self._series.values() if ";" in name] if ids is None else self.names(ids)
        return [tags_of(name) for name in names if name]

    def _sorted(self, ids: Sequence[int]) -> NDArray[np.int32]:
        return np.array(sorted(ids, key=lambda i: self._series[i][0]), np.int32)


def _components(name: str) -> list[str]:
    """The parts between dots; tags belong to the last."""
    path, semicolon, tags = name.partition(";")
    parts = path.split(".")
    parts[-1] += semicolon + tags
    return parts


def glob_expression(pattern: str) -> re.Pattern[str]:
    r"""The regular expression of a glob: ``*``, ``?`` and ``[a-z]`` stay within a component, ``{a,b}`` may be nested.

    What follows a backslash stands for itself.

    Raises
    ------
    QueryError
        If brackets or braces are not balanced, or a backslash is the last character.
    """
    out: list[str] = []
    depth = 0
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "[":
            close = pattern.find("]", position + 1)
            if close < 0:
                raise QueryError(f"cannot read glob {pattern!r}: '[' at column {position} is not closed; expected ']'")
            inner = pattern[position:close].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            out.append(f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
            position = close + 1
        elif char == "\\":
            if position == len(pattern):
                raise QueryError(f"cannot read glob {pattern!r}: nothing follows its last backslash")
            out.append(re.escape(pattern[position]))
            position += 1
        elif char == "}" and depth == 0:
            raise QueryError(
                f"cannot read glob {pattern!r}: '}}' at column {position} opens nowhere; expected '{{' before it"
            )
        else:
            depth += (char == "{") - (char == "}")
            inside = {"*": "[^.]*", "?": "[^.]", "{": "(?:", "}": ")"} | ({",": "|"} if depth else {})
            out.append(inside.get(char, re.escape(char)))
    if depth:
        raise QueryError(f"cannot read glob {pattern!r}: '{{' is not closed; expected '}}'")
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error as error:
        raise QueryError(f"cannot read glob {pattern!r}: {error}; expected a range such as [a-z]") from error


_TAG_EXPRESSION = re.compile(r"([^;!^=~]+)(!?=~?)(.*)", re.DOTALL)


def _tag_test(expression: str) -> Callable[[dict[str, str]], bool]:
    """Whether tags match ``key=value``, ``!=``, ``=~regex`` or ``!=~``; regexes are anchored at the start."""
    match = _TAG_EXPRESSION.fullmatch(expression)
    if match is None:
        raise QueryError(
            f"cannot read tag expression {expression!r}: expected tag=value, tag!=value, tag=~regex or tag!=~regex"
        )
    key, operator, value = match.groups()
    try:
        regex = re.compile(value if "~" in operator else re.escape(value) + r"\Z")
    except re.error as error:
        raise QueryError(
            f"cannot read tag expression {expression!r}: {error}; expected a regular expression"
        ) from error
    return lambda tags: (regex.match(tags.get(key, "")) is not None) != operator.startswith("!")
