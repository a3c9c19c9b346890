"""Messages of our own protocol, in Avro: names, and batches of slots that a sender tallied.

See ``docs/internals/native.md``. A message is taken whole or not at all: what makes it unreadable is the sender's
fault, not a sample's.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.avro import BAD, read_block, read_long, read_size
from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.fields import fault_of_name
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, find_or_add
from tallystick.kernels.rows import Rows, reject
from tallystick.kernels.tally_rows import (
    BUCKETS,
    COUNT,
    LAST,
    M2,
    MAX,
    MIN,
    ROWS,
    SKETCH_BYTES,
    SUM,
    TallyRows,
    single_numbers,
)
from tallystick.model.kind import Kind

UNREADABLE = -1
"""The message is not written as the schema says."""
NAMES_FULL = -2
"""A name finds no room: reserve, and read the batch again."""
UNSEEN = -1000
"""In place of the entry of a name that was not asked for yet; below every negative `Reason`."""
_NO_ROOM = -1001
NUMBER, GENERATED, BLOCKED, TOLD = range(4)
"""Positions in what `read_batch` tells of a batch, and their number."""
NAME_BYTES_MIN = 6
"""An empty name of which nothing is said."""
_TEXTS = 4  # that may be said of a name

_KINDS = int(max(Kind)) + 1


class Dictionary(NamedTuple):
    """The names of one connection.

    Parameters
    ----------
    arena : uint8[bytes + PADDING]
        The names, back to back.
    offsets : int64[room + 1]
        Name ``i`` is ``arena[offsets[i]:offsets[i + 1]]``.
    kinds : uint8[room]
    statsd : bool[room]
        Of which the samples came by StatsD to who tallied them.
    entries : int32[room]
        The entry of each in the table of names; `UNSEEN` before it is asked for, or the negative `Reason` why no series
        can have the name.
    known : int64[1]
        How many there are.
    """

    arena: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    statsd: NDArray[np.bool_]
    entries: NDArray[np.int32]
    known: NDArray[np.int64]


@scanner
def read_names(buffer: np.ndarray, at: int, stop: int, said: Dictionary, described: np.ndarray) -> int:
    """Learn the names of a message, whose array begins at `at`.

    Parameters
    ----------
    said
        Has room for a name in each `NAME_BYTES_MIN` bytes of the message, and for all of these.
    described : int64[room]
        Becomes the positions of those names, as items of the array, of which something is said; room as in `said`.

    Returns
    -------
    int
        How many of `described` there are; `UNREADABLE`, and then no name is learnt.
    """
    known = said.known[0]
    told = 0
    while True:
        count, at = read_block(buffer, at, stop)
        if at == BAD:
            return UNREADABLE
        if count == 0:
            if at != stop:
                return UNREADABLE
            said.known[0] = known
            return told
        for _ in range(count):
            item = at
            length, at = read_size(buffer, at, stop)
            if at == BAD:
                return UNREADABLE
            start = at
            kind, at = read_long(buffer, at + length, stop)
            if at == BAD or not 0 <= kind < _KINDS:
                return UNREADABLE
            said_bytes = 0
            for _ in range(_TEXTS):
                size, at = read_size(buffer, at, stop)
                if at == BAD:
                    return UNREADABLE
                at += size
                said_bytes += size
            fault = fault_of_name(buffer, start, start + length)
            if said_bytes and fault == 0:
                described[told] = item
                told += 1
            kept = length if fault == 0 else 0
            begin = said.offsets[known]
            for i in range(kept):
                said.arena[begin + i] = buffer[start + i]
            said.offsets[known + 1] = begin + kept
            said.kinds[known] = kind
            said.statsd[known] = False
            said.entries[known] = UNSEEN if fault == 0 else -fault
            known += 1


@scanner
def read_origin(buffer: np.ndarray, at: int, stop: int, said: Dictionary, is_statsd: bool) -> int:
    """Note which names came by a protocol, in a message whose array begins at `at`.

    Parameters
    ----------
    is_statsd
        Whether that is StatsD; nothing is noted of others.

    Returns
    -------
    int
        How many names it tells; `UNREADABLE`, and then some of them may be noted.
    """
    told = 0
    while True:
        count, at = read_block(buffer, at, stop)
        if at == BAD:
            return UNREADABLE
        if count == 0:
            return told if at == stop else UNREADABLE
        for _ in range(count):
            number, at = read_long(buffer, at, stop)
            if at == BAD or not 0 <= number < said.known[0]:
                return UNREADABLE
            if is_statsd:
                said.statsd[number] = True
            told += 1


@inlined
def _entry_of(said: Dictionary, series: int, names: NameArrays) -> int:
    """The entry of a name, the negative reason why it has none, or `NO_ROOM`."""
    entry = np.int64(said.entries[series])
    if entry == UNSEEN:
        begin = said.offsets[series]
        entry = find_or_add(names, said.arena, begin, said.offsets[series + 1] - begin)
        if entry == NO_ROOM:
            return _NO_ROOM
        if entry == LIMIT:
            return -reasons.SERIES_LIMIT  # the next slot asks again
        said.entries[series] = entry
    return entry


@inlined
def _read_spread(buffer: np.ndarray, at: int, stop: int, rows: TallyRows, row: int, last: int) -> int:
    """The union of null and the five statistics beside the last value."""
    branch, at = read_long(buffer, at, stop)
    if at == BAD:
        return BAD
    if branch == 0:
        single_numbers(rows, row, last)
        return at
    if branch != 1 or stop - at < 40:
        return BAD
    numbers = rows.numbers[row]
    numbers[LAST] = last
    numbers[COUNT] = load_u64(buffer, at)
    numbers[SUM] = load_u64(buffer, at + 8)
    numbers[M2] = load_u64(buffer, at + 16)
    numbers[MIN] = load_u64(buffer, at + 24)
    numbers[MAX] = load_u64(buffer, at + 32)
    return at + 40


@inlined
def _read_buckets(buffer: np.ndarray, at: int, stop: int, rows: TallyRows) -> int:
    """The histogram, which most rows do not have."""
    while True:
        count, at = read_block(buffer, at, stop)
        if at == BAD or count == 0:
            return at
        for _ in range(count):
            bucket, at = read_long(buffer, at, stop)
            if at == BAD or stop - at < 8 or not -0x80000000 <= bucket <= 0x7FFFFFFF:
                return BAD
            k = rows.used[BUCKETS]
            rows.bucket[k] = bucket
            rows.weight[k] = load_u64(buffer, at)
            rows.used[BUCKETS] = k + 1
            at += 8


@scanner
def read_batch(
    buffer: np.ndarray,
    at: int,
    stop: int,
    said: Dictionary,
    names: NameArrays,
    rows: TallyRows,
    noted: Rows,
    told: np.ndarray,
) -> int:
    """Read a batch of slots behind those that `rows` has.

    Parameters
    ----------
    buffer : uint8[bytes]
        The batch begins at `at` and ends at `stop`.
    rows
        Has room for a row in each 13 bytes, a bucket in each 9, and a byte of sketches in each.
    noted
        Where slots are rejected whose names no series can have.
    told : int64[TOLD]
        Becomes `NUMBER`, `GENERATED` and `BLOCKED` of the batch.

    Returns
    -------
    int
        How many slots there were; `UNREADABLE` or `NAMES_FULL`, and then `rows` and `noted` are to be set back.
    """
    told[NUMBER], at = read_long(buffer, at, stop)
    told[GENERATED], at = read_long(buffer, at, stop)
    told[BLOCKED], at = read_long(buffer, at, stop)
    base_ms, at = read_long(buffer, at, stop)
    seen = 0
    while at != BAD:
        count, at = read_block(buffer, at, stop)
        if at == BAD or count == 0:
            return seen if at == stop else UNREADABLE
        for _ in range(count):
            start = at
            series, at = read_long(buffer, at, stop)
            offset_ms, at = read_long(buffer, at, stop)
            if at == BAD or stop - at < 8 or not 0 <= series < said.known[0]:
                return UNREADABLE
            row = rows.used[ROWS]
            at = _read_spread(buffer, at + 8, stop, rows, row, load_u64(buffer, at))
            buckets = rows.used[BUCKETS]
            at = _read_buckets(buffer, at, stop, rows)
            length, at = read_size(buffer, at, stop)
            if at == BAD:
                return UNREADABLE
            seen += 1
            entry = _entry_of(said, series, names)
            if entry == _NO_ROOM:
                return NAMES_FULL
            if entry < 0:
                reject(noted, -entry, start, at + length)
                rows.used[BUCKETS] = buckets
                at += length
                continue
            used_bytes = rows.used[SKETCH_BYTES]
            for i in range(length):
                rows.sketch[used_bytes + i] = buffer[at + i]
            at += length
            rows.used[SKETCH_BYTES] = used_bytes + length
            rows.ids[row] = entry
            rows.timestamp[row] = base_ms + offset_ms
            rows.kind[row] = said.kinds[series]
            rows.statsd[row] = said.statsd[series]
            rows.bucket_end[row] = rows.used[BUCKETS]
            rows.sketch_end[row] = used_bytes + length
            rows.used[ROWS] = row + 1
    return UNREADABLE
