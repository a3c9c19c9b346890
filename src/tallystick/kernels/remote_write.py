"""Prometheus' remote write to columns: the messages of versions 1.0 and 2.0, decompressed.

::

    1.0  WriteRequest   1: TimeSeries*                    TimeSeries   1: Label*  2: Sample*  4: Histogram*
    2.0  Request        4: text*       5: TimeSeries*     TimeSeries   1: refs*   2: Sample*  3: Histogram*  5: Metadata
         Label          1: text  2: text                  Sample       1: double  2: milliseconds
         Metadata       1: type

Fields may come in any order, so a message is looked at twice (for symbols, then for series) and a series too (for its
labels, then for its samples). A name is made once a series. What is broken inside a length costs what that length
encloses; only a message whose own fields cannot be told apart ends there.

Histograms are not taken apart here: their bounds are noted beside the entry of their name, in the order of arrival.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.labels import UNKNOWN, append_label, append_path, kind_of, name_fault
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, learn, resolve
from tallystick.kernels.protobuf import (
    BAD,
    BYTES,
    FIXED64,
    VARINT,
    read_bounds,
    read_fixed64,
    read_key,
    read_varint,
    skip_field,
)
from tallystick.kernels.rows import (
    DONE,
    NAMES_FULL,
    POSITION,
    PREVIOUS,
    ROWS,
    SEEN,
    SPAN,
    TRUST,
    Rows,
    begin_span,
    reject,
)
from tallystick.kernels.words import same_bytes

LABELS_MAX = 512
"""More labels than have room in a name."""

STALE_BITS = np.uint64(0x7FF0000000000002)
"""The NaN that says that a series has ended."""

_METRIC_NAME = np.frombuffer(b"__name__", np.uint8)

# Fields of messages: of 1.0, then of 2.0; 0 is none.
_SERIES_FIELD = np.array([1, 5])
_SYMBOL_FIELD = 4
_LABELS_FIELD, _SAMPLES_FIELD, _METADATA_FIELD, _START_FIELD = 1, 2, 5, 6
_HISTOGRAMS_FIELD = np.array([4, 3])

# Positions in `WriteScratch.state`.
_SYMBOLS, _HISTOGRAMS, _PAIRS, _TYPE, _POINTS, _HALF, _START = 0, 1, 2, 3, 4, 5, 6
HISTOGRAMS = _HISTOGRAMS
"""Index into `WriteScratch.state`: histograms noted."""
STATE_SIZE = 7


class WriteScratch(NamedTuple):
    """Scratch memory, with room for what a message of `n` bytes can hold.

    Parameters
    ----------
    symbols : int32[n / 2 + 1]
        Where each symbol begins, at its length.
    pairs : int64[LABELS_MAX, 4]
        Bounds of key and value of each label of a series.
    histograms : int64[n / 2 + 1, 4]
        Entry of the name, bounds, and the start that its series tells, of each histogram.
    state : int64[STATE_SIZE]
    """

    symbols: NDArray[np.int32]
    pairs: NDArray[np.int64]
    histograms: NDArray[np.int64]
    state: NDArray[np.int64]


@inlined
def _read_symbols(buffer: np.ndarray, at: int, stop: int, scratch: WriteScratch) -> None:
    """Note where the symbols of a message are, as far as it can be read."""
    count = 0
    while at < stop:
        field, wire, value = read_key(buffer, at, stop)
        if value == BAD:
            break
        at = skip_field(buffer, wire, value, stop)
        if at == BAD:
            break
        if field == _SYMBOL_FIELD and wire == BYTES:
            scratch.symbols[count] = value
            count += 1
    scratch.state[_SYMBOLS] = count


@inlined
def _put_pair(scratch: WriteScratch, key: tuple[int, int], value: tuple[int, int]) -> int:
    """Note a label; returns `Reason.NONE` or why it cannot be one."""
    count = scratch.state[_PAIRS]
    if key[0] == key[1]:
        return reasons.TAG
    if count >= LABELS_MAX:
        return reasons.NAME_LONG
    pair = scratch.pairs[count]
    pair[0], pair[1], pair[2], pair[3] = key[0], key[1], value[0], value[1]
    scratch.state[_PAIRS] = count + 1
    return reasons.NONE


@inlined
def _read_label(buffer: np.ndarray, at: int, stop: int, scratch: WriteScratch) -> int:
    """Note a label of 1.0; returns `Reason.NONE` or its fault."""
    key, key_end, value, value_end = at, at, at, at
    while at < stop:
        field, wire, begin = read_key(buffer, at, stop)
        if begin == BAD:
            return reasons.FRAME
        if field <= 2 and wire == BYTES:
            begin, at = read_bounds(buffer, begin, stop)
            if field == 1:
                key, key_end = begin, at
            else:
                value, value_end = begin, at
        else:
            at = skip_field(buffer, wire, begin, stop)
        if at == BAD:
            return reasons.FRAME
    return _put_pair(scratch, (key, key_end), (value, value_end))


@inlined
def _put_reference(buffer: np.ndarray, message_stop: int, scratch: WriteScratch, reference: int) -> int:
    """Take the next reference of 2.0, of which two make a label; returns `Reason.NONE` or a fault."""
    state = scratch.state
    if reference >= np.uint64(state[_SYMBOLS]):
        return reasons.TAG
    begin = np.int64(scratch.symbols[np.int64(reference)])
    if state[_HALF] == 0:
        state[_HALF] = begin
        return reasons.NONE
    key = read_bounds(buffer, state[_HALF], message_stop)
    state[_HALF] = 0
    return _put_pair(scratch, key, read_bounds(buffer, begin, message_stop))


@inlined
def _read_references(buffer: np.ndarray, at: int, stop: int, message_stop: int, scratch: WriteScratch) -> int:
    """Take packed references; returns `Reason.NONE` or a fault."""
    fault = reasons.NONE
    while at < stop and fault == reasons.NONE:
        reference, at = read_varint(buffer, at, stop)
        if at == BAD:
            return reasons.FRAME
        fault = _put_reference(buffer, message_stop, scratch, reference)
    return fault


@inlined
def _read_type(buffer: np.ndarray, at: int, stop: int, told: int) -> int:
    """The type that metadata of 2.0 tells, or that was `told` before; `BAD` where it cannot be read."""
    type_ = np.uint64(told)
    while at < stop:
        field, wire, begin = read_key(buffer, at, stop)
        if begin == BAD:
            return BAD
        if field == 1 and wire == VARINT:
            type_, at = read_varint(buffer, begin, stop)
        else:
            at = skip_field(buffer, wire, begin, stop)
        if at == BAD:
            return BAD
    return np.int64(type_) if type_ < np.uint64(8) else UNKNOWN


@scanner
def _read_series(buffer: np.ndarray, at: int, stop: int, message_stop: int, two: int, scratch: WriteScratch) -> int:
    """Note labels, type and number of points of a series; returns `Reason.NONE`, or why it has no name.

    Where it is `Reason.FRAME` and the number of points is -1, its fields cannot be told apart.
    """
    state = scratch.state
    state[_PAIRS], state[_TYPE], state[_POINTS], state[_HALF], state[_START] = 0, UNKNOWN, 0, 0, 0
    fault = reasons.NONE
    while at < stop:
        field, wire, value = read_key(buffer, at, stop)
        end = skip_field(buffer, wire, value, stop) if value != BAD else BAD
        if end == BAD:
            state[_POINTS] = -1
            return reasons.FRAME
        at = end
        found = reasons.NONE
        if wire == VARINT and two and field == _LABELS_FIELD:
            reference, _ = read_varint(buffer, value, stop)
            found = _put_reference(buffer, message_stop, scratch, reference)
        elif wire == VARINT and two and field == _START_FIELD:
            start, _ = read_varint(buffer, value, stop)
            state[_START] = np.int64(start)
        if wire == BYTES:
            value, _ = read_bounds(buffer, value, stop)
        if wire == BYTES and field == _LABELS_FIELD:
            if two:
                found = _read_references(buffer, value, end, message_stop, scratch)
            else:
                found = _read_label(buffer, value, end, scratch)
        elif wire == BYTES and (field == _SAMPLES_FIELD or field == _HISTOGRAMS_FIELD[two]):
            state[_POINTS] += 1
        elif wire == BYTES and two and field == _METADATA_FIELD:
            state[_TYPE] = _read_type(buffer, value, end, state[_TYPE])
            if state[_TYPE] == BAD:
                state[_TYPE] = UNKNOWN
                found = reasons.FRAME
        if fault == reasons.NONE:
            fault = found
    return reasons.TAG if fault == reasons.NONE and state[_HALF] != 0 else fault


@inlined
def _is_metric_name(buffer: np.ndarray, pair: np.ndarray) -> bool:
    size = len(_METRIC_NAME)
    return pair[1] - pair[0] == size and same_bytes(buffer, pair[0], _METRIC_NAME, 0, size)


@scanner
def _write_name(buffer: np.ndarray, scratch: WriteScratch, taken: np.ndarray, out: np.ndarray) -> tuple[int, int, int]:
    """Write the name that the noted labels make; its length, that of the metric's name in it, and any fault."""
    count = scratch.state[_PAIRS]
    path = 0
    for k in range(count):
        pair = scratch.pairs[k]
        if _is_metric_name(buffer, pair):
            path = append_path(buffer, pair[2], pair[3], out, False)
    length = path
    for k in range(count):
        pair = scratch.pairs[k]
        if not _is_metric_name(buffer, pair):
            length = append_label(buffer, (pair[0], pair[1]), (pair[2], pair[3]), out, length, taken, False)
    return length, path, name_fault(out, path, length)


