"""Entries of names by who sent them: a hash table from an entry and a class of senders to another entry."""

import numpy as np

from tallystick.kernels.compile import inlined, scanner

FREE = -1
_MIX = np.uint64(0x9E3779B97F4A7C15)


@inlined
def _place(keys: np.ndarray, key: int) -> int:
    """Where a key is, or the free place where it would be."""
    mask = np.uint64(len(keys) - 1)
    mixed = np.uint64(key) * _MIX
    at = (mixed ^ (mixed >> np.uint64(32))) & mask
    while keys[at] != FREE and keys[at] != key:
        at = (at + np.uint64(1)) & mask
    return np.int64(at)


@scanner
def find_variants(ids: np.ndarray, classes: np.ndarray, keys: np.ndarray, values: np.ndarray, out: np.ndarray) -> int:
    """Write the variant of each row's entry, -1 where there is none yet; returns how many of these there are.

    Parameters
    ----------
    ids : int32[n]
        Entries.
    classes : int32[n]
        Of the senders.
    keys : int64[power of two], values : int32[same]
        The table, open addressing: the class above the entry, `FREE` where nothing is.
    out : int32[n]
        Output.
    """
    missing = 0
    for row in range(len(ids)):
        key = (np.int64(classes[row]) << 32) | np.int64(ids[row])
        at = _place(keys, key)
        if keys[at] == FREE:
            out[row] = -1
            missing += 1
        else:
            out[row] = values[at]
    return missing


@scanner
def add_variants(new_keys: np.ndarray, new_values: np.ndarray, keys: np.ndarray, values: np.ndarray) -> None:
    """Put keys into a table that has room for them: int64[k], int32[k]."""
    for k in range(len(new_keys)):
        at = _place(keys, new_keys[k])
        keys[at] = new_keys[k]
        values[at] = new_values[k]
