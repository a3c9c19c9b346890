r"""Carbon's plaintext lines to columns.

``line = name blanks value blanks timestamp [blanks] ["\r"] "\n"``, where blanks are spaces and tabs.

A line is first read on the assumption that it is good (`parse_lines`): each byte is looked at once, and the name is
only compared where it is the one expected. Where the assumption fails, `_fault` reads the line again, in the order of
the grammar, to say why.
"""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import load_u64, scanner
from tallystick.kernels.fields import end_of_name, is_blank, name_valid, next_field, read_time, skip_blanks
from tallystick.kernels.names import LIMIT, NO_ROOM, NameArrays, find_or_add, guess, learn
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
from tallystick.kernels.words import find_newline, same_bytes, utf8_valid
from tallystick.model.name import NAME_BYTES_MAX

_NEWLINE, _RETURN, _SPACE = 0x0A, 0x0D, 0x20


@scanner
def _fault(buffer: np.ndarray, start: int, stop: int) -> int:
    """Why the line ``buffer[start:stop]``, without its newline, is bad; `Reason.NONE` if it holds only blanks."""
    if stop > start and buffer[stop - 1] == _RETURN:
        stop -= 1
    name, name_end = next_field(buffer, start, stop)
    number, number_end = next_field(buffer, name_end, stop)
    time, time_end = next_field(buffer, number_end, stop)
    extra, _ = next_field(buffer, time_end, stop)
    if name == stop:
        return reasons.NONE
    if time == stop or extra < stop:
        return reasons.FIELDS
    if name_end - name > NAME_BYTES_MAX:
        return reasons.NAME_LONG
    if end_of_name(buffer, name) < name_end or not utf8_valid(buffer, name, name_end):
        return reasons.NAME_BYTES
    value, end, status = read_number(buffer, number)
    if status == NOT_A_NUMBER or end != number_end:
        return reasons.VALUE_NOT_FINITE if is_not_finite(buffer, number, number_end) else reasons.VALUE
    if status == EXACT and not np.isfinite(value):
        return reasons.VALUE_NOT_FINITE
    return reasons.TIMESTAMP


@scanner
def parse_lines(
    buffer: np.ndarray,
    offsets: np.ndarray,
    lengths: np.ndarray,
    line_bytes_max: int,
    names: NameArrays,
    now_ms: int,
    rows: Rows,
) -> int:
    """Parse the lines of spans of a buffer; the end of a span ends its last line.

    Parameters
    ----------
    buffer : uint8[n]
        With `PADDING` behind the last span. The byte behind each span is a newline meanwhile, and put back.
    offsets : int64[s]
    lengths : int32[s]
        The spans.
    rows
        Output; its ``progress`` says where to go on after `NAMES_FULL`.

    Returns
    -------
    int
        `DONE` or `NAMES_FULL`.
    """
    progress = rows.progress
    values = rows.value.view(np.float64)
    previous, trust = progress[PREVIOUS], progress[TRUST]
    row, seen = progress[ROWS], progress[SEEN]
    # Lines of one flush share their timestamp: its text is compared, as two words over ten digits and the newline.
    time_low, time_high, time_ms = np.uint64(0), np.uint64(0), 0
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
            start = i
            i = skip_blanks(buffer, i)
            entry = guess(names, previous, trust, seen)
            hit = False
            length = 0
            if entry >= 0:
                at = names.offsets[entry]
                length = names.offsets[entry + 1] - at
                hit = (
                    i + length < stop
                    and buffer[i + length] == _SPACE
                    and same_bytes(names.arena, at, buffer, i, length)
                )
            name = i
            i = i + length if hit else end_of_name(buffer, i)
            name_end = i
            good = False
            value, status, value_at, value_end, ms = 0.0, NOT_A_NUMBER, 0, 0, 0
            if is_blank(buffer[i]) and (
                hit or (i > name and i - name <= NAME_BYTES_MAX and name_valid(buffer, name, i))
            ):
                value_at = skip_blanks(buffer, i)
                value, value_end, status = read_number(buffer, value_at)
                if status != NOT_A_NUMBER and is_blank(buffer[value_end]) and (status == HARD or np.isfinite(value)):
                    i = skip_blanks(buffer, value_end)
                    low, high = load_u64(buffer, i), load_u64(buffer, i + 3)
                    if low == time_low and high == time_high:
                        ms = time_ms
                        i += 10
                        good = buffer[i] == _NEWLINE
                    else:
                        at = i
                        ms, i = read_time(buffer, at, now_ms)
                        if ms >= 0:
                            if i == at + 10 and buffer[i] == _NEWLINE and buffer[at] != 0x2D:
                                time_low, time_high, time_ms = low, high, ms
                            i = skip_blanks(buffer, i)
                            if buffer[i] == _RETURN:
                                i += 1
                            good = buffer[i] == _NEWLINE
            if not good:
                i = find_newline(buffer, start)
            if i - start > line_bytes_max:
                reject(rows, reasons.LINE_LONG, start, i)
                seen += 1
            elif not good:
                reason = _fault(buffer, start, i)
                if reason != reasons.NONE:
                    reject(rows, reason, start, i)
                    seen += 1
            else:
                if not hit:
                    entry = find_or_add(names, buffer, name, name_end - name)
                    if entry == NO_ROOM:
                        state = NAMES_FULL
                        i = start
                        break
                if entry == LIMIT:
                    reject(rows, reasons.SERIES_LIMIT, start, i)
                else:
                    if status == HARD:
                        note_hard(rows, row, value_at, value_end)
                    rows.ids[row] = entry
                    rows.timestamp[row] = ms
                    values[row] = value
                    row += 1
                    trust = learn(names, previous, entry, trust, hit)
                    previous = entry
                seen += 1
            i += 1
        buffer[stop] = kept
        if state == DONE:
            progress[SPAN] = span + 1
            progress[POSITION] = -1
        else:
            progress[POSITION] = i
    progress[ROWS], progress[SEEN] = row, seen
    progress[PREVIOUS], progress[TRUST] = previous, trust
    return state