@inlined
def _read_sample(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int, int]:
    """Bits of the value and milliseconds of a sample, and `Reason.NONE` or its fault."""
    bits, ms = np.uint64(0), np.uint64(0)
    while at < stop:
        field, wire, begin = read_key(buffer, at, stop)
        if begin == BAD:
            return bits, 0, reasons.FRAME
        if field == 1 and wire == FIXED64:
            bits, at = read_fixed64(buffer, begin, stop)
        elif field == 2 and wire == VARINT:
            ms, at = read_varint(buffer, begin, stop)
        else:
            at = skip_field(buffer, wire, begin, stop)
        if at == BAD:
            return bits, 0, reasons.FRAME
    if np.int64(ms) <= 0:  # which also keeps the number of rows below a quarter of the bytes
        return bits, 0, reasons.TIMESTAMP
    if bits == STALE_BITS:
        return bits, 0, reasons.STALE
    if (bits >> np.uint64(52)) & np.uint64(0x7FF) == np.uint64(0x7FF):
        return bits, 0, reasons.VALUE_NOT_FINITE
    return bits, np.int64(ms), reasons.NONE


@scanner
def _take_points(
    buffer: np.ndarray,
    at: int,
    stop: int,
    two: int,
    entry: int,
    kind: int,
    fault: int,
    rows: Rows,
    scratch: WriteScratch,
) -> None:
    """Write the samples of a series as rows, and note its histograms; all are rejected where the series has a fault.

    What is noted of a reject is its series: in 1.0 that shows its labels to whoever looks for it.
    """
    progress = rows.progress
    series = at
    while at < stop:
        field, wire, begin = read_key(buffer, at, stop)
        at = skip_field(buffer, wire, begin, stop)
        if wire != BYTES or (field != _SAMPLES_FIELD and field != _HISTOGRAMS_FIELD[two]):
            continue
        begin, _ = read_bounds(buffer, begin, stop)
        progress[SEEN] += 1
        if fault != reasons.NONE:
            reject(rows, fault, series, stop)
        elif field == _SAMPLES_FIELD:
            bits, ms, found = _read_sample(buffer, begin, at)
            if found != reasons.NONE:
                reject(rows, found, series, stop)
                continue
            row = progress[ROWS]
            rows.ids[row] = entry
            rows.timestamp[row] = ms
            rows.value[row] = bits
            rows.weight[row] = 1.0
            rows.kind[row] = kind
            progress[ROWS] = row + 1
        else:
            noted = scratch.histograms[scratch.state[_HISTOGRAMS]]
            noted[0], noted[1], noted[2], noted[3] = entry, begin, at, scratch.state[_START]
            scratch.state[_HISTOGRAMS] += 1


