"""The tree of names: which rows of component columns match a path, and which nodes stand at its end.

`columns` is int32[levels, rows], the component of each name at each level; `depth` is uint8[rows], its levels, 0 where
a row is no name any more. A path is int32[n], a component for each level or `ANY`.
"""

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined, scanner

ANY = -1
LEAF, BRANCH = 1, 2
_DOT = 0x2E


@inlined
def _key_of(path: np.ndarray) -> int:
    """The last level of a path that is not `ANY`, or -1: components differ most there, so it is looked at first."""
    level = len(path) - 1
    while level >= 0 and path[level] == ANY:
        level -= 1
    return level


@inlined
def _matches(columns: np.ndarray, row: int, path: np.ndarray, key: int) -> bool:
    """Whether the components of a row before `key` are those of a path."""
    level = key - 1
    while level >= 0 and (path[level] == ANY or columns[level, row] == path[level]):
        level -= 1
    return level < 0


@scanner
def matching_rows(
    columns: NDArray[np.int32], depth: NDArray[np.uint8], path: NDArray[np.int32], deeper: bool, out: NDArray[np.int64]
) -> int:
    """Write the rows that match a path, of its depth or also deeper; gives how many they are.

    Parameters
    ----------
    out : int64[rows]
    """
    n = 0
    key = _key_of(path)
    for row in range(len(depth)):
        if key >= 0 and columns[key, row] != path[key]:
            continue
        if (depth[row] == len(path) or (deeper and depth[row] > len(path))) and _matches(columns, row, path, key):
            out[n] = row
            n += 1
    return n


@scanner
def mark_nodes(
    columns: NDArray[np.int32],
    depth: NDArray[np.uint8],
    path: NDArray[np.int32],
    level: int,
    marks: NDArray[np.uint8],
    row_of: NDArray[np.int64],
) -> None:
    """Mark the components that names matching a path have at one level, which is all they differ in.

    Parameters
    ----------
    marks : uint8[components]
        Set to `LEAF` where a name ends with the path, `BRANCH` where one goes on, or both.
    row_of : int64[components]
        Set to a row of each that is marked.
    """
    key = _key_of(path)
    branch = -1
    for row in range(len(depth)):
        component = columns[level, row]
        # Names of one host follow each other: that it is a branch needs to be found out once.
        if component == branch and depth[row] > len(path):
            continue
        if key >= 0 and columns[key, row] != path[key]:
            continue
        if depth[row] >= len(path) and _matches(columns, row, path, key):
            marks[component] |= LEAF if depth[row] == len(path) else BRANCH
            row_of[component] = row
            branch = component if depth[row] > len(path) else -1


@scanner
def bounds_at(
    arena: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    rows: NDArray[np.int64],
    levels: int,
    last: NDArray[np.bool_],
    begin: NDArray[np.int64],
    end: NDArray[np.int64],
) -> None:
    """For each name, where in the arena its component at the last of some levels begins and ends.

    Parameters
    ----------
    last : bool[n]
        Whether the name has no more levels: tags belong to the last one, dots and all.
    begin, end : int64[n]
        Set.
    """
    for i in range(len(rows)):
        at, stop = offsets[rows[i]], offsets[rows[i] + 1]
        for _ in range(levels - 1):
            while arena[at] != _DOT:
                at += 1
            at += 1
        begin[i] = at
        if not last[i]:
            while arena[at] != _DOT:
                at += 1
            stop = at
        end[i] = stop
