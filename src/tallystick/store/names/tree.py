"""The tree that names make: which nodes stand where a path of globs ends.

Nodes are few where names are many. Where names that match can differ at one level only (a glob with one wildcard, as
browsers and dashboards ask for), one pass marks the components of that level, and nothing is made for a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.listed import texts_of
from tallystick.kernels.names import NameTable
from tallystick.kernels.tree import ANY, BRANCH, LEAF, bounds_at, mark_nodes, matching_rows
from tallystick.store.contract import Node
from tallystick.store.names.glob import Glob
from tallystick.store.names.rows import View

Path = NDArray[np.int32]
"""A component for each level, or `ANY`."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Where names that match a path stand at its last level, each place once.

    Parameters
    ----------
    row : int64[n]
        A row of each.
    marks : uint8[n]
        `LEAF`, `BRANCH` or both.
    """

    row: NDArray[np.int64]
    marks: NDArray[np.uint8]

    def take(self, kept: NDArray[np.bool_]) -> "Ends":
        """Those selected."""
        return Ends(self.row[kept], self.marks[kept])

    def leaves(self) -> "Ends":
        """Those where a name ends."""
        return self.take((self.marks & LEAF) != 0)

    @classmethod
    def none(cls) -> "Ends":
        """No place at all."""
        return cls(np.empty(0, np.int64), np.empty(0, np.uint8))


def path_of(components: NameTable, globs: Sequence[Glob]) -> Path | None:
    """Components of a path of globs; None if one of its words is in no name."""
    literals = [glob.literal for glob in globs]
    path = np.array([ANY if word is None else components.find(word.encode()) for word in literals], np.int32)
    unknown = any(word is not None and one < 0 for word, one in zip(literals, path.tolist(), strict=True))
    return None if unknown else path


def rows_at(view: View, path: Path, *, deeper: bool) -> NDArray[np.intp]:
    """The rows that match a path, of its depth or also deeper, ascending."""
    if len(path) > len(view.columns):
        return np.empty(0, np.intp)
    out = np.empty(view.count, np.int64)
    return out[: matching_rows(view.columns, view.depth[: view.count], path, deeper, out)].copy()


def ends_at(view: View, path: Path, level: int) -> tuple[Ends, NDArray[np.int64]]:
    """The ends of names that match a path and can differ at one level only, and their components at that level."""
    size = len(view.tables.components)
    marks, row_of = np.zeros(size, np.uint8), np.empty(size, np.int64)
    if len(path) <= len(view.columns):
        mark_nodes(view.columns, view.depth[: view.count], path, level, marks, row_of)
    component = np.flatnonzero(marks)
    return Ends(row_of[component], marks[component]), component


def ends_of(view: View, rows: NDArray[np.intp], levels: int, differing: Sequence[int]) -> Ends:
    """The ends of some rows at the last of some levels; `differing` are those that they can differ at."""
    if not len(rows):
        return Ends.none()
    size = len(view.tables.components)
    code, number = np.zeros(len(rows), np.int64), 1
    for level in differing:
        number, code = _numbered(code * size + view.columns[level][rows], number * size)
    marks, row = np.zeros(number, np.uint8), np.empty(number, np.int64)
    deeper = view.depth[rows] > levels
    marks[code[~deeper]] = LEAF
    marks[code[deeper]] |= BRANCH
    row[code] = rows
    return Ends(row, marks)


def nodes(view: View, ends: Ends, levels: int) -> list[Node]:
    """The nodes at the last of some levels."""
    begin, end = _bounds(view, ends, levels)
    names = texts_of(view.tables.names.arrays.arena, begin, end)
    leaf, branch = (ends.marks & LEAF) != 0, (ends.marks & BRANCH) != 0
    return list(map(Node, names, _paths(view, ends, end), leaf.tolist(), branch.tolist()))


def paths(view: View, ends: Ends, levels: int) -> list[str]:
    """The paths of `nodes`."""
    return _paths(view, ends, _bounds(view, ends, levels)[1])


def _paths(view: View, ends: Ends, end: NDArray[np.int64]) -> list[str]:
    arrays = view.tables.names.arrays
    return texts_of(arrays.arena, arrays.offsets[ends.row], end)


def _bounds(view: View, ends: Ends, levels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where in the arena the last component of each begins, and where it ends."""
    arrays = view.tables.names.arrays
    begin, end = np.empty(len(ends.row), np.int64), np.empty(len(ends.row), np.int64)
    bounds_at(arrays.arena, arrays.offsets, ends.row, levels, view.depth[ends.row] == levels, begin, end)
    return begin, end


def _numbered(codes: NDArray[np.int64], below: int) -> tuple[int, NDArray[np.int64]]:
    """Codes replaced by dense numbers from 0, and how many there are; without sorting where the range is small."""
    if below <= max(4 * len(codes), 1 << 20):
        used = np.zeros(below, np.bool_)
        used[codes] = True
        numbers = np.cumsum(used) - 1
        return int(numbers[-1]) + 1, numbers[codes]
    distinct, inverse = np.unique(codes, return_inverse=True)
    return len(distinct), inverse.astype(np.int64)
