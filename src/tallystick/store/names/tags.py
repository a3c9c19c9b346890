"""Graphite's tag expressions over (row, value) pairs of each key."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.components import split_tags
from tallystick.kernels.names import NameTable
from tallystick.model.errors import LimitError, QueryError
from tallystick.store.names.regular import compiled

_EXPRESSION = re.compile(r"([^;!^=]+)(!=~|=~|!=|=)(.*)", re.DOTALL)
_PAIRS_AT_ONCE = 4096
EXPRESSIONS_MAX = 100
"""Each of them looks at all series."""
_MISSING = -1
_NAME_KEY = 0
"""As `split_tags` writes it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """``key operator spec``; the operators are ``=``, ``!=``, ``=~`` and ``!=~``."""

    key: str
    negated: bool
    regex: bool
    spec: str

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """Read an expression.

        Raises
        ------
        QueryError
            If it is none, or its regular expression cannot be compiled.
        """
        match = _EXPRESSION.fullmatch(text)
        if match is None:
            raise QueryError(
                f"cannot read tag expression {text!r}: expected tag=value, tag!=value, tag=~regex or tag!=~regex"
            )
        expression = cls(match[1], match[2].startswith("!"), match[2].endswith("~"), match[3])
        expression.matches([])
        return expression

    def matches(self, values: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each value matches; regular expressions are anchored at the start only, as in Graphite."""
        if self.regex:
            match = compiled(f"(?:{self.spec})", f"regular expression {self.spec!r}").match
            found = np.array([match(value) is not None for value in values], np.bool_)
        else:
            found = np.array([value == self.spec for value in values], np.bool_)
        return ~found if self.negated else found

    @property
    def matches_empty(self) -> bool:
        """Whether a series without the tag matches."""
        return bool(self.matches([""])[0])


class TagIndex:
    """The tags of the names in a name table, and how they are searched.

    Notes
    -----
    The path of a name is its tag ``name``. It is kept as a pair only for series that have other tags: for the others
    it is the name itself.
    """

    def __init__(self, names: NameTable) -> None:
        self._names = names
        self._keys = NameTable()
        self._keys.intern(b"name")
        self._values = NameTable()
        self._pairs: dict[int, list[NDArray[np.int32]]] = {}

    def extend(self, first: int, count: int) -> None:
        """Take the tags of the names ``first`` to ``count - 1``."""
        chunk = np.empty((_PAIRS_AT_ONCE, 3), np.int32)
        while first < count:
            progress = np.zeros(1, np.int64)
            arrays = self._names.arrays
            first = split_tags(arrays, first, count, self._keys.arrays, self._values.arrays, chunk, progress)
            self._add(chunk[: progress[0]])
            if first < count:
                self._keys.reserve(512, 1 << 12)
                self._values.reserve(_PAIRS_AT_ONCE, 1 << 18)

    def find(self, expressions: Sequence[str], rows: NDArray[np.int32], count: int) -> NDArray[np.int32]:
        """Those of `rows` (ascending, all below `count`) that all expressions match.

        Raises
        ------
        QueryError
            If an expression cannot be read or all of them match the empty value.
        LimitError
            If there are more than `EXPRESSIONS_MAX`.
        """
        different = list(dict.fromkeys(expressions))
        if len(different) > EXPRESSIONS_MAX:
            raise LimitError(
                f"cannot search by {len(different)} tag expressions: the limit is {EXPRESSIONS_MAX}; expected fewer"
            )
        parsed = [Expression.parse(text) for text in different]
        if all(expression.matches_empty for expression in parsed):
            raise QueryError(
                f"cannot search by {', '.join(expressions) or 'nothing'}: every series matches; "
                "expected at least one expression that does not match an empty value"
            )
        for expression in sorted(parsed, key=lambda e: (e.matches_empty, e.regex)):
            rows = rows[self._mask(expression, rows, count)]
        return rows

    def having_tags(self, rows: NDArray[np.int32], count: int) -> NDArray[np.int32]:
        """Those of `rows` (all below `count`) whose names have tags."""
        tagged: NDArray[np.int32] = rows[self._column("name", count)[rows] != _MISSING]
        return tagged

    def keys(self, rows: NDArray[np.int32], count: int) -> list[str]:
        """The keys that some of `rows` (all below `count`) have, in order."""
        if not len(rows):
            return []
        asked = np.zeros(count, np.bool_)
        asked[rows] = True
        found = {_NAME_KEY}
        for key in list(self._pairs):
            if any(asked[pairs[:, 0]].any() for pairs in self._known(key, count)):
                found.add(key)
        return sorted(self._keys.texts(np.array(list(found))))

    def values(
        self, key: str, rows: NDArray[np.int32], count: int, prefix: str = "", limit: int | None = None
    ) -> dict[str, int]:
        """The values that a tag has in `rows` (all below `count`), in order, and how many rows have each."""
        column = self._column(key, count)[rows]
        used, numbers = np.unique(column[column != _MISSING], return_counts=True)
        kept = _chosen(self._values, used, prefix.encode(), limit)
        found = Counter(dict(zip(self._values.texts(used[kept]), numbers[kept].tolist(), strict=True)))
        if key == "name":
            plain = rows[column == _MISSING]
            found.update(self._names.texts(plain[_chosen(self._names, plain, prefix.encode(), limit)]))
        return {value: found[value] for value in sorted(found)[:limit]}

    def _add(self, triples: NDArray[np.int32]) -> None:
        for key in np.unique(triples[:, 1]).tolist():
            chunks = self._pairs.setdefault(key, [])
            chunks.append(triples[triples[:, 1] == key][:, (0, 2)])
            # Joined by doubling, so that few chunks remain and each pair is copied few times.
            while len(chunks) > 1 and len(chunks[-2]) <= 2 * len(chunks[-1]):
                # In one assignment: a reader may take the list at any moment.
                chunks[-2:] = [np.concatenate(chunks[-2:])]

    def _mask(self, expression: Expression, rows: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
        """Whether each of `rows` matches."""
        column = self._column(expression.key, count)[rows]
        mask = np.full(len(rows), expression.matches_empty)
        used = np.unique(column[column != _MISSING])
        texts = [value.decode() for value in self._values.names(used)]
        matching = used[expression.matches(texts)] if len(used) else used
        mask[column != _MISSING] = np.isin(column[column != _MISSING], matching)
        if expression.key == "name":
            plain = np.flatnonzero(column == _MISSING)
            mask[plain] = self._plain(expression, rows[plain])
        return mask

    def _plain(self, expression: Expression, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether the names of `rows`, which have no tags, match an expression about ``name``."""
        if not expression.regex:
            equal: NDArray[np.bool_] = rows == self._names.find(expression.spec.encode())
            return ~equal if expression.negated else equal
        return expression.matches([name.decode() for name in self._names.names(rows)])

    def _column(self, key: str, count: int) -> NDArray[np.int32]:
        """The value of a tag for each row: int32[count], `_MISSING` where there is none."""
        column = np.full(count, _MISSING, np.int32)
        for pairs in self._known(self._keys.find(key.encode()), count):
            column[pairs[:, 0]] = pairs[:, 1]
        return column

    def _known(self, key: int, count: int) -> Iterator[NDArray[np.int32]]:
        """The (row, value) pairs of a key in rows below `count`: int32[n, 2] each, rows ascending."""
        for pairs in list(self._pairs.get(key, ())):
            yield pairs[: np.searchsorted(pairs[:, 0], count)]


def _chosen(table: NameTable, entries: NDArray[np.int32], prefix: bytes, limit: int | None) -> NDArray[np.intp]:
    """The positions of the entries, all different, that begin with `prefix`: the `limit` first ones, in any order.

    Byte by byte, so that of a million values nobody asked for no text is made.
    """
    arrays = table.arrays
    begin, end = arrays.offsets[entries], arrays.offsets[entries + 1]
    found = np.flatnonzero(end - begin >= len(prefix))
    for at, byte in enumerate(prefix):
        if not len(found):
            break
        found = found[arrays.arena[begin[found] + at] == byte]
    first, wanted, at = [], len(found) if limit is None else limit, len(prefix)
    while 0 < wanted < len(found):
        place = begin[found] + at
        ended = place >= end[found]
        here = np.where(ended, -1, arrays.arena[np.where(ended, 0, place)].astype(np.int16)) + 1
        last = np.searchsorted(np.cumsum(np.bincount(here)), wanted)  # what the last one wanted has here
        first.append(found[here < last])
        wanted -= len(first[-1])
        found = found[here == last]
        at += 1
    return np.concatenate([*first, found])
