"""Value lists that were read, by Python or by a kernel, to columns: what becomes of them, however they came."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.collectd_names import Naming
from tallystick.kernels.collectd_values import (
    Told,
    appends_source,
    refuse_all,
    take_value,
    tell,
    write_common,
)
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.names import NameArrays, has_room
from tallystick.kernels.rows import DONE, NAMES_FULL, POSITION, ROWS, SEEN, Rows, note_hard
from tallystick.model.name import NAME_BYTES_MAX


class Lists(NamedTuple):
    """Value lists, each with its texts and its values.

    Parameters
    ----------
    buffer : uint8[m]
        All texts.
    texts : int64[n, TEXTS_SIZE]
        Where those of each list are, as `tallystick.kernels.collectd_names` counts them.
    time_ms : int64[n]
        0 for none that can be held.
    fault : uint8[n]
        Why a list is not taken: it then has a single value, that means nothing, and its host is what is told of it.
        `Reason.NONE` for a good one.
    first : int64[n + 1]
        The values of list ``i`` are ``first[i]`` to ``first[i + 1]``.
    source : int64[v, 2]
        Where the name of each value is.
    value : float64[v]
    hard : int64[v, 2]
        Where in the parsed buffer a number stands that Python must convert: position and length; 0 for any other one.
    kind : uint8[v]
        As packets number them.
    """

    buffer: NDArray[np.uint8]
    texts: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    fault: NDArray[np.uint8]
    first: NDArray[np.int64]
    source: NDArray[np.int64]
    value: NDArray[np.float64]
    hard: NDArray[np.int64]
    kind: NDArray[np.uint8]


@inlined
def take_list(
    lists: Lists,
    i: int,
    bounds: tuple[int, int],
    at: int,
    names: NameArrays,
    rows: Rows,
    naming: Naming,
    told: Told,
) -> int:
    """Take the values of a good list, which lies at `bounds`, from value `at` on.

    Returns
    -------
    int
        The value that finds no room for its name, or the end.
    """
    first, stop = lists.first[i], lists.first[i + 1]
    texts = lists.texts[i]
    whole, stem, fault = write_common(lists.buffer, texts, naming, rows.name)
    if fault == reasons.NONE and lists.time_ms[i] <= 0:
        fault = reasons.TIMESTAMP
    appended = appends_source(naming, stop - first)
    for k in range(max(at, first), stop):
        if not has_room(names, NAME_BYTES_MAX):
            return k
        if fault != reasons.NONE:
            refuse_all(rows, told, fault, bounds, lists.buffer, texts, (rows.name, whole))
            continue
        start, end = (lists.source[k, 0], lists.source[k, 1]) if appended else (np.int64(0), np.int64(0))
        row = rows.progress[ROWS]
        take_value(
            lists.buffer,
            texts,
            naming,
            (whole, stem),
            (lists.buffer, start, end),
            (lists.time_ms[i], lists.value[k], np.int64(lists.kind[k])),
            bounds,
            names,
            rows,
            told,
        )
        if lists.hard[k, 1] > 0 and rows.progress[ROWS] > row:
            note_hard(rows, row, lists.hard[k, 0], lists.hard[k, 0] + lists.hard[k, 1])
    return stop


@scanner
def parse_lists(
    lists: Lists, bounds: tuple[int, int], names: NameArrays, rows: Rows, naming: Naming, told: Told
) -> int:
    """Take all lists of a body, which lies at `bounds`; `DONE`, or `NAMES_FULL` before the value at the position."""
    progress = rows.progress
    for i in range(len(lists.fault)):
        at, stop = max(progress[POSITION], lists.first[i]), lists.first[i + 1]
        if at >= stop:
            continue
        if lists.fault[i] == reasons.NONE:
            at = take_list(lists, i, bounds, at, names, rows, naming, told)
        else:
            progress[SEEN] += 1
            texts = lists.texts[i]
            tell(rows, told, np.int64(lists.fault[i]), bounds[0], bounds[1], lists.buffer, texts[0], texts[1])
            at = stop
        progress[POSITION] = at
        if at < stop:
            return NAMES_FULL
    return DONE
