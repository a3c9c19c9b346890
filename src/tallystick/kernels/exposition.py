r"""Prometheus' text format and OpenMetrics to columns; the grammar is in `tallystick.parse.exposition`.

A line is read once, from left to right, and its name written as it is read; what stands before its value is not, where
it is as it was the last time (`tallystick.kernels.heads`). What a ``# TYPE`` line says is remembered for the lines
behind it, also in the next piece of the same text.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, load_u64, scanner
from tallystick.kernels.fields import is_blank, skip_blanks
from tallystick.kernels.heads import Heads, confirm, recall, remember
from tallystick.kernels.labels import (
    COUNTER,
    GAUGE,
    GAUGE_HISTOGRAM,
    HISTOGRAM,
    INFO,
    STATE_SET,
    SUMMARY,
    TOO_LONG,
    UNKNOWN,
    append_label,
    append_path,
    is_ending,
    kind_of,
    name_fault,
)
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, hash_name, learn, resolve
from tallystick.kernels.numbers import EXACT, HARD, NOT_A_NUMBER, is_not_finite, read_number
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
    note_hard,
    reject,
)
from tallystick.kernels.words import find_newline, same_bytes, trailing_zeros
from tallystick.model.name import NAME_BYTES_MAX

_NEWLINE, _RETURN, _HASH, _QUOTE, _COMMA, _EQUALS = 0x0A, 0x0D, 0x23, 0x22, 0x2C, 0x3D
_OPEN, _CLOSE, _BACKSLASH, _MINUS = 0x7B, 0x7D, 0x5C, 0x2D
_ONES = np.uint64(0x0101010101010101)
_HIGH = np.uint64(0x8080808080808080)
_QUOTES, _BACKSLASHES = np.uint64(_QUOTE) * _ONES, np.uint64(_BACKSLASH) * _ONES
_DIGITS_MAX = 15
_SECONDS_MAX = 9_000_000_000_000.0

_IN_NAMES = np.zeros(256, np.bool_)
_IN_NAMES[np.frombuffer(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:", np.uint8)] = True

_TYPE_WORD = np.frombuffer(b"TYPE" + bytes(16), np.uint8)
_EOF_WORD = np.frombuffer(b"EOF" + bytes(16), np.uint8)
_TYPE_WORDS = np.frombuffer(b"countergaugehistogramgaugehistogramsummaryinfostateset" + bytes(16), np.uint8)
_TYPE_BOUNDS = np.array([0, 7, 12, 21, 35, 42, 46, 54])
_TYPES = np.array([COUNTER, GAUGE, HISTOGRAM, GAUGE_HISTOGRAM, SUMMARY, INFO, STATE_SET])

TYPE, FAMILY, ENDED, CONTEXT = 0, 1, 2, 3
"""Positions in `ExpositionScratch.state`: the type last told, the length of its metric's name, whether ``# EOF`` came,
and a number for the two first that others do not have."""
STATE_SIZE = 4


class ExpositionScratch(NamedTuple):
    """What a text says for its lines to come, and what the caller adds to each.

    Parameters
    ----------
    state : int64[STATE_SIZE]
    family : uint8[NAME_SCRATCH_BYTES]
        Name of the metric whose type was told last.
    taken : uint8[n]
        Keys of labels, as of `tallystick.kernels.labels.keys_taken`.
    tags : uint8[m]
        Put behind each name: ``;job=api``.
    """

    state: NDArray[np.int64]
    family: NDArray[np.uint8]
    taken: NDArray[np.uint8]
    tags: NDArray[np.uint8]


@inlined
def _token_end(buffer: np.ndarray, i: int, stop: int) -> int:
    while i < stop and not is_blank(buffer[i]):
        i += 1
    return i


@inlined
def _name_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position behind a name that stands without quotes."""
    first = i
    while i < stop and _IN_NAMES[buffer[i]]:
        i += 1
    return first if i > first and 0x30 <= buffer[first] <= 0x39 else i


