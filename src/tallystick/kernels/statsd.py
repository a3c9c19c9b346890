"""StatsD's lines to columns; the grammar is in `tallystick.parse.statsd`."""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import inlined, scanner
from tallystick.kernels.dogstatsd import EVENTS_NOTED_MAX, is_check, is_event, read_check, read_event
from tallystick.kernels.hashing import MEMBER_KEY, hash_bytes
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
from tallystick.kernels.statsd_fields import UNKNOWN, read_fields, read_lenient, trimmed, type_of
from tallystick.kernels.statsd_names import CLASS, until, write_key, write_tags
from tallystick.kernels.words import find_newline
from tallystick.model.kind import Kind
from tallystick.model.name import NAME_BYTES_MAX
from tallystick.model.sample import GAUGE_DELTA

_GAUGE = int(Kind.GAUGE)
_DELTA = int(Kind.GAUGE) | GAUGE_DELTA
_COUNTER = int(Kind.COUNTER)
_SET = int(Kind.SET)

_NEWLINE, _RETURN, _COLON, _BAR, _HASH, _PLUS, _MINUS = 0x0A, 0x0D, 0x3A, 0x7C, 0x23, 0x2B, 0x2D
_MEMBER_KEY_0, _MEMBER_KEY_1 = MEMBER_KEY


@inlined
def _write_value(
    rows: Rows,
    values: np.ndarray,
    row: int,
    buffer: np.ndarray,
    start: int,
    stop: int,
    kind: int,
    weight: float,
    negative_ok: bool,
    lenient: bool,
) -> int:
    """Write one value as a row; returns `Reason.NONE`, or why it is bad."""
    if kind == _SET:
        if start == stop:
            return reasons.VALUE
        rows.value[row] = hash_bytes(buffer, start, stop - start, _MEMBER_KEY_0, _MEMBER_KEY_1)
        rows.weight[row] = 1.0
        rows.kind[row] = kind
        return reasons.NONE
    signed = buffer[start] == _PLUS or buffer[start] == _MINUS
    if lenient:
        start, stop = trimmed(buffer, start, stop)
        value, status = read_lenient(buffer, start, stop)
        whole = True
    else:
        value, end, status = read_number(buffer, start)
        whole = end == stop
    if status == NOT_A_NUMBER or not whole:
        return reasons.VALUE_NOT_FINITE if is_not_finite(buffer, start, stop) else reasons.VALUE
    if buffer[start] == _MINUS and not negative_ok:
        return reasons.VALUE
    if status == HARD:
        note_hard(rows, row, start, stop)
    elif not np.isfinite(value):
        return reasons.VALUE_NOT_FINITE
    values[row] = value
    rows.weight[row] = weight
    rows.kind[row] = _DELTA if kind == _GAUGE and signed else kind
    return reasons.NONE


@inlined
def _read_bits(
    buffer: np.ndarray,
    start: int,
    i: int,
    stop: int,
    rows: Rows,
    values: np.ndarray,
    row: int,
    seen: int,
    now_ms: int,
    lenient: bool,
) -> tuple[int, int]:
    """Read ``value[:value...]|type[|field...]``, several after another; returns the rows and samples there are then.

    Rejects are noted with the whole line, from `start`, for whoever reads them.
    """
    while i <= stop:
        bar = until(buffer, i, stop, _BAR, _BAR)
        type_end = until(buffer, min(bar + 1, stop), stop, _BAR, _COLON)
        kind, negative_ok = type_of(buffer, min(bar + 1, stop), type_end, lenient)
        following, rate, seconds, fault = read_fields(buffer, type_end, stop, lenient)
        if bar == stop:
            fault = reasons.FIELDS
        elif kind == UNKNOWN:
            fault = reasons.TYPE
        weight = 1.0 if kind == _GAUGE else 1.0 / rate
        time_ms = seconds * 1000 if seconds > 0 and kind in (_COUNTER, _GAUGE) else now_ms
        while i <= bar:
            # The member of a set may hold colons; other values are packed with them.
            end = bar if kind == _SET and bar < stop else until(buffer, i, bar, _COLON, _COLON)
            reason = fault
            if fault == reasons.NONE:
                reason = _write_value(rows, values, row, buffer, i, end, kind, weight, negative_ok, lenient)
            seen += 1
            if reason == reasons.NONE:
                rows.timestamp[row] = time_ms
                row += 1
            else:
                reject(rows, reason, start, stop)
            i = end + 1
        i = following + 1
    return row, seen


