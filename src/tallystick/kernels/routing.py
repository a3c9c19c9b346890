"""Entries of a name table to series ids, by one look-up a row; those that are new to the names of series."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.words import same_bytes
from tallystick.model.name import NAME_BYTES_MAX

_DOT, _SEMICOLON, _EQUALS, _TILDE, _EXCLAMATION, _CARET = 0x2E, 0x3B, 0x3D, 0x7E, 0x21, 0x5E
_SPACE, _DELETE = 0x20, 0x7F

TAGS_MAX = NAME_BYTES_MAX // 4 + 1
"""More tags than have room in a name: each takes a semicolon, a key, an equals sign and a value."""
_GAPS = np.array([121, 40, 13, 4, 1])  # Knuth's, of Shell's sort: so many tags are sorted in 5,000 comparisons


@scanner
def look_up(
    ids: np.ndarray, kinds: np.ndarray, target: np.ndarray, kind_of: np.ndarray, flags: int, alike: int, out: np.ndarray
) -> tuple[int, int]:
    """Write the target of each row's entry.

    Parameters
    ----------
    ids : int32[n]
        Entries.
    kinds : uint8[n]
        Kinds of the rows, with `flags` that do not count.
    target : int32[entries]
        Series ids, negative where there is none.
    kind_of : uint8[entries]
        Kinds of the series.
    alike
        By which bits two kinds differ that are taken for each other in rows without flags.
    out : int32[n]
        The target, or -1 where there is none or its kind is another.

    Returns
    -------
    missing, other
        Number of rows without a target, and of those whose series has the kind alike.
    """
    missing = other = 0
    for row in range(len(ids)):
        entry = ids[row]
        series = target[entry]
        different = np.int64(kind_of[entry]) ^ (np.int64(kinds[row]) & ~flags)
        if series >= 0 and different == alike and kinds[row] & flags == 0:
            other += 1
        elif series < 0 or different != 0:
            series = -1
            missing += 1
        out[row] = series
    return missing, other


@inlined
def _write_path(arena: np.ndarray, i: int, stop: int, out: np.ndarray, begin: int) -> tuple[int, int]:
    """Write what stands before the tags without empty components; where they begin, and the end of what is written."""
    at = begin
    while i < stop and arena[i] != _SEMICOLON:
        if arena[i] != _DOT or (at > begin and out[at - 1] != _DOT):
            out[at] = arena[i]
            at += 1
        i += 1
    return i, at - 1 if at > begin and out[at - 1] == _DOT else at


@inlined
def _read_tags(arena: np.ndarray, i: int, stop: int, tags: np.ndarray) -> int:
    """Note where key and value of each tag are, from the semicolon on; how many there are, or -1 if one is none."""
    count = 0
    while i < stop:
        key = end = i + 1
        equals = 0
        while end < stop and arena[end] != _SEMICOLON:
            if equals == 0:
                if arena[end] == _EQUALS:
                    equals = end
                elif arena[end] == _EXCLAMATION or arena[end] == _CARET:
                    return -1
            end += 1
        if equals <= key or equals + 1 == end or arena[equals + 1] == _TILDE:
            return -1
        tags[count, 0], tags[count, 1], tags[count, 2] = key, equals, end
        count += 1
        i = end
    return count


@inlined
def _comes_first(arena: np.ndarray, tag: np.ndarray, other: np.ndarray) -> bool:
    """Whether a tag sorts before another: by its key, and those of one key as they stand in the name."""
    size, other_size = tag[1] - tag[0], other[1] - other[0]
    for k in range(min(size, other_size)):
        byte, other_byte = arena[tag[0] + k], arena[other[0] + k]
        if byte != other_byte:
            return byte < other_byte
    return size < other_size or (size == other_size and tag[0] < other[0])


@inlined
def _sort_tags(arena: np.ndarray, tags: np.ndarray, count: int) -> None:
    for gap in _GAPS:
        for k in range(gap, count):
            at = k
            while at >= gap and _comes_first(arena, tags[at], tags[at - gap]):
                for column in range(3):
                    kept = tags[at, column]
                    tags[at, column] = tags[at - gap, column]
                    tags[at - gap, column] = kept
                at -= gap


@inlined
def _write_tags(arena: np.ndarray, tags: np.ndarray, count: int, out: np.ndarray, at: int) -> int:
    """Write sorted tags, of those of one key the last; returns the end of what is written."""
    for k in range(count):
        key, equals, end = tags[k, 0], tags[k, 1], tags[k, 2]
        size = equals - key
        if (
            k + 1 < count
            and tags[k + 1, 1] - tags[k + 1, 0] == size
            and same_bytes(arena, tags[k + 1, 0], arena, key, size)
        ):
            continue
        for i in range(key - 1, end):
            out[at] = arena[i]
            at += 1
    return at


@inlined
def _is_printable(arena: np.ndarray, start: int, stop: int) -> bool:
    printable = True
    for i in range(start, stop):
        printable &= arena[i] > _SPACE and arena[i] != _DELETE
    return printable


@scanner
def write_normal(
    arena: np.ndarray,
    offsets: np.ndarray,
    entries: np.ndarray,
    tags: np.ndarray,
    out: np.ndarray,
    ends: np.ndarray,
    faults: np.ndarray,
) -> int:
    """Write names in their normal form, as `tallystick.route.normal.normal` has it, back to back.

    Parameters
    ----------
    arena : uint8[bytes], offsets : int64[n + 1]
        The names of a table; see `tallystick.kernels.names.NameArrays`.
    entries : int32[k]
        Which of them.
    tags : int64[TAGS_MAX, 3]
        Scratch.
    out : uint8[m]
        With room for all of them as they are.
    ends : int64[k + 1]
        Output: 0, and where each name that was written ends.
    faults : uint8[k]
        Output: `Reason.NONE`, or why a name was not written.

    Returns
    -------
    int
        How many were written.
    """
    written = 0
    ends[0] = 0
    for k in range(len(entries)):
        start, stop = offsets[entries[k]], offsets[entries[k] + 1]
        begin = ends[written]
        i, at = _write_path(arena, start, stop, out, begin)
        fault, count = reasons.NONE, 0
        if at == begin:
            fault = reasons.NAME_EMPTY
        elif stop - start > NAME_BYTES_MAX:
            fault = reasons.NAME_LONG
        elif not _is_printable(arena, start, stop):
            fault = reasons.NAME_BYTES
        else:
            count = _read_tags(arena, i, stop, tags)
            fault = reasons.TAG if count < 0 else reasons.NONE
        faults[k] = fault
        if fault == reasons.NONE:
            _sort_tags(arena, tags, count)
            written += 1
            ends[written] = _write_tags(arena, tags, count, out, at)
    return written