@inlined
def _quote_end(buffer: np.ndarray, i: int, stop: int) -> int:
    """Position of the quote that ends a text which begins at `i`, or `stop`."""
    while i < stop:
        word = load_u64(buffer, i)
        quote, backslash = word ^ _QUOTES, word ^ _BACKSLASHES
        # The lowest byte marked is truly one of both; borrows can only mark bytes above it.
        marks = (((quote - _ONES) & ~quote) | ((backslash - _ONES) & ~backslash)) & _HIGH
        if marks == np.uint64(0):
            i += 8
            continue
        i += trailing_zeros(marks) >> 3
        if i < stop and buffer[i] == _QUOTE:
            return i
        i += 2
    return stop


@inlined
def _skip(buffer: np.ndarray, i: int, stop: int) -> int:
    while i < stop and is_blank(buffer[i]):
        i += 1
    return i


@inlined
def _is_word(buffer: np.ndarray, start: int, stop: int, word: np.ndarray, size: int) -> bool:
    return stop - start == size and same_bytes(buffer, start, word, 0, size)


@scanner
def _read_comment(buffer: np.ndarray, i: int, stop: int, names: NameArrays, scratch: ExpositionScratch) -> None:
    """Remember what ``# TYPE name type`` tells, and ``# EOF``; other comments tell nothing."""
    word = _skip(buffer, i + 1, stop)
    word_end = _token_end(buffer, word, stop)
    if _is_word(buffer, word, word_end, _EOF_WORD, 3):
        scratch.state[ENDED] = 1
    if not _is_word(buffer, word, word_end, _TYPE_WORD, 4):
        return
    name = _skip(buffer, word_end, stop)
    quoted = name < stop and buffer[name] == _QUOTE
    name += 1 if quoted else 0
    name_end = _quote_end(buffer, name, stop) if quoted else _token_end(buffer, name, stop)
    type_ = _skip(buffer, name_end + 1, stop)
    type_end = _token_end(buffer, type_, stop)
    scratch.state[TYPE] = UNKNOWN
    for k in range(len(_TYPES)):
        size = _TYPE_BOUNDS[k + 1] - _TYPE_BOUNDS[k]
        if type_end - type_ == size and same_bytes(buffer, type_, _TYPE_WORDS, _TYPE_BOUNDS[k], size):
            scratch.state[TYPE] = _TYPES[k]
    family = append_path(buffer, name, name_end, scratch.family, True)
    scratch.state[FAMILY] = family
    told = hash_name(names, scratch.family, 0, family) >> np.uint64(4)
    scratch.state[CONTEXT] = np.int64(told) << 3 | scratch.state[TYPE]


@scanner
def _type_of(out: np.ndarray, path: int, scratch: ExpositionScratch) -> int:
    """The type of a sample's metric, whose name is that of the family or has an ending more."""
    family, type_ = scratch.state[FAMILY], scratch.state[TYPE]
    if family == 0 or family > path or not same_bytes(out, 0, scratch.family, 0, family):
        return UNKNOWN
    if family == path or (type_ not in (GAUGE, STATE_SET) and is_ending(out, family, path)):
        return type_
    return UNKNOWN


@scanner
def _read_labels(
    buffer: np.ndarray, i: int, stop: int, out: np.ndarray, path: int, taken: np.ndarray
) -> tuple[int, int, int, int]:
    """Write the labels from behind the brace on, and the name of the metric if it is among them.

    Returns
    -------
    end, path, length, fault
        Position behind the closing brace, lengths of the metric's name and of all, and `Reason.NONE` or a fault.
    """
    length = path
    first = True
    while True:
        i = _skip(buffer, i, stop)
        if i < stop and buffer[i] == _CLOSE:
            return i + 1, path, length, reasons.NONE
        quoted = i < stop and buffer[i] == _QUOTE
        key = i + 1 if quoted else i
        key_end = _quote_end(buffer, key, stop) if quoted else _name_end(buffer, key, stop)
        i = _skip(buffer, key_end + 1 if quoted else key_end, stop)
        if key_end >= stop or key_end == key or i >= stop:
            return i, path, length, reasons.TAG
        if buffer[i] == _EQUALS:
            value = _skip(buffer, i + 1, stop) + 1
            if value > stop or buffer[value - 1] != _QUOTE:
                return i, path, length, reasons.TAG
            value_end = _quote_end(buffer, value, stop)
            if value_end >= stop:
                return i, path, length, reasons.TAG
            length = append_label(buffer, (key, key_end), (value, value_end), out, length, taken, True)
            i = _skip(buffer, value_end + 1, stop)
        elif quoted and first and path == 0:
            path = length = append_path(buffer, key, key_end, out, True)
        else:
            return i, path, length, reasons.TAG
        first = False
        if i >= stop or (buffer[i] != _COMMA and buffer[i] != _CLOSE):
            return i, path, length, reasons.TAG
        if buffer[i] == _COMMA:
            i += 1


