"""Entries of a name table to series ids, by one look-up a row."""

import numpy as np

from tallystick.kernels.compile import scanner


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


@scanner
def in_normal_form(arena: np.ndarray, offsets: np.ndarray, entries: np.ndarray, out: np.ndarray) -> None:
    """Whether each name has neither tags nor an empty component, so that it is a series' name as it stands.

    Parameters
    ----------
    arena : uint8[bytes], offsets : int64[n + 1]
        The names of a table; see `tallystick.kernels.names.NameArrays`.
    entries : int32[k]
        Which of them.
    out : bool[k]
    """
    for k in range(len(entries)):
        previous = 0x2E
        plain = True
        for at in range(offsets[entries[k]], offsets[entries[k] + 1]):
            byte = arena[at]
            if byte == 0x3B or (byte == 0x2E and previous == 0x2E):
                plain = False
                break
            previous = byte
        out[k] = plain and previous != 0x2E
