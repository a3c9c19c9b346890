"""Where parsing kernels write: columns of samples, the rejects, and how far they came."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.compile import inlined
from tallystick.model.name import NAME_BYTES_MAX

DONE = 0
"""Everything was parsed."""
NAMES_FULL = 1
"""The kernel stands before a line whose name finds no room: reserve and call again."""

SPAN = 0
"""Index into `Rows.progress`: the span that the kernel stands in."""
POSITION = 1
"""Where in the buffer it stands, at the start of a line; -1 before a span's start."""
ROWS = 2
"""Samples written."""
SEEN = 3
"""Samples and unusable lines seen."""
REJECTS = 4
"""Rejects that were noted with their place."""
HARD_ROWS = 5
"""Numbers that Python must convert."""
PREVIOUS = 6
"""Entry of the last line's name, or -1."""
TRUST = 7
"""How far guesses of the next name are to be trusted."""
PROGRESS_SIZE = 8

NAME_SCRATCH_BYTES = NAME_BYTES_MAX + 64
"""Room for the longest name, one more short piece, and the padding behind it."""


class Rows(NamedTuple):
    """Preallocated output of a parsing kernel, with room for the most samples that the input can hold.

    Parameters
    ----------
    ids : int32[n]
    timestamp : int64[n]
    value : uint64[n]
        The bits of the float64: no kernel may change those of a set's members.
    weight : float64[n]
    kind : uint8[n]
        As in `SampleBatch`; carbon leaves weight and kind alone.
    hard : int64[n, 3]
        Row, position and length of numbers that the kernel could not convert exactly.
    reject_offset : int64[r]
    reject_length : int32[r]
    reject_reason : uint8[r]
        The first rejects, with their place in the buffer.
    reject_counts : int64[reasons]
        All rejects, by reason.
    began : int64[n, 2]
        Samples written, and samples and unusable lines seen, before each span.
    progress : int64[PROGRESS_SIZE]
    name : uint8[NAME_SCRATCH_BYTES]
        A name under construction.
    """

    ids: NDArray[np.int32]
    timestamp: NDArray[np.int64]
    value: NDArray[np.uint64]
    weight: NDArray[np.float64]
    kind: NDArray[np.uint8]
    hard: NDArray[np.int64]
    reject_offset: NDArray[np.int64]
    reject_length: NDArray[np.int32]
    reject_reason: NDArray[np.uint8]
    reject_counts: NDArray[np.int64]
    began: NDArray[np.int64]
    progress: NDArray[np.int64]
    name: NDArray[np.uint8]


@inlined
def begin_span(rows: Rows, span: int, row: int, seen: int) -> None:
    """Note how many samples came before a span, so that each can be told by the datagram it came in."""
    rows.began[span, 0] = row
    rows.began[span, 1] = seen


@inlined
def reject(rows: Rows, reason: int, start: int, stop: int) -> None:
    """Count a reject, and note its place while there is room."""
    rows.reject_counts[reason] += 1
    at = rows.progress[REJECTS]
    if at < len(rows.reject_offset):
        rows.reject_offset[at] = start
        rows.reject_length[at] = stop - start
        rows.reject_reason[at] = reason
        rows.progress[REJECTS] = at + 1


@inlined
def note_hard(rows: Rows, row: int, start: int, stop: int) -> None:
    """Leave the number of a row, ``buffer[start:stop]``, to Python."""
    at = rows.progress[HARD_ROWS]
    rows.hard[at, 0] = row
    rows.hard[at, 1] = start
    rows.hard[at, 2] = stop - start
    rows.progress[HARD_ROWS] = at + 1