@inlined
def _read_value(buffer: np.ndarray, start: int, stop: int) -> tuple[float, int, int]:
    """A value, its status as of `read_number`, and `Reason.NONE` or why it is bad."""
    if start == stop:
        return 0.0, NOT_A_NUMBER, reasons.FIELDS
    value, end, status = read_number(buffer, start)
    if status == NOT_A_NUMBER or end != stop:
        return 0.0, NOT_A_NUMBER, reasons.VALUE_NOT_FINITE if is_not_finite(buffer, start, stop) else reasons.VALUE
    if status == EXACT and not np.isfinite(value):
        return 0.0, NOT_A_NUMBER, reasons.VALUE_NOT_FINITE
    return value, status, reasons.NONE


@inlined
def _read_time(buffer: np.ndarray, start: int, stop: int, seconds: bool) -> tuple[int, bool]:
    """Milliseconds, and whether the text says so: a whole number of them, or a number of seconds."""
    if seconds:
        value, end, status = read_number(buffer, start)
        if status != EXACT or end != stop or not abs(value) <= _SECONDS_MAX:
            return 0, False
        return np.int64(np.rint(value * 1000.0)), True
    i = start + 1 if buffer[start] == _MINUS else start
    if i == stop or stop - i > _DIGITS_MAX:
        return 0, False
    ms = 0
    for k in range(i, stop):
        if not 0x30 <= buffer[k] <= 0x39:
            return 0, False
        ms = ms * 10 + np.int64(buffer[k] - 0x30)
    return -ms if i > start else ms, True


@scanner
def _read_head(
    buffer: np.ndarray, i: int, stop: int, out: np.ndarray, scratch: ExpositionScratch
) -> tuple[int, int, int, int]:
    """Write the name of a sample.

    Returns
    -------
    end, path, length, fault
        Position behind what was read, lengths of the metric's name and of all, and `Reason.NONE` or a fault.
    """
    name_end = _name_end(buffer, i, stop)
    path = append_path(buffer, i, name_end, out, False)
    length, fault, end = path, reasons.NONE, name_end
    i = _skip(buffer, name_end, stop)
    if i < stop and buffer[i] == _OPEN:
        end, path, length, fault = _read_labels(buffer, i + 1, stop, out, path, scratch.taken)
    elif i == name_end and i < stop:
        fault = reasons.NAME_BYTES
    if fault != reasons.NONE:
        return end, path, length, fault
    for k in range(len(scratch.tags)):
        if length > NAME_BYTES_MAX:
            break
        out[length] = scratch.tags[k]
        length += 1
    return end, path, length, name_fault(out, path, min(length, TOO_LONG))


@scanner
def _read_sample(
    buffer: np.ndarray, i: int, stop: int, seconds: bool, now_ms: int
) -> tuple[int, int, float, int, int, int]:
    """Read what stands behind the name of a sample.

    Returns
    -------
    number, number_end, value, status, ms, fault
        Bounds of the value and itself, its status as of `read_number`, the milliseconds, and `Reason.NONE` or a fault.
    """
    number = _skip(buffer, i, stop)
    number_end = _token_end(buffer, number, stop)
    value, status, fault = _read_value(buffer, number, number_end)
    if fault != reasons.NONE:
        return number, number_end, value, status, 0, fault
    ms = now_ms
    i = _skip(buffer, number_end, stop)
    if i < stop and buffer[i] != _HASH:
        time_end = _token_end(buffer, i, stop)
        ms, good = _read_time(buffer, i, time_end, seconds)
        if not good:
            return number, number_end, value, status, 0, reasons.TIMESTAMP
        i = _skip(buffer, time_end, stop)
    if i < stop and buffer[i] != _HASH:  # behind which an exemplar stands
        fault = reasons.FIELDS
    return number, number_end, value, status, ms, fault


