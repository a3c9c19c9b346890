"""Value lists that Python has decoded, of JSON or of commands, to columns: names and rows are the kernel's work."""

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
from tallystick.kernels.compile import scanner
from tallystick.kernels.names import NameArrays, has_room
from tallystick.kernels.rows import DONE, NAMES_FULL, POSITION, ROWS, SEEN, SPAN, Rows, begin_span
from tallystick.model.name import NAME_BYTES_MAX


class Lists(NamedTuple):
    """Value lists, each with its texts and its values.

    Parameters
    ----------
    began : int64[bodies + 1]
        The lists of body ``b`` are ``began[b]`` to ``began[b + 1]``.
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
    kind : uint8[v]
        As packets number them.
    """

    began: NDArray[np.int64]
    buffer: NDArray[np.uint8]
    texts: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    fault: NDArray[np.uint8]
    first: NDArray[np.int64]
    source: NDArray[np.int64]
    value: NDArray[np.float64]
    kind: NDArray[np.uint8]


@scanner
def _take_list(lists: Lists, i: int, at: int, names: NameArrays, rows: Rows, naming: Naming, told: Told) -> int:
    """Take the values of a list from value `at` on; gives the one that finds no room for its name, or the end."""
    first, stop = lists.first[i], lists.first[i + 1]
    texts = lists.texts[i]
    nowhere = (np.int64(0), np.int64(0))
    if lists.fault[i] != reasons.NONE:
        rows.progress[SEEN] += 1
        tell(rows, told, np.int64(lists.fault[i]), 0, 0, lists.buffer, texts[0], texts[1])
        return stop
    whole, stem, fault = write_common(lists.buffer, texts, naming, rows.name)
    if fault == reasons.NONE and lists.time_ms[i] <= 0:
        fault = reasons.TIMESTAMP
    appended = appends_source(naming, stop - first)
    for k in range(at, stop):
        if not has_room(names, NAME_BYTES_MAX):
            return k
        if fault != reasons.NONE:
            refuse_all(rows, told, fault, nowhere, lists.buffer, texts, (rows.name, whole))
            continue
        start, end = (lists.source[k, 0], lists.source[k, 1]) if appended else nowhere
        take_value(
            lists.buffer,
            texts,
            naming,
            (whole, stem),
            (lists.buffer, start, end),
            (lists.time_ms[i], lists.value[k], np.int64(lists.kind[k])),
            nowhere,
            names,
            rows,
            told,
        )
    return stop


@scanner
def parse_lists(lists: Lists, names: NameArrays, rows: Rows, naming: Naming, told: Told) -> int:
    """Take all lists, each body a span; `DONE`, or `NAMES_FULL` before a value."""
    progress = rows.progress
    while progress[SPAN] < len(lists.began) - 1:
        span = progress[SPAN]
        if progress[POSITION] < 0:
            begin_span(rows, span, progress[ROWS], progress[SEEN])
        for i in range(lists.began[span], lists.began[span + 1]):
            at = max(progress[POSITION], lists.first[i])
            if at < lists.first[i + 1]:
                at = _take_list(lists, i, at, names, rows, naming, told)
                if at < lists.first[i + 1]:
                    progress[POSITION] = at
                    return NAMES_FULL
        progress[SPAN] = span + 1
        progress[POSITION] = -1
    return DONE