@scanner
def parse_messages(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    two: int,
    names: NameArrays,
    rows: Rows,
    scratch: WriteScratch,
    taken: np.ndarray,
) -> int:
    """Read the messages of a buffer.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the last message.
    offsets : int64[s]
    lengths : int32[s]
        The messages.
    two
        1 for messages of version 2.0, 0 for those of 1.0.
    scratch
        With room for the longest message; its state is 0 before the first call.
    taken : uint8[k]
        Keys of labels, as of `tallystick.kernels.labels.keys_taken`.

    Returns
    -------
    int
        `DONE` or `NAMES_FULL`.
    """
    progress = rows.progress
    while progress[SPAN] < len(offsets):
        span = progress[SPAN]
        start = offsets[span]
        stop = start + lengths[span]
        at = progress[POSITION]
        if at < 0:
            begin_span(rows, span, progress[ROWS], progress[SEEN])
            at = start
            if two:
                _read_symbols(buffer, start, stop, scratch)
        while at < stop:
            field, wire, value = read_key(buffer, at, stop)
            end = skip_field(buffer, wire, value, stop) if value != BAD else BAD
            if end == BAD:
                reject(rows, reasons.FRAME, start, stop)
                progress[SEEN] += 1
                break
            if field != _SERIES_FIELD[two] or wire != BYTES:
                at = end
                continue
            value, _ = read_bounds(buffer, value, stop)
            fault = _read_series(buffer, value, end, stop, two, scratch)
            if scratch.state[_POINTS] < 0:
                reject(rows, reasons.FRAME, value, end)
                progress[SEEN] += 1
            elif scratch.state[_POINTS] > 0:
                entry, length, path = np.int64(LIMIT), 0, 0
                if fault == reasons.NONE:
                    length, path, fault = _write_name(buffer, scratch, taken, rows.name)
                if fault == reasons.NONE:
                    previous, trust = progress[PREVIOUS], progress[TRUST]
                    entry, hit = resolve(names, rows.name, 0, length, previous, trust, progress[SEEN])
                    if entry == NO_ROOM:
                        progress[POSITION] = at
                        return NAMES_FULL
                    if entry == LIMIT:
                        fault = reasons.SERIES_LIMIT
                    else:
                        progress[TRUST] = learn(names, previous, entry, trust, hit)
                        progress[PREVIOUS] = entry
                kind = kind_of(rows.name, path, scratch.state[_TYPE])
                _take_points(buffer, value, end, two, entry, kind, fault, rows, scratch)
            at = end
        progress[SPAN] = span + 1
        progress[POSITION] = -1
    return DONE
