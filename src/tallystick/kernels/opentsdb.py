"""OpenTSDB's lines to columns; the grammar is in `tallystick.parse.opentsdb`."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.fields import BAD_TIME, next_field, read_time
from tallystick.kernels.names import LIMIT, NameArrays, has_room, learn, resolve
from tallystick.kernels.numbers import HARD, NOT_A_NUMBER, is_not_finite, read_number
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
from tallystick.kernels.words import find_newline, utf8_valid
from tallystick.model.name import NAME_BYTES_MAX

_NEWLINE, _RETURN, _SEMICOLON, _EQUALS = 0x0A, 0x0D, 0x3B, 0x3D
_PUT = (0x70, 0x75, 0x74)
_SECONDS_MAX_MS = 0xFFFF_FFFF * 1000
"""Larger timestamps are milliseconds already."""


class Commands(NamedTuple):
    """Lines that are no ``put``, for Python to answer.

    Parameters
    ----------
    bounds : int64[k, 2]
        Position and length of the first `k` of them; the others are rejected.
    count : int64[1]
    """

    bounds: NDArray[np.int64]
    count: NDArray[np.int64]


@inlined
def _is_put(buffer: np.ndarray, start: int, stop: int) -> bool:
    return (
        stop - start == 3 and buffer[start] == _PUT[0] and buffer[start + 1] == _PUT[1] and buffer[start + 2] == _PUT[2]
    )


@inlined
def _copy(buffer: np.ndarray, start: int, stop: int, out: np.ndarray, length: int) -> int:
    """Append bytes to a name; returns its length, or more than `NAME_BYTES_MAX` if it is too long."""
    if length + stop - start > NAME_BYTES_MAX:
        return NAME_BYTES_MAX + 1
    for i in range(start, stop):
        out[length] = buffer[i]
        length += 1
    return length


@inlined
def _is_tag(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a word is ``key=value`` with both parts; a semicolon would part tags of Graphite's form."""
    equals = -1
    parted = False
    for i in range(start, stop):
        if buffer[i] == _EQUALS and equals < 0:
            equals = i
        parted |= buffer[i] == _SEMICOLON
    return start < equals < stop - 1 and not parted


@inlined
def _fit(buffer: np.ndarray, start: int, stop: int) -> bool:
    """Whether a word can be in a name."""
    ascii_only = True
    for i in range(start, stop):
        if buffer[i] <= 0x20 or buffer[i] == 0x7F:
            return False
        ascii_only &= buffer[i] < 0x80
    return ascii_only or utf8_valid(buffer, start, stop)


@scanner
def _write_name(
    buffer: np.ndarray, metric: int, metric_end: int, i: int, stop: int, out: np.ndarray
) -> tuple[int, int]:
    """Write ``metric;key=value...`` from the metric and the words from `i` on; its length, and any fault."""
    length = _copy(buffer, metric, metric_end, out, 0)
    if not _fit(buffer, metric, metric_end):
        return length, reasons.NAME_BYTES
    while True:
        word, word_end = next_field(buffer, i, stop)
        if word == stop:
            break
        if not _is_tag(buffer, word, word_end):
            return length, reasons.TAG
        if not _fit(buffer, word, word_end):
            return length, reasons.NAME_BYTES
        if length < NAME_BYTES_MAX:
            out[length] = _SEMICOLON
            length = _copy(buffer, word, word_end, out, length + 1)
        else:
            length = NAME_BYTES_MAX + 1
        i = word_end
    return length, reasons.NAME_LONG if length > NAME_BYTES_MAX else reasons.NONE


@scanner
def parse_lines(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    commands: Commands,
) -> int:
    """Parse the lines of spans of a buffer; as `tallystick.kernels.carbon.parse_lines`."""
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
        kept = buffer[stop]
        buffer[stop] = _NEWLINE
        while i < stop:
            if not has_room(names, NAME_BYTES_MAX):
                state = NAMES_FULL
                break
            start = i
            newline = find_newline(buffer, start)
            i = newline + 1
            if newline - start > line_bytes_max:
                reject(rows, reasons.LINE_LONG, start, newline)
                seen += 1
                continue
            end = newline - 1 if newline > start and buffer[newline - 1] == _RETURN else newline
            word, word_end = next_field(buffer, start, end)
            if word == end:
                continue
            if not _is_put(buffer, word, word_end) and commands.count[0] < len(commands.bounds):
                commands.bounds[commands.count[0], 0] = word
                commands.bounds[commands.count[0], 1] = end - word
                commands.count[0] += 1
                continue
            metric, metric_end = next_field(buffer, word_end, end)
            time, time_end = next_field(buffer, metric_end, end)
            number, number_end = next_field(buffer, time_end, end)
            fault = reasons.NONE
            length, ms, value, status = 0, 0, 0.0, NOT_A_NUMBER
            if number == end or not _is_put(buffer, word, word_end):
                fault = reasons.FIELDS
            else:
                length, fault = _write_name(buffer, metric, metric_end, number_end, end, rows.name)
                ms, at = read_time(buffer, time, now_ms)
                value, at_value, status = read_number(buffer, number)
                if fault == reasons.NONE and (status == NOT_A_NUMBER or at_value != number_end):
                    fault = reasons.VALUE_NOT_FINITE if is_not_finite(buffer, number, number_end) else reasons.VALUE
                elif fault == reasons.NONE and status != HARD and not np.isfinite(value):
                    fault = reasons.VALUE_NOT_FINITE
                elif fault == reasons.NONE and (ms == BAD_TIME or at != time_end):
                    fault = reasons.TIMESTAMP
            seen += 1
            if fault != reasons.NONE:
                reject(rows, fault, start, newline)
                continue
            entry, hit = resolve(names, rows.name, 0, length, previous, trust, seen)
            if entry == LIMIT:
                reject(rows, reasons.SERIES_LIMIT, start, newline)
                continue
            trust = learn(names, previous, entry, trust, hit)
            previous = entry
            if status == HARD:
                note_hard(rows, row, number, number_end)
            rows.ids[row] = entry
            rows.timestamp[row] = ms // 1000 if ms > _SECONDS_MAX_MS else ms
            values[row] = value
            row += 1
        buffer[stop] = kept
        if state == DONE:
            progress[SPAN] = span + 1
            progress[POSITION] = -1
        else:
            progress[POSITION] = i
    progress[ROWS], progress[SEEN] = row, seen
    progress[PREVIOUS], progress[TRUST] = previous, trust
    return state