@scanner
def parse_lines(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    seconds: bool,
    texts: bool,
    scratch: ExpositionScratch,
    heads: Heads,
) -> int:
    """Parse the lines of spans of a buffer; as `tallystick.kernels.carbon.parse_lines`.

    Parameters
    ----------
    seconds
        Whether timestamps are in seconds, and lines behind ``# EOF`` bad, as in OpenMetrics.
    texts
        Whether each span is a text by itself; else all are pieces of one.
    scratch
        Its state is what the text said so far.
    heads
        With entries of `names`.
    """
    progress = rows.progress
    values = rows.value.view(np.float64)
    previous, trust = progress[PREVIOUS], progress[TRUST]
    row, seen = progress[ROWS], progress[SEEN]
    state = DONE
    while state == DONE and progress[SPAN] < len(offsets):
        span = progress[SPAN]
        stop = offsets[span] + lengths[span]
        i = progress[POSITION]
        if i < 0:
            begin_span(rows, span, row, seen)
            i = offsets[span]
            if texts:
                scratch.state[:] = 0
        kept = buffer[stop]
        buffer[stop] = _NEWLINE
        while i < stop:
            start = i
            newline = find_newline(buffer, start)
            i = newline + 1
            if newline - start > line_bytes_max:
                reject(rows, reasons.LINE_LONG, start, newline)
                seen += 1
                continue
            end = newline - 1 if newline > start and buffer[newline - 1] == _RETURN else newline
            at = skip_blanks(buffer, start)
            if at >= end:
                continue
            if buffer[at] == _HASH:
                _read_comment(buffer, at, end, names, scratch)
                continue
            fault, context = reasons.NONE, scratch.state[CONTEXT]
            number, number_end, value, status, ms = 0, 0, 0.0, NOT_A_NUMBER, 0
            head, head_end = recall(heads, buffer, at, end, context, seen)
            if head >= 0:
                number, number_end, value, status, ms, fault = _read_sample(buffer, head_end, end, seconds, now_ms)
                if fault != reasons.NONE:
                    head, fault = -1, reasons.NONE  # what follows the blank may be of the head
            path, length = 0, 0
            if head < 0:
                head_end, path, length, fault = _read_head(buffer, at, end, rows.name, scratch)
                if fault == reasons.NONE:
                    number, number_end, value, status, ms, fault = _read_sample(buffer, head_end, end, seconds, now_ms)
            if seconds and scratch.state[ENDED] != 0:
                fault = reasons.FIELDS
            entry, kind, hit = np.int64(LIMIT), np.int64(0), False
            if fault == reasons.NONE and head >= 0:
                entry, kind, hit = np.int64(heads.entry[head]), np.int64(heads.kind[head]), True
            elif fault == reasons.NONE:
                entry, hit = resolve(names, rows.name, 0, length, previous, trust, seen)
                if entry == NO_ROOM:
                    state = NAMES_FULL
                    i = start
                    break
                kind = kind_of(rows.name, path, _type_of(rows.name, path, scratch))
            seen += 1
            if fault != reasons.NONE:
                reject(rows, fault, start, newline)
            elif entry == LIMIT:
                reject(rows, reasons.SERIES_LIMIT, start, newline)
            else:
                trust = learn(names, previous, entry, trust, hit)
                previous = entry
                if head >= 0:
                    confirm(heads, head)
                else:
                    remember(heads, buffer, at, head_end, context, entry, kind)
                if status == HARD:
                    note_hard(rows, row, number, number_end)
                rows.ids[row] = entry
                rows.timestamp[row] = ms
                values[row] = value
                rows.weight[row] = 1.0
                rows.kind[row] = kind
                row += 1
        buffer[stop] = kept
        if state == DONE:
            if texts and seconds and scratch.state[ENDED] == 0:
                reject(rows, reasons.TRUNCATED, stop, stop)
                seen += 1
            progress[SPAN] = span + 1
            progress[POSITION] = -1
        else:
            progress[POSITION] = i
    progress[ROWS], progress[SEEN] = row, seen
    progress[PREVIOUS], progress[TRUST] = previous, trust
    return state
