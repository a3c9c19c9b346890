"""Carbon's frames of Protocol Buffers to columns.

::

    Payload   1: Metric*
    Metric    1: text  2: Point*
    Point     1: uint32 seconds  2: double

A metric whose own bytes are broken costs itself; a payload whose fields cannot be told apart ends its frame.
"""

import numpy as np

from tallystick.kernels import reasons
from tallystick.kernels.compile import scanner
from tallystick.kernels.fields import fault_of_name
from tallystick.kernels.names import LIMIT, NameArrays, has_room, learn, resolve
from tallystick.kernels.protobuf import BAD, BYTES, FIXED64, VARINT, read_bounds, read_fixed64, read_key, read_varint
from tallystick.kernels.protobuf import skip_field as skip
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
from tallystick.model.name import NAME_BYTES_MAX

_NAME_FIELD, _POINTS_FIELD = 1, 2
_SECONDS_FIELD, _VALUE_FIELD = 1, 2
_SECONDS_MAX = np.uint64(0xFFFFFFFF)


@scanner
def _find_name(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int, int]:
    """Bounds of a metric's name, the last that it has, and `Reason.NONE` or what is wrong with the metric."""
    start, end = at, at
    while at < stop:
        field, wire, at = read_key(buffer, at, stop)
        if at == BAD:
            return start, end, reasons.FRAME
        if wire == BYTES and field in (_NAME_FIELD, _POINTS_FIELD):
            begin, at = read_bounds(buffer, at, stop)
            if field == _NAME_FIELD and at != BAD:
                start, end = begin, at
        else:
            at = skip(buffer, wire, at, stop)
        if at == BAD:
            return start, end, reasons.FRAME
    return start, end, fault_of_name(buffer, start, end)


@scanner
def _read_point(buffer: np.ndarray, at: int, stop: int) -> tuple[int, int, int]:
    """Seconds and the bits of the value, each 0 where it is left out, and `Reason.NONE` or what is wrong."""
    seconds, bits = np.uint64(0), np.uint64(0)
    while at < stop:
        field, wire, at = read_key(buffer, at, stop)
        if at == BAD:
            return seconds, bits, reasons.FRAME
        if field == _SECONDS_FIELD and wire == VARINT:
            seconds, at = read_varint(buffer, at, stop)
        elif field == _VALUE_FIELD and wire == FIXED64:
            bits, at = read_fixed64(buffer, at, stop)
        else:
            at = skip(buffer, wire, at, stop)
        if at == BAD:
            return seconds, bits, reasons.FRAME
    if seconds > _SECONDS_MAX:
        return seconds, bits, reasons.TIMESTAMP
    return seconds, bits, reasons.NONE if np.isfinite(np.uint64(bits).view(np.float64)) else reasons.VALUE_NOT_FINITE


@scanner
def _take_metric(buffer: np.ndarray, at: int, stop: int, names: NameArrays, rows: Rows) -> None:
    """Make rows of a metric's points; there is room for its name."""
    progress = rows.progress
    start, end, fault = _find_name(buffer, at, stop)
    if fault != reasons.NONE:
        progress[SEEN] += 1
        reject(rows, fault, at, stop)
        return
    entry = np.int64(-1)
    while at < stop:
        field, wire, at = read_key(buffer, at, stop)
        if field != _POINTS_FIELD or wire != BYTES:
            at = skip(buffer, wire, at, stop)
            continue
        begin, at = read_bounds(buffer, at, stop)
        seconds, bits, fault = _read_point(buffer, begin, at)
        progress[SEEN] += 1
        if fault == reasons.NONE and entry < 0:
            entry, hit = resolve(names, buffer, start, end - start, progress[PREVIOUS], progress[TRUST], progress[SEEN])
            if entry == LIMIT:
                fault = reasons.SERIES_LIMIT
            else:
                progress[TRUST] = learn(names, progress[PREVIOUS], entry, progress[TRUST], hit)
                progress[PREVIOUS] = entry
        if fault != reasons.NONE:
            reject(rows, fault, start, end)
            continue
        row = progress[ROWS]
        rows.ids[row] = entry
        rows.timestamp[row] = np.int64(seconds) * 1000
        rows.value[row] = bits
        progress[ROWS] = row + 1


@scanner
def parse_payloads(buffer: np.ndarray, offsets: np.ndarray, lengths: np.ndarray, names: NameArrays, rows: Rows) -> int:
    """Read payloads, each a span of the buffer; `DONE`, or `NAMES_FULL` before a metric."""
    progress = rows.progress
    while progress[SPAN] < len(offsets):
        span = progress[SPAN]
        stop = offsets[span] + lengths[span]
        at = progress[POSITION]
        if at < 0:
            begin_span(rows, span, progress[ROWS], progress[SEEN])
            at = offsets[span]
        while at < stop:
            if not has_room(names, NAME_BYTES_MAX):
                progress[POSITION] = at
                return NAMES_FULL
            here = at
            field, wire, at = read_key(buffer, at, stop)
            if at != BAD and field == 1 and wire == BYTES:
                begin, at = read_bounds(buffer, at, stop)
                if at != BAD:
                    _take_metric(buffer, begin, at, names, rows)
            elif at != BAD:
                at = skip(buffer, wire, at, stop)
            if at == BAD:
                progress[SEEN] += 1
                reject(rows, reasons.FRAME, here, stop)
                break
        progress[SPAN] = span + 1
        progress[POSITION] = -1
    return DONE
