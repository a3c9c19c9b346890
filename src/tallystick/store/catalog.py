"""The names of all series as integer columns, so that a glob is a mask and not a walk.

A name is taken apart into components; each distinct one has an id, and each level of the tree is an int32 column over
all series. A pattern is matched once against the few thousand distinct components it meets; what remains is comparing
integers. Tags are kept as (series, value) pairs for each key, which costs nothing for series without that key.

Threads: whoever creates holds a lock. Readers take a `_View`, whose length is set after all that belongs to it was
written; arrays only grow, by being replaced, so that a view stays whole.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.components import LEVELS_MAX, deepest, holding, split_names
from tallystick.kernels.names import NameTable, padded
from tallystick.model.kind import Kind
from tallystick.store.contract import Node
from tallystick.store.glob import Glob, split
from tallystick.store.tags import TagIndex

_CACHED_PATTERNS_MAX = 64
_UNKNOWN, _NO, _YES = 0, 1, 2

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _View:
    """What readers see: the first `count` of everything is complete.

    Parameters
    ----------
    columns : int32[levels, room]
        Component of each series at each level.
    depth : uint8[room]
    kinds : uint8[room]
    """

    count: int
    columns: NDArray[np.int32]
    depth: NDArray[np.uint8]
    kinds: NDArray[np.uint8]


class SeriesCatalog:
    """Names, kinds and tags of series; see `tallystick.store.contract.Catalog`.

    Notes
    -----
    About 35 bytes a series beside its name, and 8 a tag. Names deeper than `LEVELS_MAX` keep the rest of their
    components joined in the last: they are found by their whole name and by words, but not by a glob of that depth.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names = NameTable()
        self._components = NameTable()
        self._tags = TagIndex(self._names)
        self._view = _View(0, np.full((4, 64), -1, np.int32), np.zeros(64, np.uint8), np.zeros(64, np.uint8))
        self._matched: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._matching = threading.Lock()
        self._rank = np.empty(0, np.int32)

    def __len__(self) -> int:
        return self._view.count

    def create(
        self,
        names: Sequence[str],
        kinds: Sequence[Kind] | NDArray[np.uint8],
        before_seen: Callable[[list[bytes]], None] | None = None,
    ) -> Ids:
        """Ids of the series of these canonical names, made where they are new; -1 where a name has another kind.

        Parameters
        ----------
        before_seen
            Called with the names that are new, in the order of their ids, before any reader can find them.

        Returns
        -------
        int32[n]
        """
        wanted = np.asarray(kinds, np.uint8)
        with self._lock:
            before = self._view.count
            ids = self._names.intern_many([name.encode() for name in names])
            count = len(self._names)
            if count > before:
                view = self._grown(count)
                # An entry is new at its first place: ids of new names are given in the order of their arrival.
                highest = np.maximum.accumulate(np.concatenate([np.array([before - 1], np.int32), ids]))
                first = ids > highest[:-1]
                view.kinds[ids[first]] = wanted[first]
                self._split(view, before, count)
                self._tags.extend(before, count)
                if before_seen is not None:
                    before_seen(self._names.names(np.arange(before, count, dtype=np.int32)))
                self._view = _View(count, view.columns, view.depth, view.kinds)
            ids[self._view.kinds[ids] != wanted] = -1
            return ids

    def find(self, pattern: str) -> Ids:
        """Ids of the series that a glob matches, sorted by name; depth is exact.

        Raises
        ------
        QueryError
            If the glob has unbalanced brackets.
        """
        view = self._view
        patterns = split(pattern)
        if len(patterns) == 1:
            return self._sorted(self._exactly(view, patterns[0]).astype(np.int32))
        mask = np.zeros(view.count, np.bool_)
        for globs in patterns:
            mask[self._exactly(view, globs)] = True
        return self._sorted(np.flatnonzero(mask).astype(np.int32))

    def children(self, pattern: str) -> list[Node]:
        """The nodes (branches and leaves) that `pattern` matches at its own depth, sorted by path."""
        view = self._view
        nodes: dict[str, Node] = {}
        for globs in split(pattern):
            for node in self._nodes(view, globs, self._rows(view, globs, deeper=True)):
                nodes[node.path] = node
        return [nodes[path] for path in sorted(nodes)]

    def tagged(self, expressions: Sequence[str]) -> Ids:
        """Ids of the series that all expressions match, sorted by name: ``tag=value``, ``!=``, ``=~``, ``!=~``.

        Raises
        ------
        QueryError
            If an expression cannot be read or all of them match the empty value.
        """
        return self._sorted(self._tags.find(expressions, self._view.count))

    def search(self, text: str, limit: int) -> list[str]:
        """Up to `limit` names that hold every word of `text`, any case, shortest first."""
        rows = np.arange(self._view.count, dtype=np.int32)
        arrays = self._names.arrays
        for word in sorted(set(text.lower().split()), key=len, reverse=True):
            held = np.empty(len(rows), np.bool_)
            holding(arrays.arena, arrays.offsets, rows, padded(word.encode()), held)
            rows = rows[held]
        lengths = arrays.offsets[rows + 1] - arrays.offsets[rows]
        shortest = rows[np.argsort(lengths, kind="stable")[: max(limit, 0)]]
        return sorted(self.names(shortest), key=lambda name: (len(name), name))

    def names(self, ids: Ids) -> list[str]:
        """The names of `ids`, in their order."""
        return [name.decode() for name in self._names.names(ids)]

    def kinds(self, ids: Ids) -> NDArray[np.uint8]:
        """`Kind` of each id."""
        return self._view.kinds[ids]

    def _grown(self, count: int) -> _View:
        """The view with room for `count` series and for their levels; its own count is the old one."""
        old = self._view
        levels, room = old.columns.shape
        wide, long = levels, room
        while wide < deepest(self._names.arrays, old.count, count):
            wide *= 2
        while long < count:
            long *= 2
        if (wide, long) == (levels, room):
            return old
        columns = np.full((wide, long), -1, np.int32)
        columns[:levels, : old.count] = old.columns[:, : old.count]
        depth, kinds = np.zeros(long, np.uint8), np.zeros(long, np.uint8)
        depth[: old.count], kinds[: old.count] = old.depth[: old.count], old.kinds[: old.count]
        return _View(old.count, columns, depth, kinds)

    def _split(self, view: _View, first: int, count: int) -> None:
        while first < count:
            first = split_names(self._names.arrays, first, count, self._components.arrays, view.columns, view.depth)
            if first < count:
                self._components.reserve(LEVELS_MAX, 1 << 16)

    def _exactly(self, view: _View, globs: list[Glob]) -> NDArray[np.intp]:
        """The series that match at their full depth; a name without wildcards is looked up."""
        literals = [glob.literal for glob in globs if glob.literal is not None]
        if len(literals) < len(globs):
            return self._rows(view, globs, deeper=False)
        entry = self._names.find(".".join(literals).encode())
        return np.array([entry] if 0 <= entry < view.count else [], np.intp)

    def _rows(self, view: _View, globs: list[Glob], *, deeper: bool) -> NDArray[np.intp]:
        """The series whose first components match, of that depth or also deeper; literals go first."""
        levels = len(globs)
        if levels > len(view.columns):
            return np.empty(0, np.intp)
        depth = view.depth[: view.count]
        mask = depth >= levels if deeper else depth == levels
        for level, glob in enumerate(globs):
            if glob.literal is not None:
                component = self._components.find(glob.literal.encode())
                mask &= view.columns[level, : view.count] == component
        rows = np.flatnonzero(mask)
        for level, glob in enumerate(globs):
            if glob.literal is None and not glob.everything and len(rows):
                components = view.columns[level][rows]
                rows = rows[self._matches(glob, components)[components] == _YES]
        return rows

    def _matches(self, glob: Glob, components: NDArray[np.int32]) -> NDArray[np.uint8]:
        """For each component: whether the glob matches it. Only those asked for are looked at; results are kept."""
        size = len(self._components)
        with self._matching:
            known = self._matched.pop(glob.text, np.zeros(0, np.uint8))
            if len(known) < size:
                known = np.concatenate([known, np.full(size - len(known), _UNKNOWN, np.uint8)])
            self._matched[glob.text] = known
            if len(self._matched) > _CACHED_PATTERNS_MAX:
                self._matched.popitem(last=False)
            asked = np.zeros(size, np.bool_)
            asked[components] = True
            unknown = np.flatnonzero(asked & (known == _UNKNOWN))
            if len(unknown):
                texts = [component.decode() for component in self._components.names(unknown)]
                known[unknown] = np.where(glob.matches(texts), _YES, _NO)
            return known

    def _nodes(self, view: _View, globs: list[Glob], rows: NDArray[np.intp]) -> list[Node]:
        """One node for each distinct beginning of the series `rows`."""
        if len(rows) == 0:
            return []
        levels = len(globs)
        size = len(self._components)
        code = np.zeros(len(rows), np.int64)
        number = 1
        for level in (k for k in range(levels) if globs[k].literal is None):
            joint = code * size + view.columns[level][rows]
            number, code = _numbered(joint, number * size)
        leaf, branch = np.zeros(number, np.bool_), np.zeros(number, np.bool_)
        deeper = view.depth[rows] > levels
        leaf[code[~deeper]] = True
        branch[code[deeper]] = True
        sample = np.zeros(number, np.intp)
        sample[code] = rows
        components = view.columns[:levels, sample]
        texts = {c: self._components.name(c).decode() for c in np.unique(components).tolist()}
        paths = [[texts[c] for c in path] for path in components.T.tolist()]
        return [
            Node(path[-1], ".".join(path), is_leaf, is_branch)
            for path, is_leaf, is_branch in zip(paths, leaf.tolist(), branch.tolist(), strict=True)
        ]

    def _sorted(self, ids: Ids) -> Ids:
        """`ids` by name; a large result makes an order of all names, which is kept until there are new ones."""
        count = self._view.count
        rank = self._rank
        if len(rank) < count and len(ids) * 4 > count and len(ids) > 1000:
            order = _order(self._names.names(np.arange(count, dtype=np.int32)))
            rank = np.empty(count, np.int32)
            rank[order] = np.arange(count, dtype=np.int32)
            self._rank = rank
        if len(ids) and int(ids.max()) < len(rank):
            return ids[np.argsort(rank[ids])]
        return ids[_order(self._names.names(ids))]


def _order(names: list[bytes]) -> NDArray[np.intp]:
    """Positions of the names in ascending order; bytes of UTF-8 sort as their characters do."""
    at: Callable[[int], bytes] = names.__getitem__
    return np.array(sorted(range(len(names)), key=at), np.intp)


def _numbered(codes: NDArray[np.int64], below: int) -> tuple[int, NDArray[np.int64]]:
    """Codes replaced by dense numbers from 0, and how many there are; without sorting where the range is small."""
    if below <= max(4 * len(codes), 1 << 20):
        used = np.zeros(below, np.bool_)
        used[codes] = True
        numbers = np.cumsum(used) - 1
        return int(numbers[-1]) + 1, numbers[codes]
    distinct, inverse = np.unique(codes, return_inverse=True)
    return len(distinct), inverse.astype(np.int64)
