"""The names of all series as integer columns, so that a glob is a mask and not a walk.

A name is taken apart into components; each distinct one has an id, and each level of the tree is an int32 column over
all rows. A pattern is matched once against the few thousand distinct components it meets; what remains is comparing
integers. Tags are kept as (row, value) pairs for each key, which costs nothing for names without that key.

Threads: whoever changes names holds a lock. Readers take a `View` (see `tallystick.store.names.rows`), which stays
whole.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.components import holding
from tallystick.kernels.firsts import first_places
from tallystick.kernels.listed import texts_of
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import Names, padded
from tallystick.model.errors import StoreError, TakenNameError
from tallystick.model.kind import Kind
from tallystick.store.contract import Node
from tallystick.store.names.glob import Glob, split
from tallystick.store.names.rows import Ids, View, copied, moved
from tallystick.store.names.tree import Ends, ends_at, ends_of, nodes, path_of, paths, rows_at

_CACHED_PATTERNS_MAX = 64
_UNKNOWN, _NO, _YES = 0, 1, 2

Prepare = Callable[[Ids, Names], None]
"""Is given ids and names of series before any reader can find them."""


class SeriesCatalog:
    """Names, kinds and tags of series; see `tallystick.store.contract.Catalog`.

    Parameters
    ----------
    dead_rows_min
        Rows of names that lead nowhere are worth the work of being rid of them when there are so many, and more of
        them than of others.

    Notes
    -----
    About 45 bytes a series beside its name, and 8 a tag. Names deeper than `LEVELS_MAX` keep the rest of their
    components joined in the last: they are found by their whole name and by words, but not by a glob of that depth.
    """

    def __init__(self, dead_rows_min: int = 4096) -> None:
        self._dead_rows_min = dead_rows_min
        self._lock = threading.Lock()
        self._view = View.empty()
        self._free = np.empty(0, np.int32)  # ids below the end that nothing refers to, ascending
        self._matching = threading.Lock()

    def __len__(self) -> int:
        return self._view.series

    @property
    def id_end(self) -> int:
        """One above the highest id."""
        return self._view.id_end

    @property
    def rows(self) -> int:
        """Names held, those that lead to no series any more with them."""
        return self._view.count

    @property
    def gaps(self) -> bool:
        """Whether there are ids below the end without a series."""
        view = self._view
        return view.series < view.id_end

    @property
    def wasteful(self) -> bool:
        """Whether `rebuild` would be worth its while."""
        view = self._view
        return view.count - view.series > max(view.series, self._dead_rows_min)

    def ids(self) -> Ids:
        """Ids of all series, ascending."""
        view = self._view
        return np.flatnonzero(view.living[: view.id_end]).astype(np.int32)

    def living(self, ids: Ids) -> NDArray[np.bool_]:
        """Whether there is a series of each id."""
        view = self._view
        inside = (ids >= 0) & (ids < view.id_end)
        return inside & view.living[np.where(inside, ids, 0)]

    def kinds_by_id(self) -> NDArray[np.uint8]:
        """`Kind` of each series by its id: uint8[id_end]. Those of ids without a series mean nothing."""
        view = self._view
        return view.kinds[: view.id_end]

    def living_by_id(self) -> NDArray[np.bool_]:
        """Whether there is a series of each id: bool[id_end], a copy."""
        view = self._view
        return view.living[: view.id_end].copy()

    def create(
        self,
        names: Sequence[str],
        kinds: Sequence[Kind] | NDArray[np.uint8],
        before_seen: Prepare | None = None,
    ) -> Ids:
        """Ids of the series of these canonical names, made where they are new; -1 where a name has another kind.

        Parameters
        ----------
        before_seen
            Called with the ids and the names that are new, in the order of the names, before any reader can find them.

        Returns
        -------
        int32[n]
        """
        wanted = np.asarray(kinds, np.uint8)
        with self._lock:
            seen = self._view.count
            packed = Names.of(names)
            rows = self._view.tables.names.intern_packed(packed)
            view = self._view.with_rows()
            new = first_places(rows, view.ids[rows] < 0, view.count)
            if len(new):
                fresh = self._unused(len(new))
                view = view.with_ids(int(fresh.max()) + 1)
                view.kinds[fresh] = wanted[new]
                view = view.led(rows[new], fresh, seen)
                if before_seen is not None:
                    before_seen(fresh, packed if len(new) == len(packed) else view.tables.names.packed(rows[new]))
                self._view = view
            ids: Ids = view.ids[rows]
            ids[view.kinds[ids] != wanted] = -1
            return ids

    def define(self, ids: Ids, names: Names, kinds: NDArray[np.uint8]) -> None:
        """Have series with these ids; the last definition of a name, or of an id, counts."""
        with self._lock:
            seen = self._view.count
            rows = self._view.tables.names.intern_packed(names)
            view = self._view.with_rows().with_ids(int(ids.max(initial=-1)) + 1)
            others = np.concatenate([view.ids[rows][view.ids[rows] >= 0], ids[view.living[ids]]])
            if len(others):
                view = view.unled(np.unique(others))
            last = _last_places(rows, ids)
            view.kinds[ids[last]] = kinds[last]
            view = view.led(rows[last], ids[last], seen)
            view.depth[rows[view.ids[rows] < 0]] = 0
            if len(self._free):
                self._free = np.setdiff1d(self._free, ids)
            self._view = view

    def forget(self, ids: Ids) -> Ids:
        """Have no such series any more; return those that there were. Nobody else gets the ids before `release`."""
        with self._lock:
            gone = np.unique(ids[self.living(ids)])
            if len(gone):
                self._view = self._view.unled(gone)
            return gone

    def check_rename(self, series: int, name: bytes) -> None:
        """See whether a series can get a name.

        Raises
        ------
        StoreError
            If there is no such series, or the name is taken.
        """
        one = np.array([series], np.int32)
        if not self.living(one)[0]:
            raise StoreError(f"cannot rename series {series}: there is none; expected the id of a series")
        if self.series_of(name) >= 0:
            raise TakenNameError(
                f"cannot rename {self.names(one)[0]!r} to {name.decode()!r}: there is a series of that name; "
                "expected a new one"
            )

    def rename(self, series: int, name: bytes) -> None:
        """Give a series another canonical name.

        Raises
        ------
        StoreError
            As `check_rename`.
        """
        one = np.array([series], np.int32)
        with self._lock:
            self.check_rename(series, name)
            seen = self._view.count
            rows = np.array([self._view.tables.names.intern(name)], np.int32)
            self._view = self._view.with_rows().unled(one).led(rows, one, seen)

    def release(self, ids: Ids) -> None:
        """Let new series have the ids of forgotten ones: nothing refers to them any more."""
        with self._lock:
            view = self._view
            self._free = np.union1d(self._free, ids[~view.living[ids]]).astype(np.int32)
            used = np.ones(view.id_end, np.bool_)
            used[self._free] = False
            end = int(used.nonzero()[0].max(initial=-1)) + 1
            self._free = self._free[self._free < end]
            self._view = replace(view, id_end=end)

    def reserve(self, id_end: int) -> None:
        """Give no new series an id below `id_end` that was not released."""
        with self._lock:
            self._view = self._view.with_ids(id_end)

    def rebuild(self) -> None:
        """Make the rows anew, without those that lead nowhere; one thread at a time. Readers and writers go on."""
        old = self._view
        kept = old.leading
        fresh = copied(old, kept)
        with self._lock:
            self._view = moved(self._view, fresh, kept)

    def series_of(self, name: bytes) -> int:
        """Id of the series of this name, or -1."""
        view = self._view
        row = view.tables.names.find(name)
        return int(view.ids[row]) if 0 <= row < view.count else -1

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
            return self._sorted(view, self._exactly(view, patterns[0]))
        mask = np.zeros(view.count, np.bool_)
        for globs in patterns:
            mask[self._exactly(view, globs)] = True
        return self._sorted(view, np.flatnonzero(mask))

    def children(self, pattern: str, among: NDArray[np.bool_] | None = None) -> list[Node]:
        """See `tallystick.store.contract.Catalog.children`."""
        view = self._view
        patterns = split(pattern)
        found = [node for globs in patterns for node in nodes(view, self._ends(view, globs, among), len(globs))]
        if len(patterns) > 1:
            found = list({node.path: node for node in found}.values())
        return sorted(found, key=attrgetter("path"))

    def paths(self, pattern: str, *, leaves_only: bool = False) -> list[str]:
        """See `tallystick.store.contract.Catalog.paths`."""
        view = self._view
        patterns = split(pattern)
        found: list[str] = []
        for globs in patterns:
            ends = self._ends(view, globs, None)
            found += paths(view, ends.leaves() if leaves_only else ends, len(globs))
        return sorted(set(found) if len(patterns) > 1 else found)

    def tagged(self, expressions: Sequence[str], *, by_name: bool = True) -> Ids:
        """See `tallystick.store.contract.Catalog.tagged`."""
        view = self._view
        rows = view.tables.tags.find(expressions, view.leading.astype(np.int32), view.count)
        return self._sorted(view, rows) if by_name else view.ids[rows]

    def tag_keys(self, ids: Ids | None = None) -> list[str]:
        """See `tallystick.store.contract.Catalog.tag_keys`."""
        view = self._view
        return view.tables.tags.keys(_rows_asked(view, ids), view.count)

    def tag_values(
        self, key: str, ids: Ids | None = None, prefix: str = "", limit: int | None = None
    ) -> dict[str, int]:
        """See `tallystick.store.contract.Catalog.tag_values`."""
        view = self._view
        return view.tables.tags.values(key, _rows_asked(view, ids), view.count, prefix, limit)

    def search(self, text: str, limit: int) -> list[str]:
        """Up to `limit` names that hold every word of `text`, any case, shortest first."""
        view = self._view
        rows = view.leading.astype(np.int32)
        arrays = view.tables.names.arrays
        for word in sorted(set(text.lower().split()), key=len, reverse=True):
            held = np.empty(len(rows), np.bool_)
            holding(arrays.arena, arrays.offsets, rows, padded(word.encode()), held)
            rows = rows[held]
        lengths = arrays.offsets[rows + 1] - arrays.offsets[rows]
        shortest = rows[np.argsort(lengths, kind="stable")[: max(limit, 0)]]
        return sorted(view.tables.names.texts(shortest), key=lambda name: (len(name), name))

    def names(self, ids: Ids) -> list[str]:
        """The names of `ids`, in their order; of series forgotten since they were found, the last or an empty one."""
        view = self._view
        rows = view.rows[np.minimum(ids, len(view.rows) - 1)]
        if (rows < 0).any():
            return [view.tables.names.name(row).decode() if row >= 0 else "" for row in rows.tolist()]
        arrays = view.tables.names.arrays
        return texts_of(arrays.arena, arrays.offsets[rows], arrays.offsets[rows + 1])

    def packed_names(self, ids: Ids) -> Names:
        """The names of `ids`, in their order; of series forgotten since they were found, the last or an empty one."""
        view = self._view
        rows = view.rows[ids]
        return Names.of(self.names(ids)) if (rows < 0).any() else view.tables.names.packed(rows)

    def name_table(self, entries_max: int) -> tuple[NameTable, Ids]:
        """A table of all names there are rows of, and the series that each leads to, or -1."""
        view = self._view
        names = view.tables.names.copied(entries_max)
        return names, view.ids[: len(names)].copy()

    def kinds(self, ids: Ids) -> NDArray[np.uint8]:
        """`Kind` of each id; of series forgotten since they were found, the last or any."""
        kinds = self._view.kinds
        return kinds[np.minimum(ids, len(kinds) - 1)]

    def _unused(self, n: int) -> Ids:
        """Ids for `n` new series: those that are free, then new ones."""
        reused, self._free = self._free[:n], self._free[n:]
        end = self._view.id_end
        return np.concatenate([reused, np.arange(end, end + n - len(reused), dtype=np.int32)])

    def _exactly(self, view: View, globs: list[Glob]) -> NDArray[np.intp]:
        """The series that match at their full depth; a name without wildcards is looked up."""
        literals = [glob.literal for glob in globs if glob.literal is not None]
        if len(literals) < len(globs):
            return self._rows(view, globs, deeper=False)
        row = view.tables.names.find(".".join(literals).encode())
        return np.array([row] if 0 <= row < view.count and view.ids[row] >= 0 else [], np.intp)

    def _rows(self, view: View, globs: list[Glob], *, deeper: bool) -> NDArray[np.intp]:
        """The series whose first components match, of that depth or also deeper; literals go first."""
        path = path_of(view.tables.components, globs)
        if path is None:
            return np.empty(0, np.intp)
        rows = rows_at(view, path, deeper=deeper)
        for level, glob in enumerate(globs):
            if glob.literal is None and not glob.everything and len(rows):
                components = view.columns[level][rows]
                rows = rows[self._matches(view, glob, components)[components] == _YES]
        return rows

    def _matches(self, view: View, glob: Glob, components: NDArray[np.int32]) -> NDArray[np.uint8]:
        """For each component: whether the glob matches it. Only those asked for are looked at; results are kept."""
        size = len(view.tables.components)
        matched = view.tables.matched
        with self._matching:
            known = matched.pop(glob.text, np.zeros(0, np.uint8))
            if len(known) < size:
                known = np.concatenate([known, np.full(size - len(known), _UNKNOWN, np.uint8)])
            matched[glob.text] = known
            if len(matched) > _CACHED_PATTERNS_MAX:
                matched.popitem(last=False)
            asked = np.zeros(size, np.bool_)
            asked[components] = True
            unknown = np.flatnonzero(asked & (known == _UNKNOWN))
            if len(unknown):
                texts = view.tables.components.texts(unknown)
                known[unknown] = np.where(glob.matches(texts), _YES, _NO)
            return known

    def _ends(self, view: View, globs: list[Glob], among: NDArray[np.bool_] | None) -> Ends:
        """The nodes that a pattern matches, in any order."""
        path = path_of(view.tables.components, globs)
        if path is None:
            return Ends.none()
        wild = [level for level, glob in enumerate(globs) if glob.literal is None]
        if among is not None:
            rows = self._rows(view, globs, deeper=True)
            ids = view.ids[rows]
            inside = (ids >= 0) & (ids < len(among))
            rows = rows[inside][among[ids[inside]]]
            return ends_of(view, rows, len(globs), wild or [len(globs) - 1])
        if len(wild) > 1:
            return ends_of(view, self._rows(view, globs, deeper=True), len(globs), wild)
        level = wild[0] if wild else len(globs) - 1
        ends, components = ends_at(view, path, level)
        if wild and not globs[level].everything and len(components):
            ends = ends.take(self._matches(view, globs[level], components.astype(np.int32))[components] == _YES)
        return ends

    def _sorted(self, view: View, rows: NDArray[np.intp] | NDArray[np.int32]) -> Ids:
        """The series of `rows` by name; for many an order of all names is made, and kept until there are new ones."""
        if len(rows) < 2:
            return view.ids[rows]
        count, tables = view.count, view.tables
        rank = tables.rank
        if len(rank) < count and len(rows) * 4 > count and len(rows) > 1000:
            order = _order(tables.names.names(np.arange(count, dtype=np.int32)))
            rank = np.empty(count, np.int32)
            rank[order] = np.arange(count, dtype=np.int32)
            tables.rank = rank
        if int(rows.max()) < len(rank):
            return view.ids[rows[np.argsort(rank[rows])]]
        return view.ids[rows[_order(tables.names.names(rows.astype(np.int32)))]]


def _rows_asked(view: View, ids: Ids | None) -> NDArray[np.int32]:
    """The rows of `ids`, without those of series forgotten since they were found; None for all that have tags."""
    if ids is None:
        return view.tables.tags.having_tags(view.leading.astype(np.int32), view.count)
    rows = view.rows[np.minimum(ids, len(view.rows) - 1)]
    rows = rows[(rows >= 0) & (rows < view.count)]
    return rows[view.ids[rows] >= 0]


def _last_places(rows: NDArray[np.int32], ids: Ids) -> NDArray[np.intp]:
    """The places whose row and whose id does not come again behind them, ascending."""
    places = np.arange(len(rows))
    stays = np.ones(len(rows), np.bool_)
    for column in (rows, ids):
        last = np.empty(int(column.max(initial=-1)) + 1, np.intp)
        last[column] = places  # of equal ones the last assignment stays
        stays &= last[column] == places
    return places[stays]


def _order(names: list[bytes]) -> NDArray[np.intp]:
    """Positions of the names in ascending order; bytes of UTF-8 sort as their characters do."""
    at: Callable[[int], bytes] = names.__getitem__
    return np.array(sorted(range(len(names)), key=at), np.intp)
