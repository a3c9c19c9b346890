"""Which account and prefix each sample of a batch belongs to, and how many each of them has: the ledger's one loop."""

import numpy as np

from tallystick.kernels.beginnings import HOST_DEPTH, beginning_end
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, find_or_add

UNDECIDED = 0
"""What a name's prefix is before anybody looked."""
OTHER = 1
"""The prefix of all names that found no place among the prefixes."""
NAMED = 2
"""The first prefix that has a name of its own: entry 0 of the table of prefixes."""


@inlined
def _end_run(cells: np.ndarray, counts: np.ndarray, cell: int, began: int, row: int) -> None:
    """Write and count a run of rows of one cell."""
    if row > began:
        counts[cell] += row - began
        for k in range(began, row):
            cells[k] = cell


@inlined
def _take_counts(counts: np.ndarray, touched: np.ndarray, found: int, shares: np.ndarray) -> None:
    """Move what was counted to the shares."""
    for k in range(found):
        shares[k] = counts[touched[k]]
        counts[touched[k]] = 0


@scanner
def attribute(
    ids: np.ndarray,
    prefixes: np.ndarray,
    ends: np.ndarray,
    accounts: np.ndarray,
    place: np.ndarray,
    cells: np.ndarray,
    counts: np.ndarray,
    touched: np.ndarray,
    shares: np.ndarray,
) -> int:
    """Write the cell of each row, and count the rows of each cell.

    Parameters
    ----------
    ids : int32[n]
        Entries of the name table.
    prefixes : uint16[entries]
        Prefix of each entry.
    ends : int64[s], accounts : int32[s]
        Behind which row each sender's stretch ends, and its account.
    place : int32[accounts, prefixes]
        The cell of an account and a prefix; -1 where there is none yet.
    cells : int32[n]
        Output.
    counts : int64[all cells]
        Zeros, before and after.
    touched : int32[all cells], shares : int64[all cells]
        Output: the cells that rows belong to, and how many rows each has.

    Returns
    -------
    int
        Number of cells touched; -1 where a row's prefix is undecided or its cell is not there yet.
    """
    row, found = 0, 0
    for k in range(len(ends)):
        account, stop = accounts[k], ends[k]
        last, cell, began = UNDECIDED, -1, row  # names that follow each other mostly have one prefix
        while row < stop:
            prefix = prefixes[ids[row]]
            if prefix != last:
                _end_run(cells, counts, cell, began, row)
                last, began = prefix, row
                cell = place[account, prefix]
                if prefix == UNDECIDED or cell < 0:
                    _take_counts(counts, touched, found, shares)
                    return -1
                if counts[cell] == 0:
                    touched[found] = cell
                    found += 1
            elif prefix == UNDECIDED:
                _take_counts(counts, touched, found, shares)
                return -1
            row += 1
        _end_run(cells, counts, cell, began, row)
    _take_counts(counts, touched, found, shares)
    return found


@scanner
def add_shares(
    counts: np.ndarray,
    cells: np.ndarray,
    shares: np.ndarray,
    first: int,
    stop: int,
    passed: np.ndarray,
    own: np.ndarray,
    samples: int,
) -> None:
    """Add the shares of cells to the terms ``first..stop`` of a window, and `samples` to those of two sums.

    Parameters
    ----------
    counts : int64[all cells, terms]
    cells : int32[k]
    shares : int64[k]
    passed, own : int64[terms]
        What passed of a source, and of the batch.
    """
    for term in range(first, stop):
        passed[term] += samples
        own[term] += samples
        for k in range(len(cells)):
            counts[cells[k], term] += shares[k]


@scanner
def decide_prefixes(
    names: NameArrays, entries: np.ndarray, first: int, depth: int, table: NameArrays, prefixes: np.ndarray
) -> int:
    """Decide the prefixes of ``entries[first:]``; stops where the table of prefixes has no room, at the position given.

    The prefix is the first `depth` components of the name, without its last one and without tags; the last component
    alone where there is no other. It tells hosts of the planned tree apart, see `beginning_end`.
    """
    for k in range(first, len(entries)):
        entry = entries[k]
        start, stop = names.offsets[entry], names.offsets[entry + 1]
        end = beginning_end(names.arena, start, stop, depth, HOST_DEPTH)
        found = find_or_add(table, names.arena, start, end - start)
        if found == NO_ROOM:
            return k
        prefixes[entry] = OTHER if found == LIMIT else found + NAMED
    return len(entries)
