"""Names taken apart: components between dots, tags behind semicolons; and a search through all of them."""

import numpy as np

from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.names import NO_ROOM, NameArrays, find_or_add
from tallystick.kernels.words import PADDING

LEVELS_MAX = 32
"""Components beyond the last level stay joined by dots, so that a hostile name cannot widen the table."""

_CASE = np.uint64(0x2020202020202020)
_DOT, _SEMICOLON, _EQUALS = 0x2E, 0x3B, 0x3D


@inlined
def _path_end(arena: np.ndarray, start: int, stop: int) -> int:
    """Where the tags begin, or `stop`."""
    while start < stop and arena[start] != _SEMICOLON:
        start += 1
    return start


@scanner
def deepest(names: NameArrays, first: int, count: int) -> int:
    """The most components, at most `LEVELS_MAX`, that a name from entry `first` to `count` has."""
    most = 0
    for entry in range(first, count):
        levels = 1
        stop = _path_end(names.arena, names.offsets[entry], names.offsets[entry + 1])
        for i in range(names.offsets[entry], stop):
            levels += names.arena[i] == _DOT
        most = max(most, levels)
    return min(most, LEVELS_MAX)


@scanner
def split_names(
    names: NameArrays, first: int, count: int, components: NameArrays, columns: np.ndarray, depth: np.ndarray
) -> int:
    """Fill a row of components for each name; tags belong to the last.

    Parameters
    ----------
    columns : int32[levels, series]
        Component of each series at each level; -1 beyond its depth.
    depth : uint8[series]

    Returns
    -------
    int
        `count`, or the name to go on with once `components` has more room.
    """
    for entry in range(first, count):
        begin, stop = names.offsets[entry], names.offsets[entry + 1]
        path_end = _path_end(names.arena, begin, stop)
        level = 0
        i = begin
        while True:
            last = level == LEVELS_MAX - 1
            while i < path_end and (last or names.arena[i] != _DOT):
                i += 1
            end = stop if i == path_end else i
            component = find_or_add(components, names.arena, begin, end - begin)
            if component == NO_ROOM:
                return entry
            columns[level, entry] = component
            level += 1
            if i == path_end:
                break
            i += 1
            begin = i
        depth[entry] = level
    return count


@scanner
def split_tags(
    names: NameArrays,
    first: int,
    count: int,
    keys: NameArrays,
    values: NameArrays,
    out: np.ndarray,
    progress: np.ndarray,
) -> int:
    """Write ``series, key, value`` for each tag of each name, and its path as the value of key 0.

    Parameters
    ----------
    out : int32[n, 3]
    progress : int64[1]
        Rows written.

    Returns
    -------
    int
        `count`, or the name to go on with once there is more room in `keys`, `values` or `out`.
    """
    rows = progress[0]
    for entry in range(first, count):
        start, stop = names.offsets[entry], names.offsets[entry + 1]
        i = _path_end(names.arena, start, stop)
        if i == stop:
            continue
        row = rows
        pairs = 1
        for k in range(i, stop):
            pairs += names.arena[k] == _SEMICOLON
        if rows + pairs > len(out):
            return entry
        out[row, 0], out[row, 1] = entry, 0
        out[row, 2] = find_or_add(values, names.arena, start, i - start)
        full = out[row, 2] == NO_ROOM
        row += 1
        while i < stop and not full:
            key = i + 1
            end = _path_end(names.arena, key, stop)
            equals = key
            while equals < end and names.arena[equals] != _EQUALS:
                equals += 1
            if equals < end:
                out[row, 0] = entry
                out[row, 1] = find_or_add(keys, names.arena, key, equals - key)
                out[row, 2] = find_or_add(values, names.arena, equals + 1, end - equals - 1)
                full = out[row, 1] == NO_ROOM or out[row, 2] == NO_ROOM
                row += 1
            i = end
        if full:
            return entry
        rows = row
        progress[0] = rows
    return count


@inlined
def _lower(byte: int) -> int:
    return byte + 32 if 0x41 <= byte <= 0x5A else byte


@scanner
def holding(arena: np.ndarray, offsets: np.ndarray, rows: np.ndarray, word: np.ndarray, out: np.ndarray) -> None:
    """Write whether each of the names `rows` holds the lower-case `word`, ASCII letters in any case.

    Parameters
    ----------
    word : uint8[m + PADDING]
        Not empty.
    out : bool[n]
    """
    length = len(word) - PADDING
    begin_mask = ~np.uint64(0) >> np.uint64(64 - 8 * min(length, 8))
    begin = (load_u64(word, 0) | _CASE) & begin_mask
    for k in range(len(rows)):
        stop = offsets[rows[k] + 1] - length
        found = False
        for i in range(offsets[rows[k]], stop + 1):
            # Eight bytes at once, taking some other bytes for letters; the bytes decide.
            if (load_u64(arena, i) | _CASE) & begin_mask == begin:
                same = 0
                while same < length and _lower(arena[i + same]) == word[same]:
                    same += 1
                if same == length:
                    found = True
                    break
        out[k] = found