@inlined
def _write_name(buffer: np.ndarray, start: int, stop: int, colon: int, tags: int, clean: bool, rows: Rows) -> int:
    """Write a line's name, unless it can be taken from the buffer as it is; returns its length, -1 for a bad tag."""
    if clean and tags == stop:
        return colon - start
    length = write_key(buffer, start, colon, rows.name, 0)
    if 0 < length <= NAME_BYTES_MAX and tags < stop:
        length = write_tags(buffer, tags + 1, until(buffer, tags, stop, _BAR, _BAR), rows.name, length)
    return length


@inlined
def _read_message(
    buffer: np.ndarray, start: int, stop: int, rows: Rows, values: np.ndarray, row: int, now_ms: int, event: bool
) -> tuple[int, int]:
    """Read an event or a service check into a row; returns any fault and the length of the name in ``rows.name``."""
    if event:
        fault, length, seconds = read_event(buffer, start, stop, rows.name)
        values[row], rows.kind[row] = 1.0, _COUNTER
    else:
        fault, length, seconds, status = read_check(buffer, start, stop, rows.name)
        values[row], rows.kind[row] = status, _GAUGE
    rows.weight[row] = 1.0
    rows.timestamp[row] = seconds * 1000 if seconds > 0 else now_ms
    return fault, length


@scanner
def parse_lines(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
    lenient: bool,
    events: np.ndarray,
) -> int:
    """Parse the lines of spans of a buffer; as `tallystick.kernels.carbon.parse_lines`.

    Parameters
    ----------
    lenient
        Whether to read as StatsD does what we would rather refuse.
    events : int64[1 + EVENTS_NOTED_MAX, 2]
        Start and end of the first events; the first row says how many.
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
        kept = buffer[stop]
        buffer[stop] = _NEWLINE
        while i < stop:
            if not has_room(names, NAME_BYTES_MAX):
                state = NAMES_FULL
                break
            start = i
            newline = find_newline(buffer, start)
            i = newline + 1
            end = newline - 1 if newline > start and buffer[newline - 1] == _RETURN else newline
            if newline - start > line_bytes_max:
                reject(rows, reasons.LINE_LONG, start, newline)
                seen += 1
                continue
            if end == start:
                continue
            event = is_event(buffer, start, end)
            message = event or is_check(buffer, start, end)
            plain = False
            fault = reasons.NONE
            first = row
            if message:
                fault, length = _read_message(buffer, start, end, rows, values, row, now_ms, event)
                colon = start
            else:
                colon = start
                clean = True
                while colon < end and buffer[colon] != _COLON and buffer[colon] != _BAR:
                    clean &= CLASS[buffer[colon]] == buffer[colon]
                    colon += 1
                tags = colon
                while tags < end and not (buffer[tags] == _HASH and buffer[tags - 1] == _BAR):
                    tags += 1
                plain = clean and tags == end
                length = 0
                if colon == end or buffer[colon] == _BAR:
                    fault = reasons.FIELDS
                else:
                    length = _write_name(buffer, start, end, colon, tags, clean, rows)
                    if length == 0:
                        fault = reasons.NAME_EMPTY
                    elif length < 0:
                        fault = reasons.TAG
                    elif length > NAME_BYTES_MAX:
                        fault = reasons.NAME_LONG
            if fault != reasons.NONE:
                reject(rows, fault, start, newline)
                seen += 1
                continue
            if message:
                row += 1
                seen += 1
            else:
                row, seen = _read_bits(buffer, start, colon + 1, end, rows, values, row, seen, now_ms, lenient)
            if row == first:
                continue
            if plain:
                entry, hit = resolve(names, buffer, start, length, previous, trust, seen)
            else:
                entry, hit = resolve(names, rows.name, 0, length, previous, trust, seen)
            if entry == LIMIT:
                for _ in range(first, row):
                    reject(rows, reasons.SERIES_LIMIT, start, newline)
                row = first
                continue
            trust = learn(names, previous, entry, trust, hit)
            previous = entry
            for k in range(first, row):
                rows.ids[k] = entry
            if event and events[0, 0] < EVENTS_NOTED_MAX:
                events[0, 0] += 1
                events[events[0, 0], 0], events[events[0, 0], 1] = start, end
        buffer[stop] = kept
        if state == DONE:
            progress[SPAN] = span + 1
            progress[POSITION] = -1
        else:
            progress[POSITION] = i
    progress[ROWS], progress[SEEN] = row, seen
    progress[PREVIOUS], progress[TRUST] = previous, trust
    return state
